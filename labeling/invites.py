"""Invitation links: made by a manager for one role of one project, spent once, over after some days."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling.models import Event, Invite, Membership, Project, User
from labeling.models.people import digest_of
from labeling.refusals import Refused

OVER = gettext_noop("This invitation was used, taken back or is over. Ask the person who sent it for a new one.")


@transaction.atomic
def create(project: Project, *, role: str, note: str, by: User) -> tuple[Invite, str]:
    """A new invitation and the secret of its link, which is kept nowhere."""
    secret = secrets.token_urlsafe(24)
    invite = Invite.objects.create(
        project=project,
        role=role,
        note=note.strip(),
        digest=digest_of(secret),
        created_by=by,
        expires_at=timezone.now() + timedelta(days=settings.INVITE_DAYS),
    )
    Event.record("invite.created", by=by, project=project, about=invite, role=role)
    return invite, secret


def find(secret: str) -> Invite:
    """The usable invitation behind this link. Raises Refused with a sentence when there is none."""
    invite = Invite.objects.usable().by_secret(secret).select_related("project").first()
    if invite is None:
        raise Refused(_(OVER))
    return invite


@transaction.atomic
def accept(invite: Invite, *, user: User) -> None:
    """Spend the invitation: one UPDATE decides between two people with the same link."""
    spent = Invite.objects.usable().filter(pk=invite.pk).update(used_at=timezone.now(), used_by=user)
    if not spent:
        raise Refused(_(OVER))
    Membership.objects.get_or_create(project=invite.project, user=user, role=invite.role)
    Event.record("invite.accepted", by=user, project=invite.project, about=invite, role=invite.role)


@transaction.atomic
def accept_as_new(invite: Invite, *, username: str, email: str, password: str) -> User:
    """Make the account the invitation is for. The password has passed the validators."""
    user = User.objects.create_user(username=username, email=email, password=password)
    accept(invite, user=user)
    return user


@transaction.atomic
def revoke(invite: Invite, *, by: User) -> None:
    if Invite.objects.open().filter(pk=invite.pk).update(revoked_at=timezone.now()):
        Event.record("invite.revoked", by=by, project=invite.project, about=invite)


def revoke_all(sender: User, *, by: User, project: Project | None = None) -> int:
    """Take back every open invitation of somebody who may no longer invite, here or anywhere. Returns how many."""
    open_ones = Invite.objects.open().filter(created_by=sender)
    ended = (open_ones if project is None else open_ones.filter(project=project)).update(revoked_at=timezone.now())
    if ended:
        Event.record("invite.all_revoked", by=by, project=project, about=sender, invites=ended)
    return ended
