"""What happens to an account: its password, its rights in the installation, and its end."""

from django.db import transaction
from django.db.models import QuerySet

from labeling import assigning, invites, queue, sessions, tokens
from labeling.models import Event, Membership, Project, Role, User
from labeling.phrases import listed
from labeling.refusals import Refused

RIGHTS = ("may_create_projects", "is_superuser")


@transaction.atomic
def set_password(user: User, password: str, *, keep_session: str | None = None) -> None:
    """Every other session ends. The password has passed the validators."""
    user.set_password(password)
    user.save(update_fields=["password"])
    sessions.end_others(user, but=keep_session)
    Event.record("account.password_changed", by=user, about=user)


@transaction.atomic
def password_was_reset(user: User) -> None:
    """After a reset by e-mail: whoever knew the old password keeps nothing they opened or made with it."""
    sessions.end_others(user, but=None)
    tokens.revoke_all(user, by=user)
    Event.record("account.password_reset", by=user, about=user)


@transaction.atomic
def set_preferences(user: User, **values: object) -> None:
    """What a person chooses for themself. Their password was asked for before another e-mail address was taken."""
    before = User.objects.select_for_update().get(pk=user.pk).email
    for name, value in values.items():
        setattr(user, name, value)
    user.save(update_fields=list(values))
    if user.email != before:  # whoever reads that mail can reset the password: the trail says when it changed
        Event.record("account.email_changed", by=user, about=user)


@transaction.atomic
def deactivate(user: User, *, by: User) -> None:
    """Sessions, tokens, leases and invitations end at once; what the person judged stays."""
    if user.pk == by.pk:
        raise Refused("You cannot deactivate yourself. Ask another operator.")
    alone = [f"“{project}”" for project in _managed_alone(user)]
    if alone:
        raise Refused(f"Nobody else manages {listed(alone)}. Make someone else a manager there first.")
    User.objects.filter(pk=user.pk).update(is_active=False)
    sessions.end_others(user, but=None)
    tokens.revoke_all(user, by=by)
    invites.revoke_all(user, by=by)
    queue.release_all(user)
    assigning.leave_nothing_with(user)
    Event.record("account.deactivated", by=by, about=user)


def _managed_alone(user: User) -> QuerySet[Project]:
    """Projects in use whose only active manager this is; their rows are locked, as when a manager is removed."""
    managers = Membership.objects.filter(role=Role.MANAGER, user__is_active=True)
    mine = Project.objects.live().filter(pk__in=managers.filter(user=user).values("project"))
    list(mine.order_by("pk").select_for_update())
    return mine.exclude(pk__in=managers.exclude(user=user).values("project")).order_by("name")


@transaction.atomic
def reactivate(user: User, *, by: User) -> None:
    """The person may log in again. Tokens stay ended."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    Event.record("account.reactivated", by=by, about=user)


@transaction.atomic
def set_rights(user: User, *, by: User, may_create_projects: bool, is_superuser: bool) -> None:
    """Rights in the whole installation. Nobody takes their own operator right away by mistake."""
    if user.pk == by.pk and not is_superuser:
        raise Refused("You cannot take your own operator right away. Ask another operator.")
    User.objects.filter(pk=user.pk).update(
        may_create_projects=may_create_projects, is_superuser=is_superuser, is_staff=is_superuser
    )
    Event.record("account.rights_set", by=by, about=user, creator=may_create_projects, operator=is_superuser)
