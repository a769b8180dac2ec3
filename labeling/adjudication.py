"""Disagreements in, decisions out: one person decides the labels in conflict. Nothing decided is ever overwritten."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.db.models.functions import Now

from labeling import consensus, judging, schemas
from labeling.decisions import MAX_NOTE, Decision, require_complete
from labeling.models import (
    Adjudication,
    Assignment,
    AuditPick,
    Consensus,
    Dispute,
    Event,
    Item,
    ItemState,
    Judgment,
    OpenedCase,
    Project,
    Purpose,
    State,
    User,
)
from labeling.models.work import COUNTED
from labeling.refusals import Forbidden, Refused, Stale

OWN = "You answered this page yourself, so someone else decides it."
HOLDS = "You have this page open to answer it, so someone else decides it."
WAITING = "People are still answering this page: it can be decided once all of them have."
NOTHING = "The answers on this page do not conflict: there is nothing to decide."
RELEASED = "This page is part of a release. Released decisions never change."
CHANGED = "This page changed while you decided: yours has not been recorded."


@dataclass(frozen=True, slots=True)
class Case:
    """One page as an adjudicator meets it. `version` changes whenever a vote or a decision does."""

    item: Item
    state: str
    labels: Mapping[str, Mapping[str, Any]]
    n_judgments: int
    n_not_assessable: int
    expected_error: float
    in_force: Adjudication | None
    pick: AuditPick | None = None
    second: int = 0  # the newest answer to the page once it was sent back

    @property
    def is_unseen(self) -> bool:
        """Chance drew the page to check what all agree on: it is decided without a look at the answers."""
        return self.pick is not None

    @property
    def conflict(self) -> list[str]:
        """The labels to decide, by key: those in dispute; once all are decided, those that were."""
        # Sorted: PostgreSQL keeps the keys of a JSON object by length, SQLite as they came.
        for state in (consensus.DISPUTED, consensus.ADJUDICATED):
            if found := sorted(key for key, label in self.labels.items() if label["state"] == state):
                return found
        return []

    @property
    def is_tied(self) -> bool:
        """As many people could not judge the page at all as did."""
        return 2 * self.n_not_assessable == self.n_judgments > 0

    @property
    def version(self) -> str:
        # A refit changes probabilities and nothing that was said: whoever is about to decide goes on.
        said = {key: {**label, "probability": None} for key, label in self.labels.items()}
        seen = [self.item.pk, said, self.n_judgments, self.n_not_assessable, self.in_force and self.in_force.pk]
        if self.pick or self.second:
            seen += [self.pick and self.pick.pk, self.second]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def theirs(self) -> dict[str, Any]:
        """The decision in force; who took it is not told."""
        now = self.in_force
        return {
            "verdicts": now.verdicts if now else {},
            "cause": now.cause if now else None,
            "note": now.note if now else "",
            "version": self.version,
        }


# ---- what waits -----------------------------------------------------------------------------------------------------
def queue(project: Project, *, adjudicator: User, label: str = "") -> QuerySet[Consensus]:
    """Pages in dispute that this person may decide, the largest expected error times severity first.

    `label`: only pages on which this one is in dispute.
    """
    waiting = Consensus.objects.filter(
        project=project, state=Consensus.State.DISPUTED, item__state=ItemState.ACTIVE
    ).select_related("item__snapshot", "item__project")
    held = Assignment.objects.filter(item=OuterRef("item"), annotator=adjudicator, state=State.LEASED)
    waiting = waiting.filter(~Exists(held), ~Exists(_sent_back().filter(item=OuterRef("item"))))
    if not project.decide_own:
        waiting = waiting.filter(~Exists(_answers_of(adjudicator).filter(item=OuterRef("item"))))
    if label:
        waiting = waiting.filter(Exists(Dispute.objects.open().filter(item=OuterRef("item"), label=label)))
    return waiting.order_by("-weighted_error", "item_id")


def _sent_back() -> QuerySet[Assignment]:
    """Slots of answers that were sent back and are not answered again."""
    return Assignment.objects.filter(purpose=Purpose.REJUDGE, state__in=[State.OPEN, State.LEASED])


def progress(project: Project) -> dict[str, int]:
    """How many pages on which people disagreed are decided, of how many."""
    counts = dict(
        Consensus.objects.filter(project=project, item__state=ItemState.ACTIVE)
        .values_list("state")
        .annotate(Count("id"))
    )
    decided = counts.get(Consensus.State.ADJUDICATED, 0)
    return {"decided": decided, "total": decided + counts.get(Consensus.State.DISPUTED, 0)}


def case_of(item: Item) -> Case:
    """The page with its votes and the decision in force.

    Raises Refused while people still answer it, whatever was decided before, and when they do not disagree on it.
    """
    counted = Consensus.objects.filter(item=item).first()
    in_force = Adjudication.objects.in_force().filter(item=item).first()
    if counted is None or (counted.state == Consensus.State.AGREED and in_force is None):
        raise Refused(NOTHING)
    if counted.state == Consensus.State.PENDING or _is_being_answered(item):
        raise Refused(WAITING if in_force is not None else NOTHING)
    case = _cases([counted], in_force={item.pk: in_force} if in_force else {}, item=item)[0]
    if not case.conflict:  # what was decided is not asked any more
        raise Refused(NOTHING)
    return case


def open_case(item: Item, *, by: User) -> Case:
    """The page as this person opens it to look at the votes: from then on it is never given to them to judge.

    Raises Forbidden for a page they answered or are answering, and Refused as `case_of` does.
    """
    _require_stranger(item, by)
    case = case_of(item)
    _remember_opened([item.pk], by)
    return case


def open_cases(counted: list[Consensus], *, by: User) -> list[Case]:
    """Many cases of the queue at once, opened by this person."""
    in_force = {
        decision.item_id: decision
        for decision in Adjudication.objects.in_force().filter(item__in=[row.item_id for row in counted])
    }
    _remember_opened([row.item_id for row in counted], by)
    return _cases(counted, in_force=in_force)


def _remember_opened(item_ids: list[int], person: User) -> None:
    OpenedCase.objects.bulk_create(
        [OpenedCase(item_id=item_id, person=person) for item_id in item_ids], ignore_conflicts=True
    )


def votes_on(item: Item, *, salt: str) -> list[Judgment]:
    """The counted answers, one a person, in an order that belongs to `salt` and tells nothing about who gave them."""
    latest = {vote.rater_id: vote for vote in Judgment.objects.votes().filter(item=item).order_by("round", "id")}
    return sorted(
        latest.values(), key=lambda vote: hashlib.sha256(f"{salt}:{item.pk}:{vote.rater_id}".encode()).digest()
    )


# ---- deciding -------------------------------------------------------------------------------------------------------
def decide(item: Item, *, by: User, decision: Decision, seen_version: str) -> Adjudication:
    """Record the final verdict of every label in conflict; a decision in force is superseded, never changed.

    The same decision sent twice by the same person is one decision.
    Raises Stale with both versions when the page is no longer what the person saw, Forbidden for a page they answered
    themself, Unacceptable for any other labels than those in conflict, and Refused where there is nothing to decide.
    """
    try:
        return _decide(item, by=by, decision=decision, seen_version=seen_version)
    except Stale:
        _remember_opened([item.pk], by)  # the refusal shows what others decided
        raise


@transaction.atomic
def _decide(item: Item, *, by: User, decision: Decision, seen_version: str) -> Adjudication:
    item = lock(item, by=by)
    case = case_of(item)
    if case.version != seen_version:
        if case.in_force is not None and _is_the_same(case.in_force, decision, by=by):
            return case.in_force
        raise Stale(CHANGED, theirs=case.theirs, mine=decision.as_mine(), version=case.version)
    require_open(case)
    whole = with_what_most_said(decision, case) if decision.accepts else decision
    require_complete(
        whole, conflict=case.conflict, schema=schemas.in_force(item.project), wants_cause=not case.is_unseen
    )
    fresh = _append(case, by=by, decision=whole)
    _remember_opened([item.pk], by)
    _wait_no_longer(case, fresh)
    consensus.refresh(item, project=item.project)
    return fresh


def lock(item: Item, *, by: User) -> Item:
    """The page under its lock. Raises Forbidden for one this person answered or is answering."""
    judging.lock(item.pk)
    item = Item.objects.select_related("project").get(pk=item.pk)
    _require_stranger(item, by)
    return item


def lock_case(item: Item, *, by: User, seen_version: str) -> Case:
    """The case under its page's lock, as this person saw it. Raises Stale with both versions, and as `decide` does."""
    case = case_of(lock(item, by=by))
    if case.version != seen_version:
        raise Stale(CHANGED, theirs=case.theirs, mine=Decision({}, "").as_mine(), version=case.version)
    require_open(case)
    return case


