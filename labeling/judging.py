"""Answering: submit, revise, skip. What a complete answer is stands in `answers`, ticks before it in `drafts`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet, SmallIntegerField, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from labeling import (
    closing,
    consensus,
    exposure,
    lost_leases,
    pauses,
    probes,
    quotas,
    schemas,
    skipping,
)
from labeling.answers import Answer, verdicts_of
from labeling.drafts import drop_draft, save_draft
from labeling.models import Assignment, Draft, Event, Item, Judgment, Rater, State, Suggestion, User
from labeling.models.rules import SkipPolicy
from labeling.models.work import NOT_ASSESSABLE, PROBES, SkipReason
from labeling.refusals import Forbidden, LeaseLost, NotKept, Refused, Stale, Unacceptable
from labeling.slots import lock
from labeling.statements import Insert, Place, Select, Update
from labeling.withheld import Moment

ANSWERED = gettext_noop("You have answered this page already. Change your answer from My work.")
NOT_SKIPPED = gettext_noop(
    "Pages of this project are not skipped. Answer it, say that it cannot be judged, or give it back."
)
PASSED_ON = gettext_noop("You skipped this page, so this answer is not counted. Your ticks are kept.")
ELSEWHERE_TOO = gettext_noop(
    "This page cannot be answered any more, and you ticked it on another device meanwhile. The ticks of that device "
    "are kept; what you send now is not."
)
CHANGED = gettext_noop("You changed this answer in another place meanwhile: what you send now has not been recorded.")


# ---- what was asked ------------------------------------------------------------------------------------------------
def question_of(slot: Assignment, *, by: User) -> schemas.Schema:
    """The version of labels and guideline this person was shown on this slot: their answer is an answer to that."""
    return lost_leases.shown_to(by, slot)


def asked_of(slot: Assignment, *, by: User) -> tuple[str, ...]:
    """The keys of the labels this person was asked."""
    return tuple(slot.asked or question_of(slot, by=by).keys)


# ---- submit ---------------------------------------------------------------------------------------------------------
def submit(
    slot: Assignment, *, by: User, answer: Answer, source: str = Judgment.Source.APP, seen: str | None = None,
    now: Moment | None = None,
) -> Judgment:  # fmt: skip
    """Record a complete judgment on the labels this person was shown, and close the slot.

    Raises Unacceptable when the answer is not complete, Refused for a second answer to the same page, and LeaseLost
    when the slot is someone else's now and no other slot of the item is free; the ticks are then kept as a draft, upon
    the version of it that was `seen`, or NotKept says that another device has saved others.
    """

    def verdicts(schema: schemas.Schema) -> dict[str, str]:
        return verdicts_of(answer, asked=tuple(slot.asked or schema.keys), schema=schema)

    return _record(slot, by=by, answer=answer, verdicts=verdicts, source=source, seen=seen, now=now)


def not_assessable(
    slot: Assignment,
    *,
    by: User,
    reason: str,
    note: str = "",
    source: str = Judgment.Source.APP,
    now: Moment | None = None,
) -> Judgment:
    """Record that this page cannot be judged (dead, login, language): an outcome, with no verdict on any label."""
    if reason not in NOT_ASSESSABLE:
        raise Unacceptable(_("Say why the page cannot be judged: dead, login or language."),
                           [{"pointer": "/reason", "detail": "One of dead, login, language."}])  # fmt: skip
    return _record(
        slot, by=by, answer=Answer(note=note or _in_english(SkipReason(reason))), verdicts=lambda _schema: {},
        source=source, outcome=Judgment.Outcome.NOT_ASSESSABLE, now=now,
    )  # fmt: skip


def _in_english(reason: SkipReason) -> str:
    """What is kept is kept in one language, whoever reads it later."""
    with override("en"):
        return str(reason.label)


def _record(
    slot: Assignment,
    *,
    by: User,
    answer: Answer,
    verdicts: Callable[[schemas.Schema], dict[str, str]],
    source: str,
    outcome: str = Judgment.Outcome.JUDGED,
    seen: str | None = None,
    now: Moment | None = None,
) -> Judgment:
    shown = question_of(slot, by=by)
    try:
        with transaction.atomic():
            ground = _lock_for(slot, by)
            if ground.has_answered:
                raise Refused(_(ANSWERED))
            said = verdicts(shown)
            slot = _close(slot, by=by, shown=shown, now=now)
            moment = now if isinstance(now, datetime) else ground.moment
            judgment = Judgment(
                item_id=slot.item_id, rater=ground.rater, assignment=slot, schema_id=shown.id,
                snapshot_id=slot.snapshot_id, purpose=slot.purpose, round=slot.round, source=source, outcome=outcome,
                verdicts=said, confidence=answer.confidence, note=answer.note, exposure=exposure.points(said, shown),
                active_seconds=answer.active_seconds, wall_seconds=_since(slot.leased_at, moment), submitted_at=moment,
                saw_suggestion=ground.saw_suggestion,
            )  # fmt: skip
            _RECORD.run(judgment)
            if ground.has_draft:
                drop_draft(slot, by)
            if slot.purpose not in PROBES:  # those say nothing of the page
                consensus.refresh(slot.item, project=slot.project, may_ask=True)
            pauses.after_answer(judgment, project=slot.project, by=by)
    except LeaseLost:
        if outcome == Judgment.Outcome.JUDGED:  # that nobody can judge it is no tick: it would overwrite those kept
            _keep_ticks(slot, by, answer, seen)
        raise
    return judgment


def _keep_ticks(slot: Assignment, by: User, answer: Answer, seen: str | None) -> None:
    try:
        save_draft(slot, by=by, answer=answer, seen=seen)
    except Stale as stale:
        raise NotKept(_(ELSEWHERE_TOO), **stale.extra) from stale


_RECORD = Insert(Judgment)


def _since(leased_at: datetime | None, moment: datetime) -> float | None:
    """How long the page was out; unknown for an answer that came late and took a slot at the moment it came."""
    if leased_at is None or moment <= leased_at:
        return None
    return (moment - leased_at).total_seconds()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an answer stands on, read by the statement that takes the item's lock."""

    moment: datetime  # of the database's clock
    rater: Rater
    has_draft: bool
    has_answered: bool
    saw_suggestion: bool


