"""Answering: draft, submit, revise, skip. An answer is complete: every asked label has a verdict."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from labeling import consensus, queue, schemas
from labeling.models import Assignment, Draft, Event, Item, Judgment, Rater, Skip, State, User
from labeling.models.work import NOT_ASSESSABLE, SkipReason
from labeling.refusals import LeaseLost, Refused, Unacceptable

MAX_NOTE = 5_000
CONFIDENCES = ("", "low", "medium", "high")
LOST = "This page went to someone else while it was open. Your ticks are kept; nothing more to do."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person ticked. `none` says on purpose that no label holds; silence is not an answer."""

    yes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    none: bool = False
    confidence: str = ""
    note: str = ""
    active_seconds: float | None = None
    draft: dict[str, Any] = field(default_factory=dict, compare=False)

    def as_draft(self) -> dict[str, Any]:
        return {
            "yes": list(self.yes),
            "unsure": list(self.unsure),
            "none": self.none,
            "confidence": self.confidence or None,
            "note": self.note,
        }


def verdicts_of(answer: Answer, *, asked: tuple[str, ...], schema: schemas.Schema) -> dict[str, str]:
    """{label key: "yes" | "no" | "unsure"} for every asked label. Raises Unacceptable with a sentence per fault."""
    faults = _faults(answer, set(asked), schema)
    if faults:
        raise Unacceptable(faults[0]["detail"], faults)
    return {key: "yes" if key in answer.yes else "unsure" if key in answer.unsure else "no" for key in asked}


def _faults(answer: Answer, asked: set[str], schema: schemas.Schema) -> list[dict[str, str]]:
    faults = []
    for name, keys in (("yes", answer.yes), ("unsure", answer.unsure)):
        unknown = sorted(set(keys) - asked)
        if unknown:
            faults.append({"pointer": f"/{name}", "detail": f"Not a label of this page: {', '.join(unknown)[:200]}."})
    both = sorted(set(answer.yes) & set(answer.unsure))
    if both:
        faults.append({"pointer": "/unsure", "detail": f"Yes and unsure at once: {', '.join(both)}. Choose one."})
    if answer.none and (answer.yes or answer.unsure):
        faults.append({"pointer": "/none", "detail": "None of these was ticked beside a label. Choose one of the two."})
    if not (answer.none or answer.yes or answer.unsure):
        faults.append({"pointer": "/yes", "detail": "Choose at least one label, or None of these."})
    for group in schema.exclusive_groups:
        chosen = [key for key in group if key in answer.yes]
        if len(chosen) > 1:
            names = " and ".join(schema.names(chosen))
            faults.append({"pointer": "/yes", "detail": f"{names} exclude each other. Choose one."})
    if answer.confidence not in CONFIDENCES:
        faults.append({"pointer": "/confidence", "detail": "Confidence is low, medium or high."})
    if len(answer.note) > MAX_NOTE:
        faults.append({"pointer": "/note", "detail": f"A note holds {MAX_NOTE:,} characters."})
    return faults


# ---- drafts ---------------------------------------------------------------------------------------------------------
def save_draft(slot: Assignment, *, by: User, answer: Answer) -> Draft:
    """Keep ticks that are not submitted. Taken even after the lease is lost."""
    if len(answer.note) > MAX_NOTE:
        raise Unacceptable(f"A note holds {MAX_NOTE:,} characters.", [{"pointer": "/note", "detail": "Too long."}])
    draft, _ = Draft.objects.update_or_create(
        annotator=by, item_id=slot.item_id, round=slot.round, defaults={"answer": answer.as_draft(), "saved_at": Now()}
    )
    draft.refresh_from_db(fields=["saved_at"])
    return draft


def draft_of(slot: Assignment, *, by: User) -> Draft | None:
    if getattr(slot, "has_draft", True) is False:  # known since the lease: no query for what is not there
        return None
    return Draft.objects.filter(annotator=by, item_id=slot.item_id, round=slot.round).first()


def _drop_draft(slot: Assignment, by: User) -> None:
    Draft.objects.filter(annotator=by, item_id=slot.item_id, round=slot.round).delete()


# ---- submit ---------------------------------------------------------------------------------------------------------
def submit(
    slot: Assignment, *, by: User, answer: Answer, source: str = Judgment.Source.APP, now: queue.Moment | None = None
) -> Judgment:
    """Record a complete judgment and close the slot.

    Raises Unacceptable when the answer is not complete, and LeaseLost when the slot is someone else's now and no other
    slot of the item is free; the ticks are then kept as a draft.
    """

    def verdicts(schema: schemas.Schema) -> dict[str, str]:
        return verdicts_of(answer, asked=tuple(slot.asked or schema.keys), schema=schema)

    return _record(slot, by=by, answer=answer, verdicts=verdicts, source=source, now=now)


def not_assessable(
    slot: Assignment,
    *,
    by: User,
    reason: str,
    note: str = "",
    source: str = Judgment.Source.APP,
    now: queue.Moment | None = None,
) -> Judgment:
    """Record that this page cannot be judged (dead, login, language): an outcome, with no verdict on any label."""
    if reason not in NOT_ASSESSABLE:
        raise Unacceptable("Say why the page cannot be judged: dead, login or language.",
                           [{"pointer": "/reason", "detail": "One of dead, login, language."}])  # fmt: skip
    return _record(
        slot, by=by, answer=Answer(note=note or str(SkipReason(reason).label)), verdicts=lambda _schema: {},
        source=source, outcome=Judgment.Outcome.NOT_ASSESSABLE, now=now,
    )  # fmt: skip


