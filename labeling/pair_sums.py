"""Kappa of two people from their sum, for as many people as are looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db.models import F

from labeling.models import PairCell, Project
from labeling.quality.contrast import kappa_of_sums
from labeling.quality.intervals import Estimate, undefined
from labeling.quality.pairs import kappa_of_tables
from labeling.sums import Question, named
from labeling.sums_stored import pair_number

FEWEST_IN_COMMON = 20  # below, a pair's kappa says nothing
MOST_NAMED = 60  # people whose pairs are asked for by name; above, all pairs are read
NOTHING: list[int] = [0, 0, 0, 0]


class Table(NamedTuple):
    """Two people, the one with the smaller index first. n: pages in common. table: both yes, only the first, only the
    second, neither. products: what the interval over pages needs, None where one label is looked at."""

    n: int
    table: tuple[int, int, int, int]
    products: Sequence[int] | None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every two of some people (indices into the report's raters), pooled over labels or on one of them."""

    raters: frozenset[int]
    tables: dict[tuple[int, int], Table]

    @classmethod
    def read(
        cls, project: Project, rater_ids: Sequence[int], raters: Sequence[int] | None, *, stream: str, is_aided: bool,
        question: Question | None,
    ) -> "Pairs":  # fmt: skip
        rows = PairCell.objects.of(project, stream=stream, is_aided=is_aided)
        chosen = range(len(rater_ids)) if raters is None else raters
        if raters is not None and len(raters) <= MOST_NAMED:
            ids = sorted(rater_ids[rater] for rater in raters)
            rows = rows.filter(pair__in=[pair_number(a, b) for place, a in enumerate(ids) for b in ids[place + 1 :]])
        place = {rater_ids[rater]: rater for rater in chosen}
        return cls(frozenset(chosen), _tables(rows, place, question))

    def covers(self, left: int, right: int) -> bool:
        return left in self.raters and right in self.raters

    def n_common(self, left: int, right: int) -> int:
        found = self.tables.get((min(left, right), max(left, right)))
        return found.n if found else 0

    def estimate(self, left: int, right: int) -> Estimate:
        """Kappa with its interval over pages; undefined under 20 pages in common."""
        return estimated(self.tables.get((min(left, right), max(left, right))))

    def kappa(self, left: int, right: int) -> float:
        """Kappa however few the pages; NaN where undefined, and of a person with themself."""
        return self._kappas.get((min(left, right), max(left, right)), float("nan"))

    @cached_property
    def _kappas(self) -> dict[tuple[int, int], float]:
        tables = np.array([found.table for found in self.tables.values()], dtype=np.int64).reshape(-1, 4)
        return dict(zip(self.tables, kappa_of_tables(tables).tolist(), strict=True))

    def by_agreement(self, raters: Sequence[int]) -> list[int]:
        """The same people, those first who agree most with the others, where 20 pages in common tell."""
        mean = {}
        for rater in raters:
            known = [self.kappa(rater, other) for other in raters if self.n_common(rater, other) >= FEWEST_IN_COMMON]
            known = [kappa for kappa in known if np.isfinite(kappa)]
            mean[rater] = float(np.mean(known)) if known else -np.inf
        return sorted(raters, key=lambda rater: -mean[rater])


def of_pairs(
    project: Project, pairs: Sequence[tuple[int, int]], *, stream: str, question: Question | None
) -> list[Table | None]:
    """The tables of these pairs of raters (by number, any one first); None where they have no page in common."""
    numbers = [pair_number(min(pair), max(pair)) for pair in pairs]
    rows = PairCell.objects.of(project, stream=stream).filter(pair__in=numbers)
    known = _tables(rows, {rater: rater for pair in pairs for rater in pair}, question)
    found = [known.get((min(pair), max(pair))) for pair in pairs]
    return [_turned(one) if one and pair[0] > pair[1] else one for one, pair in zip(found, pairs, strict=True)]


