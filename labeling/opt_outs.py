"""Labels a person would rather not judge. The queue leaves pages on which one is likely to others, and says nothing.

Which they are is between the person and the queue: no list, event or report names them to anybody else.
"""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from labeling import desks, expectations, schemas
from labeling.models import Desk, Project, SchemaVersion, User
from labeling.refusals import Unacceptable


def choices(project: Project) -> list[tuple[str, str]]:
    """Key and name of every label in force."""
    try:
        return [(label.key, label.name) for label in schemas.in_force(project).asked]
    except SchemaVersion.DoesNotExist:
        return []


def of(project: Project, user: User) -> list[str]:
    """What this person has chosen, in the order of the labels; retired ones have dropped out."""
    chosen = set(desks.of(project, user).opted_out)
    return [key for key, _ in choices(project) if key in chosen]


@transaction.atomic
def choose(project: Project, user: User, keys: Collection[str]) -> list[str]:
    """Set the labels this person would rather not judge. Raises Unacceptable for one that is not asked here."""
    known = [key for key, _ in choices(project)]
    unknown = sorted(set(keys) - set(known))
    if unknown:
        sentence = _("Not a label of this project: %(these)s.") % {"these": ", ".join(unknown)[:200]}
        raise Unacceptable(sentence, [{"pointer": "/opted_out", "detail": sentence}])
    wanted = [key for key in known if key in set(keys)]
    desk = desks.of(project, user)
    before = expectations.watched(project).keys
    Desk.objects.filter(pk=desk.pk).update(opted_out=wanted)
    if expectations.watched(project).keys != before:  # a label without a severity: nobody had to know where it holds
        expectations.recompute_soon(project, by=user)
    return wanted
