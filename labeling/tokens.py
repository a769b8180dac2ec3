"""API tokens: made and ended by their owner; everybody's end when an operator says so."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from labeling.models import ApiToken, Event, User
from labeling.models.people import digest_of
from labeling.refusals import Unacceptable
from labeling.statements import Place, Select

DEFAULT_DAYS = 90
MAX_DAYS = 365


@transaction.atomic
def issue(
    user: User, *, name: str, scopes: list[str], expires_at: datetime | None = None, now: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can read again."""
    now = now or timezone.now()
    expires_at = expires_at or now + timedelta(days=DEFAULT_DAYS)
    if not now < expires_at <= now + timedelta(days=MAX_DAYS):
        raise _wrong("expires_at", f"A token ends in the future, at most {MAX_DAYS} days from now.")
    if not scopes or not set(scopes) <= set(ApiToken.SCOPES):
        raise _wrong("scopes", f"Choose what the token may do: {' or '.join(ApiToken.SCOPES)}, or both.")
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise _wrong("name", "Give the token a name of 1 to 80 characters, so that you know it again.")
    token, secret = ApiToken.issue(user, name=name, scopes=sorted(set(scopes)), expires_at=expires_at)
    Event.record("token.created", by=user, about=token, scopes=token.scopes)
    return token, secret


def is_sent(authorization: str) -> bool:
    """Whether this Authorization header names a token, a valid one or not."""
    return authorization.partition(" ")[0].lower() in {"token", "bearer"}


def sent_in(authorization: str) -> ApiToken | None:
    """The live token of an Authorization header, with its user; None when there is none or it is over."""
    if not is_sent(authorization):
        return None
    secret = authorization.partition(" ")[2].strip()
    token: ApiToken | None = _LIVE.first(digest=digest_of(secret), now=timezone.now())
    return token


# Asked by every call of a program.
_LIVE = Select(
    lambda: (
        ApiToken.objects.live(now=Place("now", DateTimeField()))
        .filter(digest=Place("digest", CharField()))
        .select_related("user")[:1]
    )
)


@transaction.atomic
def revoke(token: ApiToken, *, by: User) -> None:
    """End a token at once. Harmless when it is over already."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        Event.record("token.revoked", by=by, about=token)


def revoke_all(user: User, *, by: User) -> int:
    ended = ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    Event.record("token.all_revoked", by=by, about=user, tokens=ended)
    return ended


def _wrong(name: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, [{"pointer": f"/{name}", "detail": sentence}])
