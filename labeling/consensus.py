"""What the judgments of an item say together, stored: per label the votes, the verdict, its state, what is in dispute.

How votes are counted is in tallies.py: only counted answers vote, one per rater, and only on the questions of the
version in force: an answer to a label that was retired, or that meant something else then, is no vote on it. For an
item that was drawn, what its gold answers come to (settling.py) is stored as well. Gold rests on those alone; a label
on which they need a person is in dispute here, whatever older answers or an older decision say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Exists, FilteredRelation, OuterRef, QuerySet
from django.db.models.functions import Now

from labeling import ballots, expectations, fits, one_more, schemas, settling, standards
from labeling.ballots import Asked
from labeling.fits import Fitted
from labeling.models import (
    Adjudication,
    Assignment,
    AuditPick,
    Consensus,
    Desk,
    Dispute,
    Item,
    Judgment,
    Project,
    Selection,
    Stream,
)
from labeling.models.work import COUNTED, is_vote
from labeling.settling import Decided
from labeling.statements import Insert, Place, Select
from labeling.tallies import ADJUDICATED, AGREED, DISPUTED, PENDING, Standards, Tally, Vote, tally

__all__ = ["ADJUDICATED", "AGREED", "DISPUTED", "PENDING", "Tally", "Vote", "tally"]  # what the counts are made of

CHUNK = 500
STORED = (
    "state", "labels", "n_judgments", "n_not_assessable", "expected_error", "weighted_error", "is_calibrated",
    "fit_id", "gold", "gold_sha256",
)  # fmt: skip
NOBODY_KNOWS = 0.5  # everyone who answered was unsure


@dataclass(frozen=True, slots=True)
class Count:
    """One item, counted: all its votes, and what the gold ones come to; `gold` is empty when no draw chose it."""

    pooled: Tally
    weighted_error: float = 0.0
    fit_id: int | None = None
    gold: str = ""
    gold_sha256: str = ""
    raters: frozenset[int] = frozenset()
    is_drawn: bool = False

    def stored(self) -> tuple[Any, ...]:
        """The values of the columns in STORED."""
        said = self.pooled
        return (said.state, said.labels, said.n_judgments, said.n_not_assessable, said.expected_error,
                self.weighted_error, said.is_calibrated, self.fit_id, self.gold, self.gold_sha256)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ground:
    """By what the items of a project are counted."""

    project: Project
    questions: schemas.Questions
    fit: Fitted | None

    @classmethod
    def of(cls, project: Project, questions: schemas.Questions | None = None) -> "Ground":
        """As it is now."""
        return cls(project, questions or schemas.Questions(schemas.in_force(project)), fits.in_force(project))

    def standards(self, *, is_drawn: bool) -> Standards:
        return standards.of(self.project, self.questions.schema, self.fit, is_drawn=is_drawn)


def count(
    votes: Sequence[Vote], decision: Decided | None, *, ground: Ground, asked: Asked, is_drawn: bool,
    is_picked: bool = False,
) -> Count:  # fmt: skip
    """Count one item by what is asked now. `is_picked`: chance drew it for a person to decide, though all agree."""
    questions, fit_id = ground.questions, ground.fit.id if ground.fit else None
    wanted = ground.standards(is_drawn=is_drawn)
    decided = questions.answered_by(decision.verdicts, under=decision.schema_id) if decision else {}
    raters = frozenset(vote.rater for vote in votes)
    todays = [settling.on_todays_questions(vote, questions) for vote in votes]
    picked = questions.schema.keys if is_picked else ()
    if not is_drawn:
        pooled = tally(todays, complete=not asked.any, decided=decided, contested=picked, standards=wanted)
        return Count(pooled, weighted_error(pooled, questions.schema), fit_id, raters=raters)
    found = settling.of_item(
        votes, decision, questions=questions, is_asked=asked.by_draw, others_asked=asked.otherwise,
        confirmed=wanted.confirmed,
    )  # fmt: skip
    contested = [] if asked.by_draw else [*found.undecided, *picked]
    pooled = tally(todays, complete=not asked.any, decided=decided, contested=contested, standards=wanted)
    weighted = weighted_error(pooled, questions.schema)
    waits_for = found.waits_for or settling.SETTLED
    return Count(pooled, weighted, fit_id, waits_for, found.sha256, raters=raters, is_drawn=True)


def weighted_error(said: Tally, schema: schemas.Schema) -> float:
    """The labels expected to be wrong, each times its severity: sum over those in dispute of severity * min(p, 1 - p).

    A label without a severity counts as the mildest; where everyone is unsure p is one half.
    """
    severity = {label.key: label.severity or 1 for label in schema.labels}
    return float(sum(severity.get(key, 1) * error_of(said.labels[key]) for key in said.open))


def error_of(label: Mapping[str, Any]) -> float:
    """The chance that the likelier verdict on this label is wrong."""
    probability = label["probability"]
    return NOBODY_KNOWS if probability is None else min(probability, 1 - probability)


# ---- one item, in the transaction of the answer ---------------------------------------------------------------------
def refresh(item: Item, *, project: Project, may_ask: bool = False) -> Consensus:
    """Count one item again and store it. The caller holds the item's lock.

    `may_ask`: an answer came, so that one more person is asked where the project wants that.
    """
    standing = _standing(item)
    ground = Ground(project, standing.questions, standing.fit)
    found = count(
        standing.votes, standing.decision, ground=ground, asked=standing.asked, is_drawn=standing.is_drawn,
        is_picked=standing.is_picked,
    )  # fmt: skip
    if may_ask and project.adaptive and (more := _one_more(item, standing, ground, found)):
        found = count(standing.votes, standing.decision, ground=ground, asked=more, is_drawn=standing.is_drawn)
    if found.pooled.open or standing.has_disputes:
        _settle_disputes(project, {item.pk: found}, are_known=standing.has_disputes)
    if bool(item.not_assessable) != found.pooled.not_assessable:
        item.not_assessable = "agreed" if found.pooled.not_assessable else ""
        Item.objects.filter(pk=item.pk).update(not_assessable=item.not_assessable)
    before = standing.known.labels if standing.known else None
    stored = _store(item, project, found, known=standing.known)
    expectations.follow(
        item.pk, project=project, schema=standing.questions.schema, before=before, now=stored.labels,
        anyone_spared=standing.anyone_spared,
    )  # fmt: skip
    return stored


def more_for(found: Count, ground: Ground, *, public_id: str, spends: bool = False) -> str:
    """The purpose for which one more person is asked of a page that nobody decided; "" when nobody is."""
    return one_more.wanted(
        ground.project, ground.questions.schema, ground.fit, found.pooled, raters=found.raters, public_id=public_id,
        is_drawn=found.is_drawn, spends=spends,
    )  # fmt: skip


def _one_more(item: Item, standing: "_Standing", ground: Ground, found: Count) -> Asked | None:
    """Who is asked now that one more is; None when nobody is."""
    if standing.asked.any or standing.decision is not None:
        return None
    purpose = more_for(found, ground, public_id=item.public_id)
    slot = one_more.open_slot(ground.project, item.pk, purpose=purpose) if purpose else None
    if slot is None:
        return None
    of_a_draw = one_more.stream_of(slot) == Stream.GOLD
    return Asked(by_draw=of_a_draw, otherwise=not of_a_draw)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What decides an item's state, and what is stored of it: one query, two for a decided item."""

    votes: list[Vote]
    asked: Asked
    questions: schemas.Questions
    fit: Fitted | None
    is_drawn: bool
    is_picked: bool
    has_disputes: bool
    anyone_spared: bool  # somebody here would rather not judge a label
    decision: Decided | None
    known: Consensus | None