def by_label(
    project: Project, first: int, second: int, *, stream: str, questions: Sequence[Question]
) -> dict[Question | None, Table | None]:
    """The tables of two raters (by number) for each of these questions, and under None pooled over all labels."""
    rows = list(
        PairCell.objects.of(project, stream=stream).filter(pair=pair_number(min(first, second), max(first, second)))
    )
    found: dict[Question | None, Table | None] = {}
    for question in (None, *questions):
        tables: dict[tuple[int, int], Table] = {}
        for row in rows:
            pooled = [row.n, row.n11, row.n10, row.n01, row.n00, row.products]
            numbers = pooled if question is None else [row.labels.get(named(question))]
            _add(tables, row.rater_a_id, row.rater_b_id, _table(numbers, question))
        table = next(iter(tables.values()), None)
        found[question] = _turned(table) if table and first > second else table
    return found


def estimated(found: Table | None) -> Estimate:
    """Kappa of a table with its interval over pages; undefined under 20 pages in common."""
    n = found.n if found else 0
    if found is None or n < FEWEST_IN_COMMON:
        return undefined(f"too few pages in common: {FEWEST_IN_COMMON} are needed", n=n)
    both, only_left, only_right, neither = found.table
    totals = np.array([both + only_left + only_right + neither, both, only_left, only_right])
    return kappa_of_sums(_products(found), totals, n_pages=n)


def _tables(rows: Any, place: Mapping[int, int], question: Question | None) -> dict[tuple[int, int], Table]:
    """By the places of two raters, the smaller first."""
    tables: dict[tuple[int, int], Table] = {}
    for first, second, *numbers in _columns(rows, question):
        if first in place and second in place:
            _add(tables, place[first], place[second], _table(numbers, question))
    return tables


def _columns(rows: Any, question: Question | None) -> Any:
    if question is None:
        return rows.values_list("rater_a", "rater_b", "n", "n11", "n10", "n01", "n00", "products")
    return rows.annotate(of_label=F(f"labels__{named(question)}")).values_list("rater_a", "rater_b", "of_label")


def _table(numbers: Sequence[Any], question: Question | None) -> Table:
    if question is None:
        n, both, only_left, only_right, neither, products = numbers
        return Table(n, (both, only_left, only_right, neither), products)
    both, only_left, only_right, neither = numbers[0] or NOTHING
    return Table(both + only_left + only_right + neither, (both, only_left, only_right, neither), None)


def _add(tables: dict[tuple[int, int], Table], first: int, second: int, found: Table) -> None:
    """Rows hold the rater with the smaller number first, a report the one with the smaller index. A pair has one row,
    or two where some of its pages are of several streams."""
    if not found.n:
        return
    if first > second:
        first, second, found = second, first, _turned(found)
    before = tables.get((first, second))
    if before is not None:
        table = tuple(x + y for x, y in zip(before.table, found.table, strict=True))
        products = None
        if before.products is not None and found.products is not None:
            products = [x + y for x, y in zip(before.products, found.products, strict=True)]
        found = Table(before.n + found.n, (table[0], table[1], table[2], table[3]), products)
    tables[first, second] = found


def _turned(found: Table) -> Table:
    both, only_left, only_right, neither = found.table
    products = found.products
    if products is not None:
        square = _square(products)[np.ix_([0, 1, 3, 2], [0, 1, 3, 2])]
        products = square[np.triu_indices(4)].tolist()
    return Table(found.n, (both, only_right, only_left, neither), products)


def _products(found: Table) -> npt.NDArray[np.int64]:
    if found.products is not None:
        return _square(found.products)
    both, only_left, only_right, _ = found.table
    one_label = np.diag([found.n, both, only_left, only_right])  # a page has one outcome
    one_label[0, 1:] = one_label[1:, 0] = (both, only_left, only_right)
    return one_label


def _square(products: Sequence[int]) -> npt.NDArray[np.int64]:
    """The upper triangle as the whole, symmetrical table."""
    square = np.zeros((4, 4), dtype=np.int64)
    square[np.triu_indices(4)] = products
    return np.triu(square) + np.triu(square, 1).T
