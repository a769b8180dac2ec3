"""Who may do what: users, their roles in projects, invitations, tokens, and the pseudonym each judges under."""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, models
from django.db.models import Exists, Expression, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from labeling.models.projects import Project


def digest_of(secret: str) -> str:
    """Hex SHA-256 of a random secret of >= 128 bits: no salt or stretching is needed at that entropy."""
    return hashlib.sha256(secret.encode()).hexdigest()


class User(AbstractUser):
    may_create_projects = models.BooleanField(default=False)
    single_keys = models.BooleanField(default=True)  # WCAG 2.1.4: one-letter keys can be switched off
    cover_pages = models.BooleanField(default=False)  # "cover every page until I ask"
    greyscale = models.BooleanField(default=False)  # pages of work in grey
    blur_text = models.BooleanField(default=False)  # text out of focus until pointed at: a taste, no protection
    break_reminders = models.BooleanField(default=True)
    daily_goal = models.PositiveSmallIntegerField(null=True, blank=True)
    shows_figures = models.BooleanField(default=True)  # today's count, goal and pace beside the work
    language = models.CharField(max_length=8, blank=True)  # of the pages of this tool; empty: as the browser asks

    def roles_in(self, project: "Project") -> frozenset[str]:
        return frozenset(self.memberships.filter(project=project).values_list("role", flat=True))


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    ANNOTATOR = "annotator", "Annotator"
    ADJUDICATOR = "adjudicator", "Adjudicator"
    MANAGER = "manager", "Manager"


class Membership(models.Model):
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    # Of an annotator or adjudicator, where it is other than the project's
    quota_per_day = models.PositiveIntegerField(null=True, blank=True)
    quota_total = models.PositiveIntegerField(null=True, blank=True)
    quota_share = models.FloatField(null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "role"], name="one_membership_per_role"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class InviteQuerySet(models.QuerySet["Invite"]):
    def open(self, *, now: datetime | None = None) -> Self:
        """Neither used, nor taken back, nor over."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=now or timezone.now())

    def usable(self, *, now: datetime | None = None) -> Self:
        """Open, and from somebody who may still invite: a link gives no more than its sender has.

        The sender stands in a subquery of its own: one UPDATE of these rows then looks at them as they are, not as they
        were before it waited for another.
        """
        senders = User.objects.filter(pk=OuterRef("created_by"), is_active=True).filter(
            Q(is_superuser=True) | Q(memberships__project=OuterRef("project"), memberships__role=Role.MANAGER)
        )
        return self.open(now=now).filter(Exists(senders))

    def by_secret(self, secret: str) -> Self:
        return self.filter(digest=digest_of(secret))


class Invite(models.Model):
    """A link that makes one account, or adds one role to an existing one, and then is spent."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="invites")
    role = models.CharField(max_length=12, choices=Role.choices)
    note = models.CharField(max_length=200, blank=True)  # for whom, in the manager's words
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="invite_role_known")]

    def __str__(self) -> str:
        return f"invitation of a {self.role} to {self.project}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def live(self, *, now: datetime | Expression | None = None) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=now or timezone.now(), user__is_active=True)

    def by_secret(self, secret: str) -> Self:
        return self.filter(digest=digest_of(secret))


class ApiToken(models.Model):
    """A token is its user, narrowed by scopes. The secret is shown once; only its digest is kept."""

    PREFIX = "ts_"
    SCOPES = ("read", "write")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=12)  # the first characters, so that its owner recognises it in a list
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"token {self.hint}… of {self.user}"

    @classmethod
    def issue(cls, user: User, *, name: str, scopes: list[str], expires_at: datetime) -> tuple["ApiToken", str]:
        """A new token and its secret, which nobody can read again."""
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            hint=secret[:9],
            digest=digest_of(secret),
            scopes=sorted(scopes),
            expires_at=expires_at,
        )
        return token, secret


CODE_BYTES = (3, 4)  # of a pseudonym, in one draw after another
UNIQUE_BYTES = 16


class RaterQuerySet(models.QuerySet["Rater"]):
    def of(self, project: "Project", user: User) -> "Rater":
        """The pseudonym this person judges under in this project, made at first need."""
        rater: Rater | None = self.filter(project=project, user=user).first()
        return rater or self._made(project, user)

    def _made(self, project: "Project", user: User) -> "Rater":
        """A pseudonym is short, to be read and said: somebody else may have drawn the same."""
        for n_bytes in CODE_BYTES:
            with suppress(IntegrityError):
                return self._drawn(project, user, n_bytes)
        return self._drawn(project, user, UNIQUE_BYTES)

    def _drawn(self, project: "Project", user: User, n_bytes: int) -> "Rater":
        code = f"r{secrets.token_hex(n_bytes)}"
        return self.get_or_create(project=project, user=user, defaults={"code": code})[0]


class Rater(models.Model):
    """A judge of one project under a pseudonym: a person with an account, or a rater known only from an import."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="raters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="raters")
    code = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=timezone.now)

    objects = RaterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="one_rater_per_code"),
            models.UniqueConstraint(fields=["project", "user"], name="one_rater_per_user"),
        ]

    def __str__(self) -> str:
        return self.code


class UserSession(models.Model):
    """Where a person is logged in: the session store keeps no user, so that its owner could not find and end it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="logins")
    session_key = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"
