"""What the judgments of an item say together: per label the votes, the verdict and its state, and what is in dispute.

The rule: a label that is not unanimous is a dispute, once everyone asked has answered. Probability is the share of yes
among yes and no votes. Only counted answers vote, one per rater, each rater's latest round, and only on the questions
of the version in force: an answer to a label that was retired, or that meant something else then, is no vote on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Now

from labeling import schemas
from labeling.models import Adjudication, Assignment, Consensus, Dispute, Item, Judgment, Project, State
from labeling.models.work import COUNTED

PENDING, AGREED, DISPUTED, ADJUDICATED = Consensus.State.values
VOTE = ("rater_id", "round", "outcome", "schema_id", "verdicts")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Vote:
    """One rater's counted answer on one item, as consensus needs it: the verdicts are on today's questions."""

    rater: int
    round: int
    outcome: str
    verdicts: dict[str, str]


@dataclass(slots=True)
class Tally:
    """The state of one item: per label counts and what follows from them."""

    state: str = PENDING
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    n_judgments: int = 0
    n_not_assessable: int = 0
    not_assessable: bool = False

    @property
    def contested(self) -> list[str]:
        return [key for key, label in self.labels.items() if label["state"] in {DISPUTED, ADJUDICATED}]

    @property
    def open(self) -> list[str]:
        return [key for key, label in self.labels.items() if label["state"] == DISPUTED]

    @property
    def expected_error(self) -> float:
        chances: list[float | None] = [self.labels[key]["probability"] for key in self.open]
        return sum(min(p, 1 - p) for p in chances if p is not None)


def tally(votes: Iterable[Vote], *, complete: bool, decided: dict[str, str] | None = None) -> Tally:
    """Count the votes of one item. `complete`: everyone asked has answered. `decided`: verdicts a person gave."""
    decided = decided or {}
    latest = _latest_of_each_rater(votes)
    judged = [vote for vote in latest if vote.outcome == Judgment.Outcome.JUDGED]
    out = Tally(n_judgments=len(latest), n_not_assessable=len(latest) - len(judged))
    if complete and out.n_not_assessable * 2 > out.n_judgments and not decided:
        out.not_assessable, out.state = True, AGREED
        return out
    is_tied = out.n_not_assessable > 0 and out.n_not_assessable * 2 == out.n_judgments
    for key in _asked(judged):
        out.labels[key] = _label(key, judged, complete=complete, is_tied=is_tied, decided=decided.get(key))
    out.state = _state(out, complete=complete and bool(out.labels))
    return out


def _latest_of_each_rater(votes: Iterable[Vote]) -> list[Vote]:
    latest: dict[int, Vote] = {}
    for vote in votes:
        kept = latest.get(vote.rater)
        if kept is None or vote.round >= kept.round:
            latest[vote.rater] = vote
    return list(latest.values())


def _asked(votes: list[Vote]) -> list[str]:
    return sorted({key for vote in votes for key in vote.verdicts})


def _label(key: str, votes: list[Vote], *, complete: bool, is_tied: bool, decided: str | None) -> dict[str, Any]:
    given = [vote.verdicts[key] for vote in votes if key in vote.verdicts]
    yes, no, unsure = (given.count(verdict) for verdict in ("yes", "no", "unsure"))
    # Tied: half of the people could not judge the page at all, so whatever the other half says needs a decision.
    contested = is_tied or len(set(given)) > 1 or unsure == len(given)
    state = ADJUDICATED if decided else PENDING if not complete else DISPUTED if contested else AGREED
    verdict = decided or (given[0] if state == AGREED else None)
    probability = yes / (yes + no) if yes + no else None
    return {"yes": yes, "no": no, "unsure": unsure, "probability": probability, "verdict": verdict, "state": state}


def _state(out: Tally, *, complete: bool) -> str:
    states = {label["state"] for label in out.labels.values()}
    if not complete or PENDING in states:
        return PENDING
    return DISPUTED if DISPUTED in states else ADJUDICATED if ADJUDICATED in states else AGREED


# ---- one item, in the transaction of the answer ---------------------------------------------------------------------
def refresh(item: Item, *, project: Project) -> Consensus:
    """Count one item again and store it. The caller holds the item's lock."""
    standing = _standing(item)
    questions = schemas.Questions(schemas.by_id(standing.version))
    rows = Judgment.objects.votes().filter(item=item).order_by("round", "id").values_list(*VOTE)
    found = tally(
        [_vote(row, questions) for row in rows],
        complete=not standing.is_waiting,
        decided=questions.answered_by(standing.decided or {}, under=standing.decided_under or standing.version),
    )
    if found.open or standing.has_disputes:
        _settle_disputes(project, {item.pk: found})
    if bool(item.not_assessable) != found.not_assessable:
        item.not_assessable = "agreed" if found.not_assessable else ""
        Item.objects.filter(pk=item.pk).update(not_assessable=item.not_assessable)
    return _store(item, project, found, known=standing.known)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What beside the votes decides an item's state, and what is stored of it: one query."""

    is_waiting: bool
    has_disputes: bool
    decided: dict[str, str] | None
    decided_under: int | None
    version: int  # of labels and guideline, in force now
    known: Consensus | None


