"""Every two people who answered the same pages, those who agree least first; and two of them, label by label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import IntegerField, Q, Sum
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast, Coalesce

from labeling import pair_sums, schemas
from labeling.models import Label, PairCell, Project
from labeling.pair_sums import FEWEST_IN_COMMON, Table
from labeling.quality.intervals import Estimate
from labeling.quality.pairs import kappa_of_tables
from labeling.sums import Question, named

TABLE = ("n11", "n10", "n01", "n00")


@dataclass(frozen=True, eq=False)
class Everybody:
    """Pairs with 20 pages in common or more, least kappa first, undefined last. pairs: (n_pairs, 2) numbers of raters.
    kappa: (n_pairs,), NaN where both gave one and the same verdict throughout. n: (n_pairs,) pages in common."""

    pairs: npt.NDArray[np.int64]
    kappa: npt.NDArray[np.float64]
    n: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.n)

    def __getitem__(self, part: slice) -> list[tuple[int, int]]:
        return [(int(first), int(second)) for first, second in self.pairs[part]]


def of_everybody(
    project: Project, *, stream: str = "", question: Question | None = None, rater: int | None = None
) -> Everybody:
    """Kappa of every two people on one label or pooled over all; with `rater`, of this person and everybody else."""
    rows = PairCell.objects.of(project, stream=stream).order_by()
    if rater is not None:
        rows = rows.filter(Q(rater_a=rater) | Q(rater_b=rater))
    numbers = np.array(_summed(rows, question), dtype=np.int64).reshape(-1, 7)
    kappa = kappa_of_tables(numbers[:, 3:])
    order = np.lexsort((numbers[:, 1], numbers[:, 0], kappa))  # NaN sorts last
    return Everybody(numbers[order, :2], kappa[order], numbers[order, 2])


def _summed(rows: Any, question: Question | None) -> list[tuple[int, ...]]:
    """A pair has one row, or two where some of its pages are of several streams."""
    if question is None:
        sums = {f"all_{name}": Sum(name) for name in ("n", *TABLE)}
    else:
        cells = KeyTransform(named(question), "labels")
        sums = {
            f"all_{name}": Sum(Coalesce(Cast(KeyTransform(str(place), cells), IntegerField()), 0))
            for place, name in enumerate(TABLE)
        }
        sums = {"all_n": sum((sums[f"all_{name}"] for name in TABLE[1:]), sums[f"all_{TABLE[0]}"]), **sums}
    found = rows.values_list("rater_a", "rater_b").annotate(**sums).filter(all_n__gte=FEWEST_IN_COMMON)
    return list(found.values_list("rater_a", "rater_b", *sums))


def median(found: Everybody) -> float:
    """The kappa that half of the pairs reach; NaN where none is defined."""
    known = found.kappa[np.isfinite(found.kappa)]
    return float(np.median(known)) if known.size else float("nan")


# ---- two people -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OnLabel:
    """Two people on one label. table: pages on which both say yes, only the first, only the second, neither."""

    label: Label
    table: tuple[int, int, int, int]
    kappa: Estimate

    @property
    def differ(self) -> int:
        return self.table[1] + self.table[2]


@dataclass(frozen=True, slots=True)
class Two:
    n: int  # pages with a label both answered
    kappa: Estimate  # pooled over all labels
    labels: Sequence[OnLabel]  # in the order people see them


def of_two(project: Project, schema: schemas.Schema, first: int, second: int, *, stream: str = "") -> Two:
    """Two raters (by number) on every label in force and on all together."""
    questions = {(label.key, label.revision): label for label in schema.asked}
    tables = pair_sums.by_label(project, first, second, stream=stream, questions=list(questions))
    return Two(
        n=_of(tables[None]).n,
        kappa=pair_sums.estimated(tables[None]),
        labels=[
            OnLabel(label, _of(tables[question]).table, pair_sums.estimated(tables[question]))
            for question, label in questions.items()
        ],
    )


def _of(table: Table | None) -> Table:
    return table or Table(0, (0, 0, 0, 0), None)
