"""What is counted about items, read from the database: their votes, the decision in force, and who is still asked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from labeling.models import Adjudication, Assignment, Judgment, Selection, State, Stream
from labeling.models.work import COUNTED
from labeling.settling import Decided
from labeling.tallies import Vote

VOTE = (
    "rater_id", "round", "outcome", "verdicts", "id", "schema_id", "snapshot_id",
    "assignment__selection__stream",
)  # fmt: skip
WAITING = (State.OPEN, State.LEASED)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether answers to an item are still to come: from people a draw asked, or from others."""

    by_draw: bool = False
    otherwise: bool = False

    @property
    def any(self) -> bool:
        return self.by_draw or self.otherwise


def votes(judgments: QuerySet[Judgment]) -> dict[int, list[Vote]]:
    """Item id -> the votes among these answers, in the order of their rounds."""
    return by_item(rows(judgments))


def rows(judgments: QuerySet[Judgment]) -> QuerySet[Judgment, tuple[Any, ...]]:
    """These answers as `by_item` reads them."""
    return judgments.order_by("round", "id").values_list("item_id", *VOTE)


def columns(where: str) -> tuple[str, ...]:
    """What `vote_of` reads of each answer, from another model."""
    return tuple(f"{where}__{name}" for name in VOTE)


def by_item(answers: Iterable[tuple[Any, ...]]) -> dict[int, list[Vote]]:
    """Item id -> votes, from `rows`."""
    found: dict[int, list[Vote]] = defaultdict(list)
    for item_id, *said in answers:
        found[item_id].append(vote_of(said))
    return found


def vote_of(said: Sequence[Any]) -> Vote:
    """One answer, from its columns."""
    rater, turn, outcome, verdicts, pk, schema, snapshot, stream = said
    return Vote(rater, turn, outcome, verdicts, pk, schema, snapshot, stream == Stream.GOLD)


def decisions(adjudications: QuerySet[Adjudication]) -> dict[int, Decided]:
    """Item id -> the decision; of several the latest."""
    rows = adjudications.order_by("id").values_list("item_id", "id", "schema_id", "verdicts", "seen")
    return {item_id: Decided(*decision) for item_id, *decision in rows}


def asked(item_ids: Collection[int]) -> dict[int, Asked]:
    """Item id -> who is still asked, for the items that somebody is asked about."""
    slots = Assignment.objects.filter(item__in=item_ids, purpose__in=COUNTED, state__in=WAITING)
    streams: dict[int, set[bool]] = defaultdict(set)
    for item_id, stream in slots.values_list("item_id", "selection__stream").distinct():
        streams[item_id].add(stream == Stream.GOLD)
    return {item_id: Asked(True in found, False in found) for item_id, found in streams.items()}


def drawn(item_ids: Collection[int]) -> set[int]:
    """Those that a draw has chosen."""
    chosen = Selection.objects.filter(item__in=item_ids, stream=Stream.GOLD)
    return set(chosen.values_list("item", flat=True))
