"""Who is in a project, one row per role. A project never loses its last manager."""

from django.db import transaction
from django.db.models import QuerySet

from labeling import assigning, invites, queue, rules
from labeling.models import Event, Membership, Project, Role, User
from labeling.quotas import MAY_ANSWER
from labeling.refusals import Refused, Unacceptable
from labeling.settings_sections import Values


def of(project: Project) -> QuerySet[Membership]:
    return project.memberships.select_related("user").order_by("user__username", "role")


def grant(project: Project, *, user: User, role: str) -> bool:
    """Give the role; whether it is new."""
    return Membership.objects.get_or_create(project=project, user=user, role=role)[1]


@transaction.atomic
def add(project: Project, *, username: str, role: str, by: User | None) -> Membership:
    """Give a person a role. Harmless when they have it already."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        sentence = f"Nobody with an account is called “{username}”. Send an invitation instead."
        raise Unacceptable(sentence, [{"pointer": "/username", "detail": sentence}])
    if role not in Role.values:
        sentence = f"“{role}” is not a role. Roles are {', '.join(Role.values)}."
        raise Unacceptable(sentence, [{"pointer": "/role", "detail": sentence}])
    if grant(project, user=user, role=role):
        Event.record("member.added", by=by, project=project, about=user, role=role)
    return Membership.objects.select_related("user").get(project=project, user=user, role=role)


@transaction.atomic
def set_quotas(membership: Membership, values: Values, *, by: User) -> Membership:
    """How much this person may answer, where it is other than the project says; None follows the project again.

    Raises Unacceptable naming the first value that cannot be.
    """
    if membership.role not in MAY_ANSWER:
        raise Refused("Only annotators and adjudicators answer pages, so only they have a quota.")
    row = Membership.objects.select_for_update(of=("self",)).select_related("user", "project").get(pk=membership.pk)
    asked = {setting.name: setting.checked(values[setting.name]) for setting in rules.QUOTAS if setting.name in values}
    changed = {name: [getattr(row, name), value] for name, value in asked.items() if getattr(row, name) != value}
    if changed:
        for name, (_, value) in changed.items():
            setattr(row, name, value)
        row.save(update_fields=list(changed))
        Event.record("member.changed", by=by, project=row.project, about=row.user, role=row.role, changed=changed)
    return row


@transaction.atomic
def remove(membership: Membership, *, by: User) -> None:
    """Take a role away. It counts from the next request; pages the person held and links they sent end with it."""
    project = Project.objects.select_for_update().get(pk=membership.project_id)
    if membership.role == Role.MANAGER and not _another_manager(membership):
        raise Refused("A project keeps at least one manager. Make someone else a manager first.")
    membership.delete()
    if membership.role == Role.MANAGER:
        invites.revoke_all(membership.user, by=by, project=project)
    if not project.memberships.filter(user=membership.user, role__in=MAY_ANSWER).exists():
        queue.release_all(membership.user, project=project)
        assigning.leave_nothing_with(membership.user, project=project)
    elif membership.role == Role.ADJUDICATOR:
        assigning.leave_nothing_reserved(membership.user, project=project)
    Event.record("member.removed", by=by, project=project, about=membership.user, role=membership.role)


def _another_manager(membership: Membership) -> bool:
    """Deactivated people cannot manage, so they do not count."""
    managers = Membership.objects.filter(project=membership.project_id, role=Role.MANAGER, user__is_active=True)
    return managers.exclude(pk=membership.pk).exists()
