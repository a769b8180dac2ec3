"""Where people are logged in: remembered at login, shown to their owner, ended by them or by what they change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from labeling import login_throttle
from labeling.clients import address_of
from labeling.models import User, UserSession

SEEN_EVERY_SECONDS = 300  # "last seen" is this coarse, so that nearly every request is spared the write
HEALTH = ("/healthz", "/readyz", "/metrics")
FRESH_SECONDS = 30 * 60  # after that the admin site asks for the password again before it changes something


def remember(sender: object, request: HttpRequest, user: User, **_signal: object) -> None:
    """Note that this session belongs to this person. Django has given it a new key just before."""
    session = request.session
    now = timezone.now()
    session["logged_in_at"] = session["seen_at"] = now.timestamp()
    if not session.session_key:
        session.create()
    UserSession.objects.update_or_create(
        session_key=session.session_key,
        defaults={
            "user": user,
            "created_at": now,
            "last_seen_at": now,
            "address": address_of(request),
            "agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        },
    )


def renamed(request: HttpRequest, old_key: str | None) -> None:
    """The session goes on under a new key."""
    UserSession.objects.filter(session_key=old_key).update(session_key=request.session.session_key)


def fresh(request: HttpRequest) -> bool:
    """Whether the password was given in this session a short while ago."""
    since: float = request.session.get("logged_in_at", 0)
    return timezone.now().timestamp() - since < FRESH_SECONDS


def of(user: User) -> QuerySet[UserSession]:
    """Sessions of this person that still work."""
    live = Session.objects.filter(expire_date__gt=timezone.now())
    return UserSession.objects.filter(user=user, session_key__in=live.values("session_key"))


@transaction.atomic
def end(chosen: QuerySet[UserSession]) -> int:
    """End these sessions: their next request is a stranger's. Returns how many."""
    keys = list(chosen.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)


def end_others(user: User, *, but: str | None) -> int:
    return end(UserSession.objects.filter(user=user).exclude(session_key=but or ""))


def forget_expired() -> int:
    """Delete sessions that are over and what names them; returns how many. Old places of login are forgotten too."""
    login_throttle.forget_old()
    Session.objects.filter(expire_date__lte=timezone.now()).delete()
    live = Session.objects.filter(expire_date__gt=timezone.now())
    return UserSession.objects.exclude(session_key__in=live.values("session_key")).delete()[0]


class LastSeen:
    """Middleware: ends a session some days after its login, and notes now and then that one is in use.

    Not for the health pages: they answer without a database, whatever cookie comes along.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.session.session_key or request.path in HEALTH:
            return self.get_response(request)
        now = timezone.now()
        if SESSION_KEY in request.session and is_too_old(request, now):
            logout(request)
        seen_at = request.session.get("seen_at")
        if seen_at is not None and now - timedelta(seconds=SEEN_EVERY_SECONDS) > _at(seen_at):
            request.session["seen_at"] = now.timestamp()
            UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)
        return self.get_response(request)


def is_too_old(request: HttpRequest, now: datetime) -> bool:
    """Use keeps a session alive, but not for ever: whoever sits at a forgotten screen is asked again."""
    return now - timedelta(days=settings.SESSION_MAX_DAYS) >= _at(request.session.get("logged_in_at", 0))


def _at(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=UTC)
