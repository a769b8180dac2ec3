"""Votes: the counted answers of a project as arrays, read once in a stream.

Counted are current answers of purposes that vote: of each person on each page and label the latest that was asked that
label, in the whole project or in one stream of it, as tallies.py counts them for one page. Unsure, and a label that was
not asked or meant something else then, are missing. Decisions of adjudicators are not answers.
"""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from labeling import schemas
from labeling.models import Judgment, Rater, Stream
from labeling.quality.cells import MISSING, NO, YES, answer_counts

CODES = {"yes": YES, "no": NO, "unsure": MISSING}
EVERY_ANSWER = Q()
NOT_ASKED = -2  # while reading: leaves what the same person said before


@dataclass(frozen=True, eq=False)
class Votes:
    """Counted answers as arrays, one row an answer: items and raters by index, verdicts 1, 0, -1 by label.

    As read, they hold what each person says of each page in each stream; `overall` and `of_stream` make one answer a
    person and page of them.
    """

    keys: tuple[str, ...]
    names: tuple[str, ...]
    item_ids: npt.NDArray[np.int64]
    rater_ids: tuple[int, ...]
    codes: tuple[str, ...]
    items: npt.NDArray[np.int64]
    raters: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int8]
    streams: npt.NDArray[np.str_]
    days: npt.NDArray[np.datetime64]  # NaT for answers that were not given here
    seconds: npt.NDArray[np.float64]
    is_latest: npt.NDArray[np.bool_]  # of this person on this page, whatever the stream
    in_all: npt.NDArray[np.int8]  # where it is: the verdicts over all streams

    @property
    def n_items(self) -> int:
        return int(self.item_ids.size)

    def where(self, kept: npt.NDArray[np.bool_]) -> "Votes":
        """Only some of the answers; items and raters keep their indices."""
        return Votes(
            self.keys, self.names, self.item_ids, self.rater_ids, self.codes, self.items[kept], self.raters[kept],
            self.verdicts[kept], self.streams[kept], self.days[kept], self.seconds[kept], self.is_latest[kept],
            self.in_all[kept],
        )  # fmt: skip

    def overall(self) -> "Votes":
        """What each person says of each page."""
        latest = self if self.is_latest.all() else self.where(self.is_latest)
        return replace(latest, verdicts=latest.in_all)

    def of_stream(self, stream: str) -> "Votes":
        """What each person says of each page where it was asked for in this stream."""
        return self.where(self.streams == stream)

    def counts(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Answers and yes answers per item and label: two arrays (n_items, n_labels)."""
        n, k = answer_counts(self.items, self.verdicts)
        rest = ((0, self.n_items - n.shape[0]), (0, 0))
        return np.pad(n, rest), np.pad(k, rest)


# ---- reading ---------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Said:
    """What one person says of one page, in one stream or in all: a code for each label."""

    codes: list[int]
    stream: str
    day: Any
    seconds: float | None

    def with_later(self, later: "_Said", *, asks_some: bool) -> "_Said":
        """A later answer counts on the labels it was asked; one that was asked some adds to the answer there was."""
        codes = [old if new == NOT_ASKED else new for old, new in zip(self.codes, later.codes, strict=True)]
        day, seconds = (self.day, self.seconds) if asks_some else (later.day, later.seconds)
        return _Said(codes, later.stream, day, seconds)


Place = TypeVar("Place", bound=tuple[Any, ...])


def _keep(known: dict[Place, _Said], place: Place, fresh: _Said, *, asks_some: bool) -> None:
    before = known.get(place)
    known[place] = before.with_later(fresh, asks_some=asks_some) if before else fresh


ROW = (
    "item_id", "rater_id", "schema_id", "verdicts", "submitted_at", "active_seconds", "source", "outcome",
    "assignment__asked", "assignment__selection__stream",
)  # fmt: skip


def read(
    project_id: int, schema_id: int, *, after: int = 0, to: int | None = None, among: Q = EVERY_ANSWER
) -> Votes:  # fmt: skip
    """The counted answers of a project to the labels of one schema version, those with after < id <= to.

    `among`: a condition on them; it has to choose whole pages, or what a person says of a page is only half of it.
    """
    schema = schemas.by_id(schema_id)
    questions = schemas.Questions(schema)
    in_stream: dict[tuple[int, int, str], _Said] = {}
    in_all: dict[tuple[int, int], _Said] = {}
    rows = Judgment.objects.votes().filter(among, rater__project=project_id, pk__gt=after, pk__lte=to or 0)
    for item, rater, version, said, at, seconds, source, outcome, some, stream in (
        rows.order_by("round", "id").values_list(*ROW).iterator(chunk_size=5000)
    ):
        stream = stream or Stream.IMPORT.value
        if outcome != Judgment.Outcome.JUDGED:  # they take back what they said
            in_stream.pop((item, rater, stream), None)
            in_all.pop((item, rater), None)
            continue
        same = questions.same_under(version)
        codes = [CODES[said[key]] if key in said and key in same else NOT_ASKED for key in schema.keys]
        # The day of an imported answer is the day of its file, which says nothing about work here.
        day = None if source == Judgment.Source.IMPORT else at.date()
        fresh = _Said(codes, stream, day, seconds)
        _keep(in_stream, (item, rater, stream), fresh, asks_some=some is not None)
        _keep(in_all, (item, rater), fresh, asks_some=some is not None)
    return _as_arrays(project_id, schema, in_stream, in_all)


def _as_arrays(
    project_id: int,
    schema: schemas.Schema,
    in_stream: dict[tuple[int, int, str], _Said],
    in_all: dict[tuple[int, int], _Said],
) -> Votes:
    raters = dict(Rater.objects.filter(project=project_id).order_by("code").values_list("pk", "code"))
    place_of = {pk: place for place, pk in enumerate(raters)}
    latest = [in_all.get((item, rater)) for item, rater, _ in in_stream]
    is_latest = [whole is not None and whole.stream == stream
                 for whole, (_, _, stream) in zip(latest, in_stream, strict=True)]  # fmt: skip
    here = list(in_stream.values())
    overall = [whole if whole and last else one for whole, last, one in zip(latest, is_latest, here, strict=True)]
    distinct, dense = np.unique(np.array([item for item, _, _ in in_stream], dtype=np.int64), return_inverse=True)
    return Votes(
        keys=schema.keys,
        names=tuple(label.name for label in schema.asked),
        item_ids=distinct,
        rater_ids=tuple(raters),
        codes=tuple(raters.values()),
        items=dense.astype(np.int64),
        raters=np.array([place_of[rater] for _, rater, _ in in_stream], dtype=np.int64),
        verdicts=_verdicts(here, len(schema.keys)),
        streams=np.array([stream for _, _, stream in in_stream], dtype=np.str_),
        days=np.array([one.day for one in here], dtype="datetime64[D]"),
        seconds=np.array([one.seconds for one in here], dtype=np.float64),
        is_latest=np.array(is_latest, dtype=np.bool_),
        in_all=_verdicts(overall, len(schema.keys)),
    )


def _verdicts(said: list[_Said], n_labels: int) -> npt.NDArray[np.int8]:
    codes = np.array([one.codes for one in said], dtype=np.int8).reshape(len(said), n_labels)
    return np.maximum(codes, np.int8(MISSING))
