"""Votes: the counted answers of a project as arrays, read once in a stream.

Counted are current answers of purposes that vote: the latest of each person on each page, in the whole project or in
one stream of it. Unsure, and a label that was not asked or meant something else then, are missing. Decisions of
adjudicators are not answers.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from labeling import schemas
from labeling.models import Judgment, Rater, Stream
from labeling.quality.cells import MISSING, NO, YES, answer_counts

PROJECTS_REMEMBERED = 8
CODES = {"yes": YES, "no": NO, "unsure": MISSING}


@dataclass(frozen=True, eq=False)
class Votes:
    """Counted answers as arrays, one row an answer: items and raters by index, verdicts 1, 0, -1 by label.

    As read, they hold the latest answer of each person on each page in each stream; `overall` and `of_stream` make one
    answer a person and page of them.
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

    @property
    def n_items(self) -> int:
        return int(self.item_ids.size)

    def where(self, kept: npt.NDArray[np.bool_]) -> "Votes":
        """Only some of the answers; items and raters keep their indices."""
        return Votes(
            self.keys, self.names, self.item_ids, self.rater_ids, self.codes, self.items[kept], self.raters[kept],
            self.verdicts[kept], self.streams[kept], self.days[kept], self.seconds[kept], self.is_latest[kept],
        )  # fmt: skip

    def overall(self) -> "Votes":
        """The latest answer of each person on each page."""
        return self if self.is_latest.all() else self.where(self.is_latest)

    def of_stream(self, stream: str) -> "Votes":
        """The latest answer of each person on each page among those asked for in this stream."""
        return self.where(self.streams == stream)

    def plus(self, fresh: "Votes") -> "Votes | None":
        """These and newer answers together; None where that takes more: new people, or a second answer."""
        if fresh.rater_ids != self.rater_ids:
            return None
        item_ids = np.union1d(self.item_ids, fresh.item_ids)
        items = np.searchsorted(item_ids, self.item_ids)[self.items]
        added = np.searchsorted(item_ids, fresh.item_ids)[fresh.items]
        n_raters = len(self.rater_ids)
        if np.isin(added * n_raters + fresh.raters, items * n_raters + self.raters).any():
            return None
        return Votes(
            self.keys, self.names, item_ids, self.rater_ids, self.codes, np.concatenate([items, added]),
            np.concatenate([self.raters, fresh.raters]), np.concatenate([self.verdicts, fresh.verdicts]),
            np.concatenate([self.streams, fresh.streams]), np.concatenate([self.days, fresh.days]),
            np.concatenate([self.seconds, fresh.seconds]), np.concatenate([self.is_latest, fresh.is_latest]),
        )  # fmt: skip

    def counts(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Answers and yes answers per item and label: two arrays (n_items, n_labels)."""
        n, k = answer_counts(self.items, self.verdicts)
        rest = ((0, self.n_items - n.shape[0]), (0, 0))
        return np.pad(n, rest), np.pad(k, rest)


# ---- reading ---------------------------------------------------------------------------------------------------------
# What was read last of each project: (newest id, number of votes, the votes). The time a project was made tells two
# databases apart that give the same number to different projects, as those of tests do.
_known: OrderedDict[tuple[int, datetime, int], tuple[int, int, Votes]] = OrderedDict()


def remembered(whose: tuple[int, datetime, int], last: int | None, n: int) -> Votes:
    """Read what came since the last time; everything, if an older answer was replaced or voided meanwhile."""
    project_id, _, schema_id = whose
    found = _read_more(whose, last, n) or read(project_id, schema_id, to=last)
    _known[whose] = (last or 0, n, found)
    _known.move_to_end(whose)
    while len(_known) > PROJECTS_REMEMBERED:
        _known.popitem(last=False)
    return found


def _read_more(whose: tuple[int, datetime, int], last: int | None, n: int) -> Votes | None:
    project_id, _, schema_id = whose
    before, n_before, known = _known.get(whose, (0, 0, None))
    if known is None or last is None:
        return None
    n_added = Judgment.objects.votes().filter(rater__project=project_id, pk__gt=before, pk__lte=last).count()
    if n - n_added != n_before:
        return None
    return known.plus(read(project_id, schema_id, after=before, to=last))


def read(project_id: int, schema_id: int, *, after: int = 0, to: int | None = None) -> Votes:
    """The counted answers of a project to the labels of one schema version, those with after < id <= to."""
    schema = schemas.by_id(schema_id)
    keys = schema.keys
    raters = dict(Rater.objects.filter(project=project_id).order_by("code").values_list("pk", "code"))
    place_of = {pk: place for place, pk in enumerate(raters)}
    questions = schemas.Questions(schema)
    latest: dict[tuple[int, int, str], tuple[Any, ...]] = {}
    last_stream: dict[tuple[int, int], str] = {}
    rows = Judgment.objects.votes().filter(rater__project=project_id, outcome=Judgment.Outcome.JUDGED)
    rows = rows.filter(pk__gt=after, pk__lte=to or 0)
    for item, rater, version, said, at, seconds, source, stream in (
        rows.order_by("round", "id")
        .values_list("item_id", "rater_id", "schema_id", "verdicts", "submitted_at", "active_seconds", "source",
                     "assignment__selection__stream")
        .iterator(chunk_size=5000)
    ):  # fmt: skip
        same = questions.same_under(version)
        codes = [CODES[said.get(key, "unsure")] if key in same else MISSING for key in keys]
        # The day of an imported answer is the day of its file, which says nothing about work here.
        day = None if source == Judgment.Source.IMPORT else at.date()
        stream = stream or Stream.IMPORT.value
        latest[item, rater, stream] = (item, place_of[rater], codes, stream, day, seconds)
        last_stream[item, rater] = stream
    items, who, verdicts, streams, days, spent = zip(*latest.values(), strict=True) if latest else ([],) * 6
    distinct, dense = np.unique(np.array(items, dtype=np.int64), return_inverse=True)
    return Votes(
        keys=keys,
        names=tuple(label.name for label in schema.asked),
        item_ids=distinct,
        rater_ids=tuple(raters),
        codes=tuple(raters.values()),
        items=dense.astype(np.int64),
        raters=np.array(who, dtype=np.int64),
        verdicts=np.array(verdicts, dtype=np.int8).reshape(-1, len(keys)),
        streams=np.array(streams, dtype=np.str_),
        days=np.array(days, dtype="datetime64[D]"),
        seconds=np.array(spent, dtype=np.float64),
        is_latest=np.array([last_stream[item, rater] == stream for item, rater, stream in latest], dtype=np.bool_),
    )
