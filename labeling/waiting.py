"""Why a person is given nothing."""

from dataclasses import replace
from datetime import UTC

from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling import desks, exposure, offers, skipping
from labeling.models import Assignment, Project, State, User
from labeling.withheld import Moment


def nothing_left(project: Project, *, annotator: User, now: Moment | None = None) -> str:
    """Why this person is given nothing, in a sentence that tells nothing about anyone's answers."""
    if project.archived_at is not None:
        return _("This project is archived: nobody is given its pages. A manager can restore it.")
    moment = now or Now()
    terms = desks.terms(project, annotator, now=now)
    if terms.refusal is not None:
        return terms.refusal.sentence
    if too_much := _too_much_for_today(project, annotator, terms, moment):
        return too_much
    reasons = [_with_others(project, annotator, moment), *_skipped(project, annotator, now)]
    if any(reasons):
        return " ".join([_("Nothing left for you."), *filter(None, reasons)])
    if Assignment.objects.filter(project=project, annotator=annotator, state=State.DONE).exists():
        return _("You have answered every page that waits for you. Thank you; new pages appear here by themselves.")
    return _("No pages are waiting yet. When a manager queues some, they appear here by themselves.")


def _with_others(project: Project, annotator: User, moment: Moment) -> str:
    held = Assignment.objects.filter(project=project, state=State.LEASED, available_at__gt=moment)
    pages = held.exclude(annotator=annotator).values("item").distinct().count()
    if not pages:
        return ""
    sentence = ngettext(
        "%(n)s page is with other people; this page looks again by itself.",
        "%(n)s pages are with other people; this page looks again by itself.",
        pages,
    )
    return sentence % {"n": f"{pages:,}"}


def _skipped(project: Project, annotator: User, now: Moment | None) -> tuple[str, str]:
    """What became of the pages this person skipped, as far as it is theirs to know."""
    back_at, aside = skipping.waits_for(project, annotator, now=now)
    back = _("A page you skipped comes back to you at %(time)s UTC.")
    waits = ngettext(
        "%(n)s page you skipped waits for a manager.", "%(n)s pages you skipped wait for a manager.", aside
    )
    return (
        back % {"time": f"{back_at.astimezone(UTC):%H:%M}"} if back_at else "",
        waits % {"n": f"{aside:,}"} if aside else "",
    )


def _too_much_for_today(project: Project, annotator: User, terms: desks.Terms, moment: Moment) -> str:
    """What waits until this person's day is over: how many pages, and not which nor why."""
    if terms.exposure_left is None:
        return ""
    free = replace(terms, exposure_left=None)
    waits = offers.admissible(offers.Wish(project, annotator, moment, free))
    budget = project.exposure_per_day
    ever = waits if budget is None else waits.filter(item__expected_exposure__lte=budget)
    tomorrow, in_all = (pages.values("item").distinct().count() for pages in (ever, waits))
    if tomorrow:
        sentence = ngettext(
            "%(n)s page waits that is expected to be grave; it can be given to you from %(time)s UTC.",
            "%(n)s pages wait that are expected to be grave; they can be given to you from %(time)s UTC.",
            tomorrow,
        )
        return sentence % {"n": f"{tomorrow:,}", "time": f"{exposure.day_of(moment)[1]:%H:%M}"}
    if in_all:
        sentence = ngettext(
            "%(n)s page waits that is expected to be graver than a whole day allows here. "
            "A manager of the project can help.",
            "%(n)s pages wait that are expected to be graver than a whole day allows here. "
            "A manager of the project can help.",
            in_all,
        )
        return sentence % {"n": f"{in_all:,}"}
    return ""
