"""What only whole answers say, and no sum: agreement on sets of labels, and what a few people who tick nearly all do.

Worked out by the job that keeps the sums, on every page while they are few and on a fixed random part of them where
they are many: the public id is a hash, so its order is a draw that does not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labeling import schemas
from labeling.counted import UNSURE, YES, View, Whose
from labeling.models import Counted, Project
from labeling.quality import cells
from labeling.quality.cells import answer_counts, cells_of
from labeling.quality.contrast import alpha_rise
from labeling.quality.intervals import Estimate
from labeling.quality.sets import complete_sets, set_alpha

PAGES = 20_000
FEWEST_ANSWERS = 20  # below, nothing is said about one person
FEWEST_LABELS = 4  # "more than half of the labels" means something from here on
CODES = {YES: cells.YES, "n": cells.NO, UNSURE: cells.MISSING, "-": cells.MISSING}


@dataclass(frozen=True, eq=False)
class Answers:
    """One row an answer: (n,) items and raters by index, (n, n_labels) verdicts 1, 0, -1. rater_ids: by index."""

    items: npt.NDArray[np.int64]
    raters: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int8]
    rater_ids: npt.NDArray[np.int64]

    @classmethod
    def of(cls, views: Sequence[View], n_labels: int) -> "Answers":
        rows = [(item, rater, letters) for item, view in enumerate(views) for rater, letters in view.answers.items()]
        rater_ids, raters = np.unique(np.array([rater for _, rater, _ in rows], dtype=np.int64), return_inverse=True)
        verdicts = np.array([[CODES[letter] for letter in letters] for *_, letters in rows], dtype=np.int8)
        return cls(np.array([item for item, *_ in rows], dtype=np.int64), raters.astype(np.int64),
                   verdicts.reshape(len(rows), n_labels), rater_ids)  # fmt: skip


def measured(project: Project, schema: schemas.Schema) -> dict[str, dict[str, Any]]:
    """By view (`name_of`): what follows from the whole answers in it."""
    rows = Counted.objects.filter(project=project, schema=schema.id).order_by("item__public_id")
    views: dict[str, list[View]] = {}
    for stored in rows.values_list("views", flat=True)[:PAGES]:
        for view in map(View.read, stored):
            for name in _names_of(view.whose):
                views.setdefault(name, []).append(view)
    return {name: _measured(Answers.of(found, len(schema.keys)), schema) for name, found in sorted(views.items())}


def name_of(stream: str, *, is_aided: bool) -> str:
    return f"{stream}+" if is_aided else stream


def is_in(whose: Whose, stream: str) -> bool:
    """Whether a page counted there is of this stream; without one, of the whole project."""
    return whose.stream == stream if stream else not whose.is_mixed


def _names_of(whose: Whose) -> list[str]:
    streams = [stream for stream in {"", whose.stream} if is_in(whose, stream)]
    return [name_of(stream, is_aided=whose.is_aided) for stream in streams]


def _measured(answers: Answers, schema: schemas.Schema) -> dict[str, Any]:
    items, sets = complete_sets(answers.items, answers.verdicts)
    return {
        "masi": set_alpha(items, sets, distance="masi").as_dict(),
        "jaccard": set_alpha(items, sets, distance="jaccard").as_dict(),
        "n_pages": int(np.unique(answers.items).size),
        "ticks_most": _ticks_most(answers, schema),
    }


# ---- people who tick nearly everything ------------------------------------------------------------------------------
def _ticks_most(answers: Answers, schema: schemas.Schema) -> dict[str, Any] | None:
    """People of 20 answers or more who surely tick more than half of the labels of an average page; agreement without
    them, and by how much it rises on each label."""
    n_labels, n_people = len(schema.keys), answers.rater_ids.size
    if n_labels < FEWEST_LABELS:
        return None
    ticked = (answers.verdicts == cells.YES).sum(axis=1)
    found = [rater for rater in range(n_people) if _lower_end(ticked[answers.raters == rater]) > n_labels / 2]
    if not found or 2 * len(found) >= n_people:
        return None
    rest = ~np.isin(answers.raters, found)
    n, k = answer_counts(answers.items, answers.verdicts)
    n_rest, k_rest = (
        np.pad(counts, ((0, n.shape[0] - counts.shape[0]), (0, 0)))
        for counts in answer_counts(answers.items[rest], answers.verdicts[rest])
    )
    rises: list[Estimate] = [
        alpha_rise(n[:, label], k[:, label], n_rest[:, label], k_rest[:, label]) for label in range(n_labels)
    ]
    without = cells_of(answers.items[rest], answers.verdicts[rest])
    return {
        "raters": [int(answers.rater_ids[rater]) for rater in found],
        "rises": [rise.as_dict() for rise in rises],
        "without": [np.column_stack([of.n, of.k, of.count]).tolist() for of in without],
    }


def _lower_end(ticked: npt.NDArray[np.int64]) -> float:
    """Lower end of the 95 % interval of a mean; minus infinity below 20 answers."""
    if ticked.size < FEWEST_ANSWERS:
        return -np.inf
    return float(ticked.mean() - 1.96 * ticked.std(ddof=1) / np.sqrt(ticked.size))