def leaning(label: Mapping[str, Any]) -> str:
    """The verdict the answers together make likelier: "yes" or "no", or nothing where they do not lean."""
    probability = label["probability"]
    return "" if probability in (None, 0.5) else "yes" if probability > 0.5 else "no"


def with_what_most_said(decision: Decision, case: Case) -> Decision:
    """The decision, with the consensus accepted on every label that it leaves open. Where that leans nowhere, it stays.

    Nothing can be accepted of a page that is decided unseen.
    """
    if case.is_unseen:
        return decision
    leans = {key: leaning(case.labels[key]) for key in case.conflict}
    return replace(decision, verdicts={key: v for key, v in leans.items() if v} | dict(decision.verdicts))


def _wait_no_longer(case: Case, decided: Adjudication) -> None:
    """What was asked about the page before it was decided is wanted no more; who holds it may finish it."""
    _sent_back().filter(item=case.item, state=State.OPEN).update(
        state=State.WITHDRAWN, available_at=None, is_surplus=True
    )
    if case.pick is not None:
        AuditPick.objects.filter(pk=case.pick.pk).update(adjudication=decided, closed_at=Now())


@transaction.atomic
def reopen(item: Item, *, by: User, note: str = "") -> None:
    """Take the decision in force back, so that the page is in dispute again. The old decision stays on record."""
    judging.lock(item.pk)
    item = Item.objects.select_related("project").get(pk=item.pk)
    in_force = Adjudication.objects.in_force().filter(item=item).first()
    if in_force is None:
        raise Refused("No decision is in force on this page, so there is nothing to take back.")
    if item.gold_items.exists():
        raise Refused(RELEASED)
    _supersede(in_force)
    Event.record(
        "adjudication.reopened", by=by, project=item.project, about=in_force, item=item.public_id,
        old=in_force.verdicts, note=note[:MAX_NOTE],
    )  # fmt: skip
    consensus.refresh(item, project=item.project)


