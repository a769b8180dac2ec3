"""When a break is due: after so many minutes at work without a pause of five.

Work is the active time that answers carry, whatever project they are for; a pause is time between two answers that was
not active. Where a page was read without scripts nobody measured anything: the time since the answer before counts, if
it was no pause. Whoever puts a reminder away is left alone until as many minutes have passed again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.translation import ngettext

from labeling.models import Project, User

PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Stretch:
    """How long a person has been at it since their last pause, until when, and whether a break was proposed to them."""

    worked: timedelta = timedelta()
    until: datetime | None = None
    is_said: bool = False


def after_answer(stretch: Stretch, *, now: datetime, active: timedelta | None) -> Stretch:
    """With one more answer, that took so much active time."""
    if stretch.until is None:
        return Stretch(active or timedelta(), now)
    since = max(now - stretch.until, timedelta())
    if since - (active or timedelta()) >= PAUSE:
        return Stretch(active or timedelta(), now, stretch.is_said)
    spent = min(active or since, since)  # the same answer sent twice took its time once
    return replace(stretch, worked=stretch.worked + spent, until=now)


def put_away(*, now: datetime) -> Stretch:
    return Stretch(until=now)


def reminder(stretch: Stretch, project: Project, user: User, *, now: datetime) -> str:
    """The sentence that proposes a break; empty while none is due, or while one is being taken."""
    if not (project.break_after_minutes and user.break_reminders):
        return ""
    minutes = stretch.worked // timedelta(minutes=1)
    if minutes < project.break_after_minutes or (stretch.until and now - stretch.until >= PAUSE):
        return ""
    sentence = ngettext(
        "You have worked for %(n)s minute. A short pause is good for the eyes and for judgment.",
        "You have worked for %(n)s minutes. A short pause is good for the eyes and for judgment.",
        minutes,
    )
    return sentence % {"n": f"{minutes:,}"}