def _answers(item: Any, turn: Any, by: Any) -> QuerySet[Assignment]:
    """This person's answered slots of a round."""
    return Assignment.objects.filter(item=item, round=turn, annotator=by, state=State.DONE)


def _ground(item: Any, by: Any, turn: Any) -> QuerySet[Item, Any]:
    raters = Rater.objects.filter(project=OuterRef("project"), user=by)
    drafts = Draft.objects.filter(annotator=by, item=OuterRef("pk"), round=turn)
    shown = Suggestion.objects.filter(annotator=by, item=OuterRef("pk"), round=turn, is_shown=True)
    return (
        Item.objects.filter(pk=item)
        .select_for_update(no_key=True)
        .annotate(
            moment=Now(),
            rater=Subquery(raters.values("pk")),
            code=Subquery(raters.values("code")),
            has_draft=Exists(drafts),
            has_answered=Exists(_answers(OuterRef("pk"), turn, by)),
            saw_suggestion=Exists(shown),
        )
        .values_list("moment", "rater", "code", "has_draft", "has_answered", "saw_suggestion")
    )


_ITEM, _SLOT, _BY, _SHOWN = (Place(name, BigIntegerField()) for name in ("item", "slot", "by", "shown"))
_ROUND = Place("round", SmallIntegerField())
_GROUND = Select(lambda: _ground(_ITEM, _BY, _ROUND))


def _lock_for(slot: Assignment, by: User) -> _Ground:
    """As `lock`, and in the same round trip what the answer needs to know.

    Where the lock is waited for, PostgreSQL tells how things stood before the wait: what another tab of this person did
    in that moment does not show. `_close` finds that out.
    """
    [(moment, rater, code, *rest)] = _GROUND.rows(item=slot.item_id, by=by.pk, round=slot.round)
    known = Rater(pk=rater, project_id=slot.project_id, user=by, code=code or "")
    return _Ground(moment, known if rater else Rater.objects.of(slot.project, by), *rest)


_CLOSE = Update(
    lambda: (
        Assignment.objects.filter(pk=_SLOT, annotator=_BY, state=State.LEASED),
        {"state": State.DONE, "available_at": None, "schema": _SHOWN},
    )
)


def _close(slot: Assignment, *, by: User, shown: schemas.Schema, now: Moment | None) -> Assignment:
    """One UPDATE: one row, or the slot is gone. A late answer may take another free slot of the same round."""
    if _CLOSE.run(slot=slot.pk, by=by.pk, shown=shown.id):
        return slot
    mine = Assignment.objects.filter(item=slot.item_id, round=slot.round, annotator=by, state=State.LEASED)
    another = mine.first()  # the page came back to this person by another of its slots
    if another is not None:
        _CLOSE.run(slot=another.pk, by=by.pk, shown=shown.id)
        return another
    if _answers(slot.item_id, slot.round, by).exists():
        raise Refused(_(ANSWERED))
    if skipping.is_passed_on(slot, by=by, now=now):
        raise LeaseLost(_(PASSED_ON))
    fits = quotas.has_room(slot.project, by, moment=now or Now())  # or a late answer would be one more than a quota
    another = lost_leases.close_another(slot, by=by, shown=shown, now=now) if fits else None
    if another is None:
        raise lost_leases.why(slot)
    return another