_ABOUT = (
    "by_draw", "otherwise", "is_drawn", "is_picked", "schema", "fit", "has_disputes", "is_decided", "anyone_spared",
)  # fmt: skip
_KNOWN = tuple(field.attname for field in Consensus._meta.concrete_fields)


def _stands(item: Any) -> QuerySet[Item, tuple[Any, ...]]:
    """A row for each vote, one without a vote where there is none: the same is said of the item in all of them."""
    waiting = Assignment.objects.filter(item=OuterRef("pk"), purpose__in=COUNTED, state__in=ballots.WAITING)
    in_force = Adjudication.objects.in_force().filter(item=OuterRef("pk"))
    return (
        Item.objects.filter(pk=item)
        .annotate(
            vote=FilteredRelation("judgments", condition=is_vote("judgments__")),
            by_draw=Exists(waiting.filter(selection__stream=Stream.GOLD)),
            otherwise=Exists(waiting.exclude(selection__stream=Stream.GOLD)),
            is_drawn=Exists(Selection.objects.filter(item=OuterRef("pk"), stream=Stream.GOLD)),
            is_picked=Exists(AuditPick.objects.open().filter(item=OuterRef("pk"))),
            schema=schemas.newest_of("project"),
            fit=fits.newest_of("project"),
            has_disputes=Exists(Dispute.objects.filter(item=OuterRef("pk"))),
            is_decided=Exists(in_force),
            anyone_spared=Exists(Desk.objects.filter(project=OuterRef("project")).exclude(opted_out=[])),
        )
        .order_by("vote__round", "vote__id")
        .values_list(*_ABOUT, *(f"consensus__{name}" for name in _KNOWN), *ballots.columns("vote"))
    )


