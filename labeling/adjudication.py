"""Disagreements in, decisions out: one person decides the labels in conflict. Nothing decided is ever overwritten."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from labeling import consensus, judging, schemas
from labeling.models import Adjudication, Cause, Consensus, Dispute, Event, Item, ItemState, Judgment, Project, User
from labeling.refusals import Forbidden, Refused, Stale, Unacceptable

VERDICTS = ("yes", "no", "unsure")
MAX_NOTE = 2_000

OWN = "You answered this page yourself, so someone else decides it."
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
    expected_error: float
    in_force: Adjudication | None

    @property
    def conflict(self) -> list[str]:
        """The labels to decide, by key: those in dispute; once all are decided, those that were."""
        # Sorted: PostgreSQL keeps the keys of a JSON object by length, SQLite as they came.
        open_labels = sorted(key for key, label in self.labels.items() if label["state"] == consensus.DISPUTED)
        return open_labels or sorted(self.in_force.verdicts if self.in_force else {})

    @property
    def version(self) -> str:
        said = json.dumps([self.item.pk, self.labels, self.in_force and self.in_force.pk], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:32]

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


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: a verdict for every label in conflict, and why people disagreed."""

    verdicts: Mapping[str, str]
    cause: str
    note: str = ""
    active_seconds: float | None = None

    def as_mine(self) -> dict[str, Any]:
        return {"verdicts": dict(self.verdicts), "cause": self.cause or None, "note": self.note}


# ---- what waits -----------------------------------------------------------------------------------------------------
def queue(project: Project, *, adjudicator: User, label: str = "") -> QuerySet[Consensus]:
    """Pages in dispute that this person may decide, the largest expected error first; if given, on this label only."""
    waiting = Consensus.objects.filter(
        project=project, state=Consensus.State.DISPUTED, item__state=ItemState.ACTIVE
    ).select_related("item__snapshot")
    if not project.decide_own:
        waiting = waiting.filter(~Exists(_answers_of(adjudicator).filter(item=OuterRef("item"))))
    if label:
        waiting = waiting.filter(Exists(Dispute.objects.open().filter(item=OuterRef("item"), label=label)))
    return waiting.order_by("-expected_error", "item_id")


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
    """The page with its votes and the decision in force. Raises Refused when people have not disagreed on it."""
    counted = Consensus.objects.filter(item=item).first()
    in_force = Adjudication.objects.in_force().filter(item=item).first()
    if counted is None or (counted.state != Consensus.State.DISPUTED and in_force is None):
        raise Refused(NOTHING)
    return _case(item, counted, in_force)


def cases_of(counted: list[Consensus]) -> list[Case]:
    """Many cases with one more query."""
    in_force = {
        decision.item_id: decision
        for decision in Adjudication.objects.in_force().filter(item__in=[row.item_id for row in counted])
    }
    return [_case(row.item, row, in_force.get(row.item_id)) for row in counted]


def reason(case: Case, *, name_of: Mapping[str, str]) -> str:
    """Why this page waits, as a sentence: "2 of 3 say Violence, and 4 more labels are in conflict."."""
    worst = max(case.conflict, key=lambda key: (_error(case.labels[key]), key))
    votes = case.labels[worst]
    people = votes["yes"] + votes["no"] + votes["unsure"]
    name = name_of.get(worst, worst)
    if votes["yes"]:
        said = f"{votes['yes']} of {people} say {name}"
    else:
        said = f"{votes['unsure']} of {people} are unsure of {name}"
    others = len(case.conflict) - 1
    if not others:
        return f"{said}."
    return f"{said}, and {others} more label{'s are' if others > 1 else ' is'} in conflict."


def votes_on(item: Item, *, salt: str) -> list[Judgment]:
    """The counted answers, one a person, in an order that belongs to `salt` and tells nothing about who gave them."""
    latest = {vote.rater_id: vote for vote in Judgment.objects.votes().filter(item=item).order_by("round", "id")}
    return sorted(
        latest.values(), key=lambda vote: hashlib.sha256(f"{salt}:{item.pk}:{vote.rater_id}".encode()).digest()
    )


# ---- deciding -------------------------------------------------------------------------------------------------------
@transaction.atomic
def decide(item: Item, *, by: User, decision: Decision, seen_version: str) -> Adjudication:
    """Record the final verdict of every label in conflict; a decision in force is superseded, never changed.

    The same decision sent twice by the same person is one decision.
    Raises Stale with both versions when the page is no longer what the person saw, Forbidden for a page they answered
    themself, Unacceptable for any other labels than those in conflict, and Refused where there is nothing to decide.
    """
    judging.lock(item.pk)
    item = Item.objects.select_related("project").get(pk=item.pk)
    _require_stranger(item, by)
    case = case_of(item)
    if case.version != seen_version:
        if case.in_force is not None and _is_the_same(case.in_force, decision, by=by):
            return case.in_force
        raise Stale(CHANGED, theirs=case.theirs, mine=decision.as_mine(), version=case.version)
    _require_open(case)
    _require_complete(decision, case)
    fresh = _append(case, by=by, decision=decision)
    consensus.refresh(item, project=item.project)
    return fresh


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
    fresh = Adjudication.objects.create(
        item=case.item, adjudicator=by, schema_id=schemas.in_force(case.item.project).id,
        verdicts={**(old.verdicts if old else {}), **decision.verdicts}, cause=decision.cause, note=decision.note,
        active_seconds=decision.active_seconds,
    )  # fmt: skip
    Event.record(
        "adjudication.decided", by=by, project=case.item.project, about=fresh, item=case.item.public_id,
        old=_before(case), new=fresh.verdicts, cause=fresh.cause,
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


def _require_open(case: Case) -> None:
    if case.item.state != ItemState.ACTIVE:
        raise Refused("This page was taken out of the project: there is nothing to decide.")
    if case.in_force is not None and case.item.gold_items.exists():
        raise Refused(RELEASED)


def _require_complete(decision: Decision, case: Case) -> None:
    faults = []
    wanted, given = set(case.conflict), set(decision.verdicts)
    if missing := wanted - given:
        faults.append({"pointer": "/verdicts", "detail": f"Still to decide: {_named(missing, case)}."})
    if foreign := sorted(given - wanted):
        faults.append({"pointer": "/verdicts", "detail": f"Not in conflict on this page: {', '.join(foreign)[:200]}."})
    faults += [
        {"pointer": f"/verdicts/{key}", "detail": f"A verdict on {_named({key}, case)} is yes, no or unsure."}
        for key in sorted(wanted & given)
        if decision.verdicts[key] not in VERDICTS
    ]
    if decision.cause not in Cause.values:
        faults.append({"pointer": "/cause", "detail": "Say why they disagreed: choose one cause."})
    if len(decision.note) > MAX_NOTE:
        faults.append({"pointer": "/note", "detail": f"A note holds {MAX_NOTE:,} characters."})
    if faults:
        raise Unacceptable(faults[0]["detail"], faults)


def _named(keys: set[str], case: Case) -> str:
    """The labels by the names people know, in the order they see them."""
    known = {label.key: label.name for label in schemas.in_force(case.item.project).labels}
    return ", ".join([*(name for key, name in known.items() if key in keys), *sorted(keys - known.keys())])


def _case(item: Item, counted: Consensus, in_force: Adjudication | None) -> Case:
    return Case(item, counted.state, counted.labels, counted.n_judgments, counted.expected_error, in_force)


def _error(label: Mapping[str, Any]) -> float:
    probability = label["probability"]
    return 0.0 if probability is None else min(probability, 1 - probability)