def _record(
    slot: Assignment,
    *,
    by: User,
    answer: Answer,
    verdicts: Callable[[schemas.Schema], dict[str, str]],
    source: str,
    outcome: str = Judgment.Outcome.JUDGED,
    now: queue.Moment | None = None,
) -> Judgment:
    try:
        with transaction.atomic():
            ground = _lock_for(slot, by)
            answered = verdicts(ground.schema)
            slot = _close(slot, by=by, now=now)
            judgment = Judgment.objects.create(
                item_id=slot.item_id, rater=ground.rater, assignment=slot, schema_id=ground.schema.id,
                snapshot_id=slot.snapshot_id, purpose=slot.purpose, round=slot.round, source=source, outcome=outcome,
                verdicts=answered, confidence=answer.confidence, note=answer.note,
                active_seconds=answer.active_seconds, submitted_at=ground.moment if now is None else now,
            )  # fmt: skip
            if ground.has_draft:
                _drop_draft(slot, by)
            consensus.refresh(slot.item, project=slot.project)
    except LeaseLost:
        save_draft(slot, by=by, answer=answer)
        raise
    return judgment


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an answer stands on, read by the statement that takes the item's lock."""

    moment: datetime  # of the database's clock
    rater: Rater
    schema: schemas.Schema
    has_draft: bool


def _lock_for(slot: Assignment, by: User) -> _Ground:
    """As `lock`, and in the same round trip what the answer needs to know; none of it can change under the lock."""
    raters = Rater.objects.filter(project=OuterRef("project"), user=by)
    drafts = Draft.objects.filter(annotator=by, item=OuterRef("pk"), round=slot.round)
    found = (
        Item.objects.filter(pk=slot.item_id)
        .select_for_update()
        .annotate(
            moment=Now(),
            rater=Subquery(raters.values("pk")),
            code=Subquery(raters.values("code")),
            schema=schemas.newest_of("project"),
            has_draft=Exists(drafts),
        )
        .values("project_id", "moment", "rater", "code", "schema", "has_draft")
        .get()
    )
    known = Rater(pk=found["rater"], project_id=found["project_id"], user=by, code=found["code"] or "")
    rater = known if found["rater"] else Rater.objects.of(slot.project, by)
    return _Ground(found["moment"], rater, schemas.by_id(found["schema"]), found["has_draft"])


def lock(item_id: int) -> None:
    """Take the item's lock first, always: completion, dispute and adaptive slots are decided under it."""
    rows: QuerySet[Item] = Item.objects.filter(pk=item_id)
    rows.select_for_update().values_list("pk").get()


def _close(slot: Assignment, *, by: User, now: queue.Moment | None) -> Assignment:
    """One UPDATE: one row, or the slot is gone. A late answer may take another free slot of the same round."""
    mine = Assignment.objects.filter(annotator=by, state=State.LEASED)
    done = {"state": State.DONE, "available_at": None}
    if mine.filter(pk=slot.pk).update(**done):
        return slot
    if slot.state == State.DONE and slot.annotator_id == by.pk:
        raise Refused("You have answered this page already. Change your answer from My work.")
    another = queue.close_another(slot, by=by, now=now)
    if another is None:
        raise LeaseLost(LOST)
    return another


# ---- revise ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def revise(judgment: Judgment, *, by: User, answer: Answer, now: queue.Moment | None = None) -> Judgment:
    """Append a corrected answer; the old one is superseded, never changed. Until adjudicated or released."""
    lock(judgment.item_id)
    _require_revisable(judgment)
    schema = schemas.by_id(judgment.schema_id)
    verdicts = verdicts_of(answer, asked=tuple(judgment.verdicts or schema.keys), schema=schema)
    moment = now or Now()
    replaced = Judgment.objects.current().filter(pk=judgment.pk).update(superseded_at=moment)
    if not replaced:
        raise Refused("This answer was changed meanwhile, perhaps in another tab. Reload to see it.")
    revised = Judgment.objects.create(
        item_id=judgment.item_id, rater_id=judgment.rater_id, assignment_id=judgment.assignment_id,
        schema_id=judgment.schema_id, snapshot_id=judgment.snapshot_id, purpose=judgment.purpose, round=judgment.round,
        source=judgment.source, outcome=Judgment.Outcome.JUDGED, verdicts=verdicts, confidence=answer.confidence,
        note=answer.note, active_seconds=answer.active_seconds, submitted_at=moment, supersedes=judgment,
        revision=judgment.revision + 1,
    )  # fmt: skip
    item = Item.objects.select_related("project").get(pk=judgment.item_id)
    Event.record("judgment.revised", by=by, project=item.project, about=revised, supersedes=judgment.pk)
    consensus.refresh(item, project=item.project)
    revised.refresh_from_db(fields=["submitted_at"])
    return revised


def _require_revisable(judgment: Judgment) -> None:
    if judgment.item.adjudications.in_force().exists():
        raise Refused("An adjudicator has decided this page since. Your answer stands as it was.")
    if judgment.item.gold_items.exists():
        raise Refused("This page is part of a release. Released answers never change.")


# ---- skip -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def skip(slot: Assignment, *, by: User, reason: str = SkipReason.RATHER_NOT, now: queue.Moment | None = None) -> None:
    """Pass the page on to others, for good. "I would rather not" is the default and is never counted against anyone."""
    if reason not in SkipReason.values:
        raise Unacceptable("This reason is not known.",
                           [{"pointer": "/reason", "detail": f"One of {', '.join(SkipReason.values)}."}])  # fmt: skip
    lock(slot.item_id)
    Skip.objects.get_or_create(item_id=slot.item_id, round=slot.round, annotator=by, defaults={"reason": reason})
    queue.release(slot, by=by, now=now)
    _drop_draft(slot, by)