_STANDS = Select(lambda: _stands(Place("item", BigIntegerField())))


def _standing(item: Item) -> _Standing:
    rows = _STANDS.rows(item=item.pk)
    of_votes = len(_ABOUT) + len(_KNOWN)
    known = dict(zip(_KNOWN, rows[0][len(_ABOUT) : of_votes], strict=True))
    about = dict(zip(_ABOUT, rows[0], strict=False))
    in_force = Adjudication.objects.in_force().filter(item=item.pk)
    return _Standing(
        votes=[ballots.vote_of(row[of_votes:]) for row in rows if row[of_votes] is not None],
        asked=Asked(about["by_draw"], about["otherwise"]),
        questions=schemas.Questions(schemas.by_id(about["schema"])),
        fit=fits.if_any(about["fit"]),
        is_drawn=about["is_drawn"],
        is_picked=about["is_picked"],
        has_disputes=about["has_disputes"],
        anyone_spared=about["anyone_spared"],
        decision=ballots.decisions(in_force).get(item.pk) if about["is_decided"] else None,
        known=Consensus.from_db(None, _KNOWN, known.values()) if known["id"] is not None else None,
    )


_STORE = Insert(Consensus)


def _store(item: Item, project: Project, found: Count, *, known: Consensus | None) -> Consensus:
    fresh = _row(item.pk, project.pk, found)
    if known is None:
        _STORE.run(fresh)
        return fresh
    if all(getattr(known, name) == getattr(fresh, name) for name in STORED):
        if not known.dirty:  # who answered may be another all the same
            Consensus.objects.filter(pk=known.pk).update(dirty=True)
        return known
    for name in STORED:
        setattr(known, name, getattr(fresh, name))
    known.version += 1
    known.updated_at = Now()
    known.dirty = True
    known.save(update_fields=[*STORED, "version", "updated_at", "dirty"])
    return known


def _row(item_id: int, project_id: int, found: Count) -> Consensus:
    return Consensus(item_id=item_id, project_id=project_id, **dict(zip(STORED, found.stored(), strict=True)))


def _settle_disputes(project: Project, found: dict[int, Count], *, are_known: bool = True) -> None:
    """Open a dispute for each contested label, close those that are decided or no longer contested.

    `are_known`: that these items may have disputes already.
    """
    there = Dispute.objects.filter(item__in=list(found)).only("id", "item_id", "label", "settled_at")
    known = {(dispute.item_id, dispute.label): dispute for dispute in (there if are_known else ())}
    wanted = {(item_id, key) for item_id, item in found.items() for key in item.pooled.open}
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


# ---- many items, for imports, drawn pages and the check -------------------------------------------------------------
def refresh_many(item_ids: list[int], *, project: Project) -> int:
    """Count many items again, a chunk a transaction. Returns how many were stored."""
    if not item_ids:
        return 0
    questions = schemas.Questions(schemas.read(schemas.newest_id(project)))
    for start in range(0, len(item_ids), CHUNK):
        chunk = item_ids[start : start + CHUNK]
        with transaction.atomic():
            list(Item.objects.filter(pk__in=chunk).order_by("pk").select_for_update(no_key=True).values_list("pk"))
            found = count_many(chunk, ground=Ground.of(project, questions))
            _settle_disputes(project, found)
            _store_many(project, found)
            expectations.recompute(project, chunk)
    return len(item_ids)


def count_many(item_ids: Sequence[int], *, ground: Ground) -> dict[int, Count]:
    """What each of these items of a project comes to now, from its judgments."""
    votes = ballots.votes(Judgment.objects.votes().filter(item__in=item_ids))
    decisions = ballots.decisions(Adjudication.objects.in_force().filter(item__in=item_ids))
    asked, drawn = ballots.asked(item_ids), ballots.drawn(item_ids)
    picked = set(AuditPick.objects.open().filter(item__in=item_ids).values_list("item", flat=True))
    return {
        item_id: count(
            votes.get(item_id, []), decisions.get(item_id), ground=ground, asked=asked.get(item_id, Asked()),
            is_drawn=item_id in drawn, is_picked=item_id in picked,
        )
        for item_id in item_ids
    }  # fmt: skip


def _store_many(project: Project, found: dict[int, Count]) -> None:
    Consensus.objects.bulk_create(
        [_row(item_id, project.pk, item) for item_id, item in found.items()],
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=[*STORED, "updated_at", "dirty"],
    )
    for mark, wanted in (("agreed", True), ("", False)):
        ids = [item_id for item_id, item in found.items() if item.pooled.not_assessable is wanted]
        Item.objects.filter(pk__in=ids).exclude(not_assessable=mark).update(not_assessable=mark)
