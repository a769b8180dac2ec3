"""What an adjudicator may ask before deciding: the person who gave an answer once more, or one more person.

An answer is sent back with a word, and answered once more by whoever gave it, in a round of its own. The second answer
is no vote and agreement goes without it: the adjudicator sees it beside the first. While it waits, so does the page.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from labeling import adjudication, consensus, one_more, slots
from labeling.adjudication import Case
from labeling.decisions import MAX_NOTE
from labeling.models import (
    Assignment,
    Event,
    Item,
    Judgment,
    Membership,
    OpenedCase,
    Purpose,
    Role,
    Selection,
    SentBack,
    Stream,
    User,
)
from labeling.models.work import PROBES
from labeling.refusals import Refused, Unacceptable

DECIDED = "This page is decided: re-open it before you ask about it again."
UNSEEN = "Chance drew this page to be decided without a look at the answers, so nobody is asked about it."
NO_ANSWER = "Choose one of the answers to this page."
SENT_ALREADY = "This answer was sent back once already: decide, or ask one more person."
GONE = "Whoever gave this answer cannot be asked again: decide, or ask one more person."
NOBODY_LEFT = "Nobody is left who could be asked: decide, leave it for later, or give somebody the role of annotator."
SAY_WHY = "Say in a few words what to look at again: the message goes to whoever gave the answer."


@transaction.atomic
def send_back(item: Item, *, by: User, judgment_id: int, message: str, seen_version: str) -> SentBack:
    """Ask whoever gave this answer for the labels in conflict once more. Raises as `adjudication.decide` does."""
    message = message.strip()
    if not message or len(message) > MAX_NOTE:
        sentence = f"A message holds {MAX_NOTE:,} characters." if message else SAY_WHY
        raise Unacceptable(sentence, [{"pointer": "/message", "detail": sentence}])
    case = _askable(item, by=by, seen_version=seen_version)
    answer = Judgment.objects.votes().filter(item=item, pk=judgment_id).select_related("rater", "assignment").first()
    if answer is None:
        raise Unacceptable(NO_ANSWER, [{"pointer": "/judgment", "detail": NO_ANSWER}])
    _require_askable(answer)
    slot = _open_again(case, answer)
    sent = SentBack.objects.create(slot=slot, judgment=answer, by=by, message=message, labels=slot.asked)
    Event.record(
        "adjudication.sent_back", by=by, project=case.item.project, about=sent, item=case.item.public_id,
        judgment=answer.pk, labels=sent.labels, message=message,
    )  # fmt: skip
    OpenedCase.objects.get_or_create(item=case.item, person=by)
    return sent


@transaction.atomic
def ask_one_more(item: Item, *, by: User, seen_version: str) -> Assignment:
    """Open one slot more; the page waits until it is answered. Raises Refused where nobody is left to be asked."""
    case = _askable(item, by=by, seen_version=seen_version)
    # Before the slot opens, or whoever asks would count as somebody who can be asked.
    OpenedCase.objects.get_or_create(item=case.item, person=by)
    slot = one_more.open_slot(case.item.project, case.item.pk, purpose=Purpose.ADDED) or _first_slot(case)
    if slot is None:
        raise Refused(NOBODY_LEFT)
    Event.record(
        "adjudication.asked_more", by=by, project=case.item.project, about=slot, item=case.item.public_id,
    )  # fmt: skip
    consensus.refresh(case.item, project=case.item.project)
    return slot


def _askable(item: Item, *, by: User, seen_version: str) -> Case:
    case = adjudication.lock_case(item, by=by, seen_version=seen_version)
    if case.is_unseen:
        raise Refused(UNSEEN)
    if case.state != consensus.DISPUTED:
        raise Refused(DECIDED)
    return case


def _first_slot(case: Case) -> Assignment | None:
    """For a page that nobody was ever asked about here, as its answers were brought along."""
    item = case.item
    if Assignment.objects.filter(item=item).exclude(purpose__in=PROBES).exists():
        return None
    slots.open_up(item.project, [_selection(item, None)], overlap=1, purpose=Purpose.ADDED)
    return Assignment.objects.get(item=item, purpose=Purpose.ADDED)


def _require_askable(answer: Judgment) -> None:
    if SentBack.objects.filter(judgment=answer).exists():
        raise Refused(SENT_ALREADY)
    person = answer.rater.user_id
    here = Membership.objects.filter(
        project=answer.rater.project_id, user=person, role__in=[Role.ANNOTATOR, Role.ADJUDICATOR], user__is_active=True
    )
    knows = OpenedCase.objects.filter(item=answer.item_id, person=person)
    if person is None or not here.exists() or knows.exists():
        raise Refused(GONE)


def _open_again(case: Case, answer: Judgment) -> Assignment:
    item, asked = case.item, _asked_again(case, answer)
    rounds = Assignment.objects.filter(item=item).exclude(purpose__in=PROBES).aggregate(last=Max("round"))
    first = answer.assignment
    return Assignment.objects.create(
        project=item.project, item=item, purpose=Purpose.REJUDGE, round=(rounds["last"] or answer.round) + 1, slot=1,
        asked=asked, selection=_selection(item, first), snapshot_id=item.snapshot_id, assigned_to=answer.rater.user,
        priority=first.priority if first else 0, shuffle=first.shuffle if first else 0,
    )  # fmt: skip


def _asked_again(case: Case, answer: Judgment) -> list[str]:
    given: Sequence[str] = [key for key in case.conflict if key in answer.verdicts]
    return list(given or case.conflict)


def _selection(item: Item, first: Assignment | None) -> Selection:
    if first is not None:
        return first.selection
    known = item.selections.order_by("pk").first()
    return known or Selection.objects.create(item=item, stream=Stream.AUDIT, reason="sent back")
