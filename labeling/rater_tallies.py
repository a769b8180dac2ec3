"""The weeks of one rater added up, and what is kept of the sum: counts per label, ready for quality/others.py."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from labeling.models import RaterCell, RaterWeek
from labeling.quality.cells import Floats
from labeling.quality.others import N_BINS, bin_of
from labeling.quality.usual import Usual

SUMMED = ("n_answers", "n_compared", "known_pages", "again_pages", "again_alike", "points", "serious")
WEEK = (
    "rater", "week", "stream", "n_answers", "known_pages", "again_pages", "again_alike", "points", "serious", "speeds",
    "known", "again", "alarms",
)  # fmt: skip
CELL = ("rater", "week", "stream", "is_mixed", "n_counted", "labels")
N_KNOWN, N_AGAIN = 4, 3


def question_of(key: str, revision: int) -> str:
    """A label's question, as RaterWeek and RaterCell name it."""
    return f"{key}:{revision}"


class Tally:
    """Weeks added up as they are stored."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.speeds: Counter[str] = Counter()
        self.known: dict[str, list[int]] = {}
        self.again: dict[str, list[int]] = {}
        self.beside: dict[str, Counter[str]] = {}  # question -> "n.k.own" -> pages
        self.alarms: set[date] = set()

    def add_week(self, week: date, counts: Iterable[int], speeds: Mapping[str, int], known: Mapping[str, list[int]],
                 again: Mapping[str, list[int]], alarms: int) -> None:  # fmt: skip
        for name, n in zip((name for name in SUMMED if name != "n_compared"), counts, strict=True):
            self.sums[name] += n
        _add(self.speeds, speeds)
        for parts, into in ((known, self.known), (again, self.again)):
            for question, some in parts.items():
                _add_parts(into, question, some)
        if alarms:
            self.alarms.add(week)

    def add_cell(self, n_counted: int, labels: Mapping[str, Mapping[str, int]]) -> None:
        self.sums["n_compared"] += n_counted
        for question, pages in labels.items():
            _add(self.beside.setdefault(question, Counter()), pages)

    def add(self, other: "Tally") -> None:
        _add(self.sums, other.sums)
        _add(self.speeds, other.speeds)
        for parts, into in ((other.known, self.known), (other.again, self.again)):
            for question, some in parts.items():
                _add_parts(into, question, some)
        for question, pages in other.beside.items():
            _add(self.beside.setdefault(question, Counter()), pages)
        self.alarms |= other.alarms

    def totals(self, usual: Mapping[str, Usual]) -> "Totals":
        """What is kept of it, for the questions asked now. usual: by question."""
        nothing = [0] * N_KNOWN, [0] * N_AGAIN
        return Totals(
            {name: self.sums[name] for name in SUMMED},
            {int(which): n for which, n in self.speeds.items()},
            sorted(self.alarms),
            {
                question: Parts(
                    self.known.get(question, nothing[0]), self.again.get(question, nothing[1]),
                    binned(self.beside.get(question, {}), one),
                )
                for question, one in usual.items()
            },
        )  # fmt: skip


def _add(into: Counter[str], some: Mapping[str, int]) -> None:
    get = into.get
    for key, n in some.items():
        into[key] = get(key, 0) + n


def _add_parts(into: dict[str, list[int]], question: str, some: list[int]) -> None:
    there = into.get(question)
    into[question] = [a + b for a, b in zip(there, some, strict=True)] if there else some


def binned(beside: Mapping[str, int], usual: Usual) -> Floats:
    """(3, N_BINS): answers to pages others answered too, yes among them, and the others' P(yes) summed, by its bin."""
    table = np.zeros((3, N_BINS))
    counts = np.array([(*map(int, key.split(".")), pages) for key, pages in beside.items()], dtype=np.int64)
    counts = counts.reshape(-1, 4)
    n, k, own, pages = counts[counts[:, 0] > 1].T
    chance = usual.p_yes(n - 1, k - own)
    for row, weight in zip(table, (pages, pages * own, pages * chance), strict=True):
        np.add.at(row, bin_of(chance), weight)
    return table


# ---- what is kept ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Parts:
    """One question. known: known yes, of those yes, known no, of those no. again: both times no, once, both yes."""

    known: list[int]
    again: list[int]
    beside: Floats  # see `binned`


@dataclass(frozen=True, slots=True)
class Totals:
    sums: dict[str, int]
    speeds: dict[int, int]
    alarms: list[date]
    questions: dict[str, Parts] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        return {
            "sums": self.sums,
            "speeds": self.speeds,
            "alarms": [monday.isoformat() for monday in self.alarms],
            "questions": {
                question: [one.known, one.again, np.round(one.beside, 6).tolist()]
                for question, one in self.questions.items()
            },
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Totals":
        return cls(
            stored["sums"],
            {int(which): n for which, n in stored["speeds"].items()},
            [date.fromisoformat(monday) for monday in stored["alarms"]],
            {
                question: Parts(known, again, np.array(beside))
                for question, (known, again, beside) in stored["questions"].items()
            },
        )


# ---- adding up rows -------------------------------------------------------------------------------------------------
Place = tuple[int, int, str, bool]  # rater, band of weeks, stream, whether answers to its pages came from several


def by_band(weeks: Any, cells: Any, bands: Iterable[date]) -> dict[Place, Tally]:
    """The rows of RaterWeek and RaterCell added up by rater, band and stream. A band holds the weeks from its Monday
    on, up to the next later band. bands: Mondays, the newest first; older weeks are in the last band of all.

    The weeks of a rater stand under is_mixed=False.
    """
    edges, found = sorted(bands), defaultdict[Place, Tally](Tally)

    def band(week: date) -> int:
        return sum(week < edge for edge in edges)

    for rater, week, stream, *counts, speeds, known, again, alarms in weeks.values_list(*WEEK):
        found[rater, band(week), stream, False].add_week(week, counts, speeds, known, again, alarms)
    for rater, week, stream, is_mixed, n_counted, labels in cells.values_list(*CELL):
        found[rater, band(week), stream, is_mixed].add_cell(n_counted, labels)
    return dict(found)


def rows_of(raters: Iterable[int]) -> tuple[Any, Any]:
    """The rows of these raters; of answers beside others only those of people who were shown nothing."""
    some = list(raters)
    return RaterWeek.objects.filter(rater__in=some), RaterCell.objects.filter(rater__in=some, is_aided=False)


def together(places: Mapping[Place, Tally], rater: int, *, bands: int, stream: str = "") -> Tally:
    """One rater over the newest `bands` bands, in one stream or in all."""
    found = Tally()
    for (who, band, of, is_mixed), tally in places.items():
        if who == rater and band < bands and (of == stream if stream else not is_mixed):
            found.add(tally)
    return found
