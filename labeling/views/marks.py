"""Opaque names a page carries for the browser: whose page it is, and under which name unsent ticks are kept there.

They tell people and pages apart and nothing else: no id, stream or round can be read from them.
"""

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from labeling.models import Assignment, User
from labeling.refusals import Refused
from labeling.web import PersonRequest

LENGTH = 20


class SomeoneElse(Refused):
    """The page was opened by another person than the one logged in now (401)."""

    status = 401
    code = "someone_else"


def person_mark(person: User) -> str:
    return _mark("person", person.pk)


def place_mark(slot: Assignment) -> str:
    """One name for an item in one round, as drafts have it: a slot that was lost and another one share it."""
    return _mark("place", slot.item_id, slot.round)


def require_same_person(request: PersonRequest) -> None:
    """On a shared computer a page may still be open when someone else logs in: its answer is not theirs."""
    mark = request.POST.get("person")
    if mark and mark != person_mark(request.user):
        raise SomeoneElse(
            _("Someone else is logged in on this computer now. Your ticks stay here: log in as yourself in a new tab.")
        )


def _mark(kind: str, *parts: object) -> str:
    named = ":".join(str(part) for part in parts)
    return salted_hmac(f"touchstone.{kind}", named, algorithm="sha256").hexdigest()[:LENGTH]
