"""Sums over pages, as the tables of models/summaries.py hold them: what one page adds, and what it takes back.

Everything here is a plain sum of whole numbers, so a page that changed is subtracted as it was and added as it is, in
any order and as often as one likes: nothing drifts. No table is read or written here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from labeling.counted import NO, YES, View, Whose

Question = tuple[str, int]  # label key, revision
TABLE = (YES + YES, YES + NO, NO + YES, NO + NO)  # n11, n10, n01, n00
N_PRODUCTS = 10
ANYTHING: Question = ("", 0)  # whether a page's answers tick anything at all


def named(question: Question) -> str:
    """A question as the key of a JSON object."""
    return f"{question[0]}:{question[1]}"


class CellKey(NamedTuple):
    whose: Whose
    question: Question
    week: date
    n: int
    k: int


class RaterKey(NamedTuple):
    whose: Whose
    rater: int
    week: date


class PairKey(NamedTuple):
    whose: Whose
    rater_a: int
    rater_b: int


class ConfusionKey(NamedTuple):
    whose: Whose
    left: Question
    right: Question
    week: date


@dataclass(slots=True)
class RaterSum:
    """One rater's week. `labels`: question -> (answers of the page, yes among them, own: 1 or 0) -> pages."""

    n_answers: int = 0
    n_counted: int = 0
    ticks: int = 0
    ticks_squared: int = 0
    labels: dict[Question, Counter[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(slots=True)
class PairSum:
    """Two raters. `products`: over pages, of (labels, both yes, only a, only b), as `products_of` lists them."""

    n: int = 0
    products: list[int] = field(default_factory=lambda: [0] * N_PRODUCTS)
    labels: dict[Question, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0]))


@dataclass(slots=True)
class ConfusionSum:
    n: int = 0  # pages on which people differ about either label
    k: int = 0  # of those, pages on which two people swap the two
    swaps: int = 0  # pairs of answers that do


@dataclass(slots=True)
class Sums:
    """What some pages come to together."""

    cells: Counter[CellKey] = field(default_factory=Counter)
    raters: dict[RaterKey, RaterSum] = field(default_factory=lambda: defaultdict(RaterSum))
    pairs: dict[PairKey, PairSum] = field(default_factory=lambda: defaultdict(PairSum))
    confusions: dict[ConfusionKey, ConfusionSum] = field(default_factory=lambda: defaultdict(ConfusionSum))

    def add(self, view: View, questions: Sequence[Question], *, times: int = 1) -> None:
        """Put a page in; `times=-1` takes it out again."""
        answers = sorted(view.answers.items())
        counts = [(column.count(YES) + column.count(NO), column.count(YES)) for column in _columns(answers)]
        ticking = sum(YES in letters for _, letters in answers)
        for question, (n, k) in zip((ANYTHING, *questions), ((len(answers), ticking), *counts), strict=True):
            if n:
                self.cells[CellKey(view.whose, question, view.week, n, k)] += times
        for rater, letters in answers:
            self._add_rater(view, rater, letters, questions, counts, times)
        for rater in view.later:
            self.raters[RaterKey(view.whose, rater, view.week)].n_answers += times
        for (rater_a, a), (rater_b, b) in combinations(answers, 2):
            self._add_pair(PairKey(view.whose, rater_a, rater_b), a, b, questions, times)
        if any(0 < k < n for n, k in counts):
            self._add_confusions(view, [letters for _, letters in answers], questions, counts, times)

    def _add_rater(
        self, view: View, rater: int, letters: str, questions: Sequence[Question], counts: list[tuple[int, int]],
        times: int,
    ) -> None:  # fmt: skip
        into = self.raters[RaterKey(view.whose, rater, view.week)]
        ticks = letters.count(YES)
        into.n_answers += times
        into.n_counted += times
        into.ticks += times * ticks
        into.ticks_squared += times * ticks**2
        for question, letter, (n, k) in zip(questions, letters, counts, strict=True):
            if letter in {YES, NO}:
                into.labels[question][n, k, int(letter == YES)] += times

    def _add_pair(self, key: PairKey, a: str, b: str, questions: Sequence[Question], times: int) -> None:
        found = compared(a, b)
        if not found.places:
            return
        into = self.pairs[key]
        into.n += times
        for place, product in enumerate(found.products):
            into.products[place] += times * product
        for label, outcome in found.places:
            into.labels[questions[label]][outcome] += times

    def _add_confusions(
        self, view: View, said: list[str], questions: Sequence[Question], counts: list[tuple[int, int]], times: int
    ) -> None:
        differing = {label for label, (n, k) in enumerate(counts) if 0 < k < n}
        swapped = Counter(pair for a, b in combinations(said, 2) for pair in compared(a, b).swaps)
        for left, right in combinations(sorted(range(len(questions)), key=lambda label: questions[label]), 2):
            if left in differing or right in differing:
                into = self.confusions[ConfusionKey(view.whose, questions[left], questions[right], view.week)]
                swaps = swapped[left, right] + swapped[right, left]
                into.n += times
                into.k += times * (swaps > 0)
                into.swaps += times * swaps


class Compared(NamedTuple):
    """Two answers to one page. places: (label, place in TABLE) where both said yes or no."""

    places: tuple[tuple[int, int], ...]
    products: tuple[int, ...]
    swaps: tuple[tuple[int, int], ...]  # (yes of a that b denies, yes of b that a denies)


@lru_cache(maxsize=50_000)  # few answers are told apart: the same two come again and again
def compared(a: str, b: str) -> Compared:
    places = tuple((label, TABLE.index(x + y)) for label, (x, y) in enumerate(zip(a, b, strict=True)) if x + y in TABLE)
    of = Counter(outcome for _, outcome in places)
    only_a, only_b = ([label for label, outcome in places if outcome == which] for which in (1, 2))
    swaps = tuple((left, right) for left in only_a for right in only_b)
    return Compared(places, products_of((len(places), of[0], of[1], of[2])), swaps)


def products_of(numbers: Sequence[int]) -> tuple[int, ...]:
    """The products of each two of four numbers, itself included, row by row of the upper triangle."""
    return tuple(x * y for place, x in enumerate(numbers) for y in numbers[place:])


def _columns(answers: list[tuple[int, str]]) -> Iterator[tuple[str, ...]]:
    return zip(*(letters for _, letters in answers), strict=True)
