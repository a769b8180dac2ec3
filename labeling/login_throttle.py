"""How often a password may be tried: five wrong ones for an account, more from an address, then a pause.

Nobody is kept out by what others try. Where a person has logged in before, only wrong passwords from that address count
against them; failures during a pause do not lengthen it; and a reset by e-mail ends it. django-axes keeps the counts.
"""

from datetime import timedelta
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from labeling.clients import address_of
from labeling.models import User

KNOWN_DAYS = 30  # so long an address stays known as one the person logs in from


class Throttle(AxesDatabaseHandler):  # type: ignore[misc]  # django-axes ships no types
    """What django-axes asks when a login is tried, fails or succeeds."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """AXES_FAILURE_LIMIT or more: wait. A school is one address, so an address reaches it ten times as late."""
        username = get_client_username(request, credentials)
        address = request.axes_ip_address  # type: ignore[attr-defined]  # by address_of, once a request
        recent = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
        here = recent.filter(ip_address=address)
        account = (here if is_known(username, address) else recent).filter(username=username)
        of_address = _total(here) * settings.AXES_FAILURE_LIMIT // settings.LOGIN_ADDRESS_LIMIT if address else 0
        return max(_total(account), of_address)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A success clears the account that logged in, and no other one tried from the same address."""
        return lift(get_client_username(request, credentials))


def _total(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(n=Sum("failures_since_start"))["n"] or 0


def is_known(username: str | None, address: str | None) -> bool:
    """Whether this person proved who they are from this address lately."""
    since = timezone.now() - timedelta(days=KNOWN_DAYS)
    known = AccessLog.objects.filter(username=username, ip_address=address, attempt_time__gte=since)
    return address is not None and known.exists()


def proves(request: HttpRequest, password: str) -> bool:
    """Whether the person of this session knows their password; wrong ones count as at the login."""
    name = request.user.get_username()
    return authenticate(request, username=name, password=password) == request.user


def lift(username: str | None) -> int:
    """End the pause of an account at once; returns how many counts were dropped."""
    return int(AccessAttempt.objects.filter(username=username).delete()[0])


def welcome(user: User, request: HttpRequest) -> None:
    """A person proved by e-mail who they are: the pause ends, and this address is known from now on."""
    lift(user.get_username())
    AccessLog.objects.create(username=user.get_username(), ip_address=address_of(request))


def forget_old() -> int:
    """Delete from where people logged in once it is no longer used; returns how many rows."""
    limit = timezone.now() - timedelta(days=KNOWN_DAYS)
    return int(AccessLog.objects.filter(attempt_time__lt=limit).delete()[0])
