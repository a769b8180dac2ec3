"""What the gold answers on drawn items come to: settled per label, or still waiting for an answer or a decision.

Only answers from slots that a draw opened count, and only on labels whose question is still the one in force. A rule
per label says what is accepted: `adjudicated` (a person decided), `unanimous` (that, or all who answered agree), or
`consensus:0.95` (those, or at least that share of the yes and no votes). Items that were withdrawn since the draw keep
their row, with that outcome: leaving them out would bias the sample in silence.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from labeling import consensus, schemas
from labeling.models import Adjudication, Item, Judgment, Project, State, Stream
from labeling.models.items import ItemState
from labeling.models.work import COUNTED
from labeling.refusals import Unacceptable
from labeling.samples import gold_slots

CHUNK = 500
LABELLED, NOT_ASSESSABLE, WITHDRAWN = "labelled", "not_assessable", "withdrawn"
ANSWER, DECISION = "answer", "decision"
ADJUDICATED, UNANIMOUS, CONSENSUS = "adjudicated", "unanimous", "consensus"
DEFAULT_RULE = UNANIMOUS
RULE = re.compile(r"adjudicated|unanimous|consensus:(?P<share>0\.\d{1,6}|1|1\.0{1,6})")


@dataclass(slots=True)
class Settled:
    """One drawn item. `waits_for` is empty when every asked label is settled."""

    item: Item
    outcome: str = LABELLED
    waits_for: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    n_judgments: int = 0
    schema_version: int = 0
    snapshot_id: int | None = None


def checked_rules(raw: Mapping[str, Any], *, keys: Collection[str]) -> dict[str, str]:
    """The rules by label. Raises Unacceptable for a label that is not asked or a rule that is none."""
    errors = []
    for key, rule in raw.items():
        matched = RULE.fullmatch(rule) if isinstance(rule, str) else None
        if key not in keys:
            errors.append({"pointer": f"/accepted_by/{key[:60]}", "detail": f"No label “{key[:60]}” is asked."})
        elif matched is None or (matched["share"] and float(matched["share"]) <= 0.5):
            detail = "Choose adjudicated, unanimous, or consensus: with a share above 0.5, as in consensus:0.95."
            errors.append({"pointer": f"/accepted_by/{key}", "detail": detail})
    if errors:
        raise Unacceptable(errors[0]["detail"], errors)
    return dict(raw)


def settle(
    project: Project,
    item_ids: Sequence[int],
    *,
    schema: schemas.Schema,
    rules: Mapping[str, str],
    as_of: datetime,
    withdrawn: Collection[str] | None = None,
) -> Iterator[Settled]:
    """Each item as its gold answers stood at `as_of`.

    With `withdrawn` (public ids) a release is made again: the items' states and slots of today do not count then.
    """
    for start in range(0, len(item_ids), CHUNK):
        yield from _settle_chunk(project, item_ids[start : start + CHUNK], schema, rules, as_of, withdrawn)


def _settle_chunk(
    project: Project,
    item_ids: Sequence[int],
    schema: schemas.Schema,
    rules: Mapping[str, str],
    as_of: datetime,
    withdrawn: Collection[str] | None,
) -> Iterator[Settled]:
    votes = _votes(item_ids, as_of)
    decided = _decided(item_ids, as_of)
    questions = schemas.Questions(schema)
    open_items: set[int] = set()
    if withdrawn is None:
        slots = gold_slots().filter(project=project, item__in=item_ids, purpose__in=COUNTED)
        open_items = set(slots.filter(state__in=[State.OPEN, State.LEASED]).values_list("item_id", flat=True))
    for item in Item.objects.filter(pk__in=item_ids).order_by("pk"):
        is_gone = item.state != ItemState.ACTIVE if withdrawn is None else item.public_id in withdrawn
        if is_gone:
            yield Settled(item, outcome=WITHDRAWN)
            continue
        given = [vote for vote in (_on_todays_questions(vote, questions) for vote in votes[item.pk]) if vote]
        under, verdicts = decided.get(item.pk, (schema.id, {}))
        decisions = questions.answered_by(verdicts, under=under)
        yield _settled(item, given, decisions, rules, complete=item.pk not in open_items)


@dataclass(frozen=True, slots=True)
class _Given:
    rater: int
    round: int
    outcome: str
    verdicts: dict[str, str]
    schema_id: int
    snapshot_id: int | None


def _stands_at(as_of: datetime, *, made: str) -> Q:
    still = Q(superseded_at=None) | Q(superseded_at__gt=as_of)
    return Q((f"{made}__lte", as_of)) & still


def _votes(item_ids: Sequence[int], as_of: datetime) -> dict[int, list[_Given]]:
    rows = Judgment.objects.filter(
        _stands_at(as_of, made="submitted_at"),
        Q(voided_at=None) | Q(voided_at__gt=as_of),
        item__in=item_ids,
        purpose__in=COUNTED,
        assignment__selection__stream=Stream.GOLD,
    ).order_by("round", "id")
    found = defaultdict(list)
    for item_id, *vote in rows.values_list(
        "item_id", "rater_id", "round", "outcome", "verdicts", "schema_id", "snapshot_id"
    ):
        found[item_id].append(_Given(*vote))
    return found


def _decided(item_ids: Sequence[int], as_of: datetime) -> dict[int, tuple[int, dict[str, str]]]:
    rows = Adjudication.objects.filter(_stands_at(as_of, made="decided_at"), item__in=item_ids).order_by("id")
    return {item_id: (schema_id, verdicts) for item_id, schema_id, verdicts in rows.values_list(
        "item_id", "schema_id", "verdicts")}  # fmt: skip


def _on_todays_questions(vote: _Given, questions: schemas.Questions) -> _Given | None:
    if vote.outcome != Judgment.Outcome.JUDGED:
        return vote
    verdicts = questions.answered_by(vote.verdicts, under=vote.schema_id)
    return replace(vote, verdicts=verdicts) if verdicts else None


def _settled(
    item: Item, given: list[_Given], decided: dict[str, str], rules: Mapping[str, str], *, complete: bool
) -> Settled:
    votes = [consensus.Vote(vote.rater, vote.round, vote.outcome, vote.verdicts) for vote in given]
    tally = consensus.tally(votes, complete=complete, decided=decided)
    out = Settled(
        item,
        n_judgments=tally.n_judgments,
        schema_version=max((schemas.by_id(vote.schema_id).number for vote in given), default=0),
        snapshot_id=given[-1].snapshot_id if given else None,
    )
    if not complete or not given:
        out.waits_for = ANSWER
    elif tally.not_assessable:
        out.outcome = NOT_ASSESSABLE
    else:
        for key, label in tally.labels.items():
            verdict, how = _accepted(label, rules.get(key, DEFAULT_RULE))
            if not how:
                out.waits_for = DECISION
            out.labels[key], out.how[key] = verdict, how
    return out


def _accepted(label: Mapping[str, Any], rule: str) -> tuple[str, str]:
    """Verdict and how it was settled; two empty strings when the rule does not accept what there is."""
    if label["state"] == consensus.ADJUDICATED:
        return label["verdict"], ADJUDICATED
    if label["state"] == consensus.AGREED and rule != ADJUDICATED:
        return label["verdict"], UNANIMOUS
    share = label["probability"]
    if rule.startswith(CONSENSUS) and share is not None and max(share, 1 - share) >= float(rule.split(":")[1]):
        return ("yes" if share > 0.5 else "no"), CONSENSUS
    return "", ""