def _append(case: Case, *, by: User, decision: Decision) -> Adjudication:
    old = case.in_force
    if old is not None:
        _supersede(old)
    schema = schemas.in_force(case.item.project)
    kept = schemas.Questions(schema).answered_by(old.verdicts, under=old.schema_id) if old else {}
    seen = {key: old.seen[key] for key in kept if key in old.seen} if old else {}
    newest = Judgment.objects.filter(item=case.item).aggregate(newest=Max("id"))["newest"] or 0
    fresh = Adjudication.objects.create(
        item=case.item, adjudicator=by, schema_id=schema.id, verdicts={**kept, **decision.verdicts},
        seen={**seen, **dict.fromkeys(decision.verdicts, newest)}, cause=decision.cause, note=decision.note,
        how=Adjudication.How.AUDITED if case.is_unseen else Adjudication.How.DECIDED,
        accepted=sorted(set(old.accepted if old else ()).intersection(kept).difference(decision.verdicts)),
        active_seconds=decision.active_seconds,
    )  # fmt: skip
    Event.record(
        "adjudication.decided", by=by, project=case.item.project, about=fresh, item=case.item.public_id,
        old=_before(case), new=fresh.verdicts, cause=fresh.cause, how=fresh.how, note=fresh.note,
    )  # fmt: skip
    return fresh


def _is_the_same(known: Adjudication, decision: Decision, *, by: User) -> bool:
    return (
        known.adjudicator_id == by.pk
        and decision.verdicts.items() <= known.verdicts.items()
        and (known.cause, known.note) == (decision.cause, decision.note)
    )


def _before(case: Case) -> dict[str, str | None]:
    decided = case.in_force.verdicts if case.in_force else {}
    return {key: decided.get(key) for key in case.conflict}


def _supersede(decision: Adjudication) -> None:
    Adjudication.objects.in_force().filter(pk=decision.pk).update(superseded_at=Now())


# ---- what is refused ------------------------------------------------------------------------------------------------
def _answers_of(person: User) -> QuerySet[Judgment]:
    return Judgment.objects.filter(rater__user=person)


def _require_stranger(item: Item, person: User) -> None:
    if not item.project.decide_own and _answers_of(person).filter(item=item).exists():
        raise Forbidden(OWN)
    if Assignment.objects.filter(item=item, annotator=person, state=State.LEASED).exists():
        raise Forbidden(HOLDS)


def _is_being_answered(item: Item) -> bool:
    waiting = Assignment.objects.filter(item=item, purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED])
    return waiting.exists()


def require_open(case: Case) -> None:
    if case.item.state != ItemState.ACTIVE:
        raise Refused("This page was taken out of the project: there is nothing to decide.")
    if case.state != consensus.DISPUTED and case.item.gold_items.exists():
        raise Refused(RELEASED)


def _cases(
    counted: list[Consensus], *, in_force: Mapping[int, Adjudication], item: Item | None = None
) -> list[Case]:  # fmt: skip
    item_ids = [row.item_id for row in counted]
    picks = {pick.item_id: pick for pick in AuditPick.objects.open().filter(item__in=item_ids)}
    again = Judgment.objects.current().filter(item__in=item_ids, purpose=Purpose.REJUDGE).order_by()
    second = dict(again.values_list("item").annotate(newest=Max("id")))
    return [
        Case(
            item or row.item, row.state, row.labels, row.n_judgments, row.n_not_assessable, row.expected_error,
            in_force.get(row.item_id), picks.get(row.item_id), second.get(row.item_id, 0),
        )
        for row in counted
    ]  # fmt: skip