def _standing(item: Item) -> _Standing:
    waiting = Assignment.objects.filter(item=OuterRef("pk"), purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED])
    decided = Adjudication.objects.in_force().filter(item=OuterRef("pk"))
    row: Any = (
        Item.objects.filter(pk=item.pk)
        .select_related("consensus")
        .only("pk", *(f"consensus__{field.attname}" for field in Consensus._meta.concrete_fields))
        .annotate(
            is_waiting=Exists(waiting),
            has_disputes=Exists(Dispute.objects.filter(item=OuterRef("pk"))),
            decided=Subquery(decided.values("verdicts")),
            decided_under=Subquery(decided.values("schema")),
            version=schemas.newest_of("project"),
        )
        .get()
    )
    known = getattr(row, "consensus", None)
    return _Standing(row.is_waiting, row.has_disputes, row.decided, row.decided_under, row.version, known)


def _vote(row: tuple[int, int, str, int, dict[str, str]], questions: schemas.Questions) -> Vote:
    rater, turn, outcome, version, verdicts = row
    return Vote(rater, turn, outcome, questions.answered_by(verdicts, under=version))


def _store(item: Item, project: Project, found: Tally, *, known: Consensus | None) -> Consensus:
    fresh = _row(item.pk, project.pk, found)
    fields = ["state", "labels", "n_judgments", "n_not_assessable", "expected_error"]
    if known is None:
        fresh.save(force_insert=True)
        return fresh
    if all(getattr(known, name) == getattr(fresh, name) for name in fields):
        return known
    for name in fields:
        setattr(known, name, getattr(fresh, name))
    known.version += 1
    known.updated_at = Now()
    known.save(update_fields=[*fields, "version", "updated_at"])
    return known


def _row(item_id: int, project_id: int, found: Tally) -> Consensus:
    return Consensus(
        item_id=item_id, project_id=project_id, state=found.state, labels=found.labels, n_judgments=found.n_judgments,
        n_not_assessable=found.n_not_assessable, expected_error=found.expected_error,
    )  # fmt: skip


def _settle_disputes(project: Project, found: dict[int, Tally]) -> None:
    """Open a dispute for each contested label, close those that are decided or no longer contested."""
    known = {
        (dispute.item_id, dispute.label): dispute
        for dispute in Dispute.objects.filter(item__in=list(found)).only("id", "item_id", "label", "settled_at")
    }
    wanted = {(item_id, key) for item_id, item in found.items() for key in item.open}
    Dispute.objects.bulk_create(
        [Dispute(project=project, item_id=item_id, label=key) for item_id, key in sorted(wanted - known.keys())],
        ignore_conflicts=True,
    )
    again = [dispute.pk for where, dispute in known.items() if where in wanted and dispute.settled_at]
    over = [dispute.pk for where, dispute in known.items() if where not in wanted and not dispute.settled_at]
    if again:
        Dispute.objects.filter(pk__in=again).update(settled_at=None, opened_at=Now())
    if over:
        Dispute.objects.filter(pk__in=over).update(settled_at=Now())


# ---- many items, for imports and the check --------------------------------------------------------------------------
def refresh_many(item_ids: list[int], *, project: Project) -> int:
    """Count many items again, a chunk a transaction. Returns how many were stored."""
    asked = {project.pk: schemas.Questions(schemas.read(schemas.newest_id(project)))} if item_ids else {}
    for start in range(0, len(item_ids), CHUNK):
        chunk = item_ids[start : start + CHUNK]
        with transaction.atomic():
            list(Item.objects.filter(pk__in=chunk).order_by("pk").select_for_update().values_list("pk"))
            found = tallies(chunk, asked=asked)
            _settle_disputes(project, found)
            _store_many(project, found)
    return len(item_ids)


def tallies(item_ids: list[int], *, asked: Mapping[int, schemas.Questions] | None = None) -> dict[int, Tally]:
    """What each of these items says now, recomputed from its judgments. `asked`: by project, where it is known."""
    project_of = dict(Item.objects.filter(pk__in=item_ids).values_list("pk", "project"))
    asked = asked or {project: schemas.Questions(schemas.in_force(project)) for project in set(project_of.values())}
    by_item: dict[int, list[Vote]] = {item_id: [] for item_id in project_of}
    rows = Judgment.objects.votes().filter(item__in=item_ids).order_by("round", "id")
    for item_id, *row in rows.values_list("item_id", *VOTE):
        by_item[item_id].append(_vote(tuple(row), asked[project_of[item_id]]))
    waiting = set(
        Assignment.objects.filter(
            item__in=item_ids, purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED]
        ).values_list("item_id", flat=True)
    )
    decisions = Adjudication.objects.in_force().filter(item__in=item_ids)
    decided = {
        item_id: asked[project_of[item_id]].answered_by(verdicts, under=version)
        for item_id, version, verdicts in decisions.values_list("item_id", "schema_id", "verdicts")
    }
    return {
        item_id: tally(votes, complete=item_id not in waiting, decided=decided.get(item_id))
        for item_id, votes in by_item.items()
    }


def _store_many(project: Project, found: dict[int, Tally]) -> None:
    Consensus.objects.bulk_create(
        [_row(item_id, project.pk, item) for item_id, item in found.items()],
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=["state", "labels", "n_judgments", "n_not_assessable", "expected_error", "updated_at"],
    )
    for mark, wanted in (("agreed", True), ("", False)):
        ids = [item_id for item_id, item in found.items() if item.not_assessable is wanted]
        Item.objects.filter(pk__in=ids).exclude(not_assessable=mark).update(not_assessable=mark)