# ---- revise ---------------------------------------------------------------------------------------------------------
def version_of(judgment: Judgment) -> str:
    """Changes with every revision; what was read under one version is not overwritten under another."""
    return f"{judgment.pk}.{judgment.revision}"


@transaction.atomic
def revise(
    judgment: Judgment, *, by: User, answer: Answer, seen_version: str | None = None, now: Moment | None = None
) -> Judgment:
    """Append a corrected answer; the old one is superseded, never changed. Until adjudicated or released.

    `judgment` may be any revision of the answer. The same correction sent twice is one. Raises Stale with both versions
    when the answer in force is not the one that was seen.
    """
    lock(judgment.item_id)
    closing.require_open(judgment)
    head = in_force(judgment)
    if head is None:
        raise Refused(_("This answer is not counted any more, so there is nothing to change."))
    schema = schemas.by_id(head.schema_id)
    verdicts = verdicts_of(answer, asked=tuple(head.verdicts or schema.keys), schema=schema)
    if (seen_version or version_of(judgment)) != version_of(head):
        if _says(head, verdicts, answer):
            return head
        raise _stale(head, answer)
    moment = now or Now()
    Judgment.objects.filter(pk=head.pk).update(superseded_at=moment)
    revised = Judgment.objects.create(
        item_id=head.item_id, rater_id=head.rater_id, assignment_id=head.assignment_id, schema_id=head.schema_id,
        snapshot_id=head.snapshot_id, purpose=head.purpose, round=head.round, source=head.source,
        outcome=Judgment.Outcome.JUDGED, verdicts=verdicts, confidence=answer.confidence, note=answer.note,
        active_seconds=head.active_seconds if answer.active_seconds is None else answer.active_seconds,
        wall_seconds=head.wall_seconds, submitted_at=moment, supersedes=head, revision=head.revision + 1,
        exposure=exposure.points(verdicts, schema), saw_suggestion=head.saw_suggestion,
    )  # fmt: skip
    item = Item.objects.select_related("project").get(pk=head.item_id)
    Event.record("judgment.revised", by=by, project=item.project, about=revised, supersedes=head.pk)
    if head.purpose not in PROBES:
        consensus.refresh(item, project=item.project, may_ask=True)
    revised.refresh_from_db(fields=["submitted_at"])
    return revised


def in_force(judgment: Judgment) -> Judgment | None:
    """The revision that counts now of the answer this one belongs to."""
    same = Judgment.objects.current().filter(item=judgment.item_id, rater=judgment.rater_id, round=judgment.round)
    return same.select_related("item__project", "rater").first()


def _says(judgment: Judgment, verdicts: dict[str, str], answer: Answer) -> bool:
    said = (judgment.verdicts, judgment.confidence, judgment.note)
    return judgment.outcome == Judgment.Outcome.JUDGED and said == (verdicts, answer.confidence, answer.note)


def _stale(head: Judgment, answer: Answer) -> Stale:
    theirs = {
        "id": head.pk,
        "outcome": head.outcome,
        "yes": head.yes,
        "unsure": head.unsure,
        "none": head.outcome == Judgment.Outcome.JUDGED and not (head.yes or head.unsure),
        "confidence": head.confidence or None,
        "note": head.note,
    }
    return Stale(_(CHANGED), theirs=theirs, mine=answer.as_draft(), version=version_of(head))


# ---- skip -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def skip(slot: Assignment, *, by: User, reason: str = SkipReason.RATHER_NOT, now: Moment | None = None) -> None:
    """Pass the page on, as the project lets people. "I would rather not" is never counted against anyone.

    Raises Forbidden where pages are not skipped, and Refused when this person has answered the page already.
    """
    if not slot.project.may_skip:
        raise Forbidden(_(NOT_SKIPPED))
    if reason not in SkipReason.values:
        raise Unacceptable(_("This reason is not known."),
                           [{"pointer": "/reason", "detail": f"One of {', '.join(SkipReason.values)}."}])  # fmt: skip
    lock(slot.item_id)
    if Assignment.objects.filter(item=slot.item_id, round=slot.round, annotator=by, state=State.DONE).exists():
        raise Refused(_(ANSWERED))
    skipping.pass_on(slot, by=by, reason=reason, now=now)
    if slot.project.skip_policy != SkipPolicy.BACK:  # what comes back is gone on with
        drop_draft(slot, by)
    probes.passed_on(slot, by=by)
    pauses.after_skip(slot.project, by=by, reason=reason)
