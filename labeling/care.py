"""What a person can be asked to read today: a budget of exposure, and no end of grave pages in a row.

The budget is kept before a page is given out, by what the page is expected to cost (`expectations`): one that would
pass what is left is given to somebody else, or tomorrow. What a page turns out to cost is known after it was read, so a
day may end above its budget by one page that nobody could know, and by no more: a page held unanswered in another
project is reckoned at the worst it can turn out to be.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling import exposure, schemas
from labeling.models import Assignment, Project, State, User
from labeling.models.projects import Severity
from labeling.withheld import Moment, Refusal

ENOUGH = gettext_noop("That was a lot for one day. Take a pause, or go on with other lists.")
ELSEWHERE = gettext_noop("You hold a page in {name}. Answer it or give it back first: with it, your day may be full.")
MILD = float(Severity.MILD)  # after many serious pages: at most what a page costs that is mild for certain


@dataclass(frozen=True, slots=True)
class Allowance:
    """What care allows: pages expected to cost at most `left` (None: any), or none at all, and why."""

    left: float | None = None
    refusal: Refusal | None = None


NOTHING_SET = Allowance()


def allowance(project: Project, user: User, moment: Moment) -> Allowance:
    """What this person may be given in this project now. Two rules that are not set cost no query."""
    left = MILD if project.severe_in_a_row and is_mild_next(project, user, moment) else None
    if project.exposure_per_day is None:
        return Allowance(left)
    budget, spent = project.exposure_per_day, exposure.spent(user, moment)
    if spent >= budget:
        return Allowance(0.0, Refusal(_(ENOUGH), until=exposure.day_of(moment)[1]))
    held, where = _held_elsewhere(project, user)
    if held and spent + held >= budget:
        return Allowance(0.0, Refusal(_(ELSEWHERE).format(name=where)))
    rest = float(budget - spent - held)
    return Allowance(rest if left is None else min(rest, left))


def is_mild_next(project: Project, user: User, moment: Moment) -> bool:
    """Whether this person's last answers of the day were all serious or grave, as many as the project allows in a row.

    An answer that was not ends the row, and so does the night.
    """
    n = project.severe_in_a_row or 0
    last = exposure.on_day_of(user, moment).order_by("-submitted_at", "-pk").values_list("exposure", flat=True)[:n]
    return len(last) == n and all(points >= Severity.SERIOUS for points in last)


def _held_elsewhere(project: Project, user: User) -> tuple[int, str]:
    """The most that pages can cost which this person holds in other projects, and the name of one such project."""
    held = Assignment.objects.filter(annotator=user, state=State.LEASED, project__archived_at=None)
    worst, where = 0, ""
    for name, schema_id in held.exclude(project=project).values_list("project__name", "schema"):
        labels = schemas.by_id(schema_id).asked if schema_id else ()
        most = max((label.severity or 0 for label in labels), default=0)
        worst, where = worst + most, name if most else where
    return worst, where
