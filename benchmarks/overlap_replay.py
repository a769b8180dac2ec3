"""Replay real judgments: how many does adaptive overlap save against a fixed number, at the same quality?

    python -m benchmarks.overlap_replay DIR --set adult3|crowdtruth [--seeds 0 1 2 ...]

DIR holds adult3_judgments.csv.gz (columns i, w, label: G P R X B) and crowdtruth_odre_judgments.csv.gz (i, w, labels:
numbers joined by blanks) with crowdtruth_odre_labels.csv. They are not shipped: their licences do not all allow it.

Each seed shuffles the judgments of each item. The first 10 (adult3) or 7 (CrowdTruth) can be collected; all others,
which no policy ever sees, make the reference by a fit of their own. Raters bring their record from the other half of
the items. Fixed and adaptive overlap use the same aggregator, temperature 2. Saving: 1 - judgments / judgments that
fixed overlap needs for the same quality, on straight lines between whole numbers, seed by seed; fixed overlap is
credited with its best quality up to each number. Where no fixed number is as good, the saving is against the best of
them, and so at least that. Intervals: Student's t over seeds.

adult3 has grades: its labels are "P or worse", "R or worse" and "X"; broken pages (B) are left out. "cold": raters have
no record, and every round fits what has been collected; "cold, votes" asks a third where the first two differ, as
labeling.quality.overlap does, "cold, trusted" believes the probabilities from the second judgment on, as the spec's
figure did. The reference is a crowd's, not an expert's: it says how much sooner the same people agree with themselves.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import t as student

from labeling.quality.calibration import log_loss
from labeling.quality.dawid_skene import Fit, Votes, fit
from labeling.quality.overlap import Collected, Policy, Step, most_worthwhile, plan
from labeling.quality.overlap_forecast import Pilot, forecast
from labeling.quality.skills import PSEUDO_COUNTS, Skills, calibrated

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
QUALITIES = "micro-F1", "macro-F1", "exact"
NEVER_CLEAR = 1e-12  # a stop threshold that leaves every item open: the budget alone ends it


class Judged(NamedTuple):
    """items, raters: (n_judgments,) from 0; verdicts: (n_judgments, n_labels), 1 or 0; rank: turn within its item."""

    items: Integers
    raters: Integers
    verdicts: NDArray[np.int8]
    rank: Integers

    def rows(self, which: NDArray[np.bool_]) -> Judged:
        return Judged(*(column[which] for column in self))

    @property
    def n_items(self) -> int:
        return int(self.items.max()) + 1

    @property
    def n_raters(self) -> int:
        return int(self.raters.max()) + 1


Figures = tuple[int, int, int]


class Row(NamedTuple):
    """A policy: where it stops or what it spends an item, and the savings that the spec measured, in percent."""

    stop: float | None = None
    spend: float | None = None
    spec: Figures | None = None


class Shape(NamedTuple):
    """How a set is replayed: how many judgments can be collected, and by which policies, with and without history."""

    most: int
    rows: dict[str, Row]
    cold: dict[str, Row]


SHAPES = {
    "adult3": Shape(
        10,
        {
            "stop at .30": Row(stop=0.30, spec=(29, 21, 30)),
            "stop at .25": Row(stop=0.25, spec=(40, 29, 37)),
            "stop at .20": Row(stop=0.20, spec=(38, 30, 36)),
            "spend 2.5": Row(spend=2.5, spec=(27, 17, 26)),
            "spend 4": Row(spend=4.0, spec=(39, 25, 35)),
        },
        {"cold, votes": Row(stop=0.20), "cold, trusted": Row(stop=0.20, spec=(30, 19, 28))},
    ),
    "crowdtruth": Shape(
        7,
        {
            "spend 4": Row(spend=4.0, spec=(17, 15, 15)),
            "spend 5": Row(spend=5.0, spec=(18, 16, 18)),
            "stop at .30": Row(stop=0.30),
            "stop at .20": Row(stop=0.20, spec=(18, 12, 19)),
        },
        {},
    ),
}
QUOTED = {"adult3": "stop at .30", "crowdtruth": "spend 4"}


# ---- what there is --------------------------------------------------------------------------------------------------
def read(directory: Path, name: str) -> Judged:
    return _read_adult3(directory) if name == "adult3" else _read_crowdtruth(directory)


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()))


def _read_adult3(directory: Path) -> Judged:
    rows = [row for row in _rows(directory / "adult3_judgments.csv.gz") if row["label"] != "B"]
    grades = np.array(["GPRX".index(row["label"]) for row in rows])
    return _judged(rows, (grades[:, None] >= [1, 2, 3]).astype(np.int8))


def _read_crowdtruth(directory: Path) -> Judged:
    rows = _rows(directory / "crowdtruth_odre_judgments.csv.gz")
    verdicts = np.zeros((len(rows), len((directory / "crowdtruth_odre_labels.csv").read_text().split()) - 1), np.int8)
    for judgment, row in enumerate(rows):
        verdicts[judgment, [int(label) for label in row["labels"].split()]] = 1
    return _judged(rows, verdicts)


def _judged(rows: list[dict[str, str]], verdicts: NDArray[np.int8]) -> Judged:
    """One judgment for each pair of item and rater: the first of them."""
    pairs = np.array([[int(row["i"]), int(row["w"])] for row in rows])
    _, first = np.unique(pairs, axis=0, return_index=True)
    items, raters = (np.unique(column, return_inverse=True)[1] for column in pairs[first].T)
    return Judged(items, raters, verdicts[first], np.zeros(first.size, dtype=np.int64))


def shuffled(judged: Judged, rng: np.random.Generator) -> Judged:
    order = rng.permutation(judged.items.size)
    order = order[np.argsort(judged.items[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(judged.items))[:-1]])
    return Judged(*(column[order] for column in judged[:3]), np.arange(order.size) - starts[judged.items[order]])


# ---- who counts the votes -------------------------------------------------------------------------------------------
class Aggregator(Protocol):
    is_known: bool

    def log_odds(self, n: Integers) -> Floats:
        """(n_items, n_labels) after the first n[i] judgments of item i."""


class WithHistory:
    """Skills and prevalence come from the other half of the items; the votes of an item only add up."""

    is_known = True

    def __init__(self, judged: Judged, most: int, rng: np.random.Generator) -> None:
        self.half = rng.permutation(judged.n_items) % 2
        n_labels = judged.verdicts.shape[1]
        self.skills: list[Skills] = []
        collected = judged.rank < most
        added = np.zeros((judged.n_items, most, n_labels))
        prior = np.zeros((judged.n_items, n_labels))
        for half in (0, 1):
            learned = _fit(judged, self.half[judged.items] != half)
            self.skills.append(learned.skills)
            mine = judged.rows(collected & (self.half[judged.items] == half))
            weights = learned.skills.weights().of(mine.raters)
            added[mine.items, mine.rank] = np.where(mine.verdicts == 1, weights.yes, weights.no)
            prior[self.half == half] = logit(learned.prior)
        self._after = np.concatenate([prior[:, None], prior[:, None] + added.cumsum(axis=1)], axis=1)

    def log_odds(self, n: Integers) -> Floats:
        return self._after[np.arange(n.size), n]


class Cold:
    """Nothing is known but what has been collected so far: a new fit after every round."""

    def __init__(self, judged: Judged, *, is_known: bool) -> None:
        self._judged, self.is_known = judged, is_known

    def log_odds(self, n: Integers) -> Floats:
        return _fit(self._judged, self._judged.rank < n[self._judged.items]).log_odds


def _fit(judged: Judged, which: NDArray[np.bool_], pseudo_counts: float = PSEUDO_COUNTS) -> Fit:
    """A fit of some judgments; an item without any does not count for the prevalence."""
    some = judged.rows(which)
    votes = Votes.of(some.items, some.raters, some.verdicts, n_items=judged.n_items, n_raters=judged.n_raters)
    return fit(votes, pseudo_counts=pseudo_counts)


# ---- policies -------------------------------------------------------------------------------------------------------
def collect(judged: Judged, aggregator: Aggregator, most: int, *, stop: float | None, spend: float | None) -> Integers:
    """(n_items,) judgments collected by a policy: two for all, then rounds until all is clear or the budget spent."""
    n_labels, has = judged.verdicts.shape[1], np.minimum(np.bincount(judged.items), most)
    policy = Policy(np.full(n_labels, stop or NEVER_CLEAR), np.ones(n_labels), start=2, most=most)
    yes = yes_so_far(judged, most)
    n = np.minimum(2, has)
    while True:
        answers = np.repeat(n[:, None], n_labels, axis=1)
        p = calibrated(aggregator.log_odds(n))
        known = np.full(n.size, aggregator.is_known)
        found = plan(Collected(p, n, answers, yes[np.arange(n.size), n], known), policy)
        found.step[n >= has] = Step.SETTLED  # nothing more was ever asked of these
        batch = n.size if spend is None else min(max(n.size // 50, 1), round(spend * n.size) - int(n.sum()))
        chosen = most_worthwhile(found, max(batch, 0))
        if not chosen.size:
            return n
        n = n.copy()
        n[chosen] += 1


def yes_so_far(judged: Judged, most: int) -> Integers:
    """(n_items, most + 1, n_labels): yes among the first judgments of each item."""
    said = np.zeros((judged.n_items, most + 1, judged.verdicts.shape[1]), dtype=np.int64)
    early = judged.rows(judged.rank < most)
    said[early.items, early.rank + 1] = early.verdicts
    return said.cumsum(axis=1)


# ---- what comes out -------------------------------------------------------------------------------------------------
def quality(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Floats:
    """micro-F1, macro-F1 and exact match; a label that is neither said nor true anywhere is right."""
    both, either = (said & truth).sum(axis=0), said.sum(axis=0) + truth.sum(axis=0)
    macro = np.where(either > 0, 2 * both / np.maximum(either, 1), 1.0).mean()
    return np.array([2 * both.sum() / max(either.sum(), 1), macro, (said == truth).all(axis=1).mean()])


def saving(judgments: float, reached: Floats, fixed: Floats) -> Floats:
    """Share of judgments saved at each quality. fixed: (most, 3), quality of 1, 2, ... judgments an item."""
    best = np.maximum.accumulate(fixed, axis=0)
    needed = []
    for value, column in zip(reached, best.T, strict=True):
        rising, fewest = np.unique(column, return_index=True)  # a level is reached by the fewest that reach it
        needed.append(np.interp(value, rising, fewest + 1.0))
    return 1 - judgments / np.array(needed)


class Outcome(NamedTuple):
    """judgments an item, quality (3,), savings (3,), and whether even the most fixed judgments were less good (3,)."""

    judgments: float
    quality: Floats
    saving: Floats
    is_bound: NDArray[np.bool_]


class Run(NamedTuple):
    """What one seed gives."""

    fixed: Floats
    majority: Floats
    outcomes: dict[str, Outcome]
    losses: dict[str, float]
    forecasts: dict[str, tuple[float, float]]


def replay(judged: Judged, shape: Shape, seed: int) -> Run:
    rng = np.random.default_rng(seed)
    judged = shuffled(judged, rng)
    truth = _fit(judged, judged.rank >= shape.most).log_odds > 0
    has, yes = np.minimum(np.bincount(judged.items), shape.most), yes_so_far(judged, shape.most)
    history = WithHistory(judged, shape.most, rng)

    def after(n: int, aggregator: Aggregator) -> Floats:
        return aggregator.log_odds(np.minimum(n, has))

    def fixed(aggregator: Aggregator) -> Floats:
        return np.array([quality(after(n, aggregator) > 0, truth) for n in range(1, shape.most + 1)])

    def outcome(aggregator: Aggregator, than: Floats, row: Row) -> Outcome:
        n = collect(judged, aggregator, shape.most, stop=row.stop, spend=row.spend)
        reached = quality(aggregator.log_odds(n) > 0, truth)
        return Outcome(float(n.mean()), reached, saving(n.mean(), reached, than), reached > than.max(axis=0))

    by_history = fixed(history)
    outcomes = {name: outcome(history, by_history, row) for name, row in shape.rows.items()}
    if shape.cold:
        by_now = fixed(Cold(judged, is_known=True))
        for name, row in shape.cold.items():
            outcomes[name] = outcome(Cold(judged, is_known="trusted" in name), by_now, row)
    majority = np.array([quality(2 * yes[:, n] > n, truth) for n in range(1, shape.most + 1)])
    return Run(by_history, majority, outcomes, _losses(judged, truth), _forecasts(shape, history, outcomes, seed))


def _losses(judged: Judged, truth: NDArray[np.bool_]) -> dict[str, float]:
    """Log loss at three judgments of a fit of those alone: as in 1979, with shrinkage, and with temperature as well."""
    three, known = judged.rank < 3, truth.astype(np.int8)
    classic, shrunk = (_fit(judged, three, pseudo_counts=q).log_odds for q in (1e-3, 5.0))
    found = {"classic": calibrated(classic, 1.0), "shrunk": calibrated(shrunk, 1.0), "and cooled": calibrated(shrunk)}
    return {name: float(log_loss(p, known).value or 0.0) for name, p in found.items()}


def _forecasts(
    shape: Shape, history: WithHistory, outcomes: dict[str, Outcome], seed: int
) -> dict[str, tuple[float, float]]:
    """Judgments an item as forecast after two, and as they came, for each policy that stops by itself."""
    start = history.log_odds(np.full(history.half.size, 2))
    found = {}
    for name, row in shape.rows.items():
        if row.stop is None:
            continue
        policy = Policy(np.full(start.shape[1], row.stop), np.ones(start.shape[1]), start=2, most=shape.most)
        halves = [
            forecast(_pilot(start, history, half), policy, rng=np.random.default_rng([seed, half])) for half in (0, 1)
        ]
        found[name] = float(np.mean([half.judgments.value for half in halves])), outcomes[name].judgments
    return found


def _pilot(start: Floats, history: WithHistory, half: int) -> Pilot:
    of_half = start[history.half == half]
    unsaid = np.zeros(of_half.shape, dtype=bool)
    return Pilot(of_half, unsaid, unsaid, history.skills[half])


# ---- what is printed ------------------------------------------------------------------------------------------------
def interval(values: Floats) -> tuple[float, float, float]:
    """Mean over seeds and its 95 % Student interval; with one seed there is none, and the ends are the mean."""
    mean = float(values.mean())
    if values.size < 2:
        return mean, mean, mean
    reach = float(student.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
    return mean, mean - reach, mean + reach


def report(name: str, runs: list[Run], shape: Shape) -> str:
    lines = [f"{name}, {len(runs)} seeds: judgments saved at equal quality, percent, mean [95 %] / spec; quality below"]
    lines.append(f"{'policy':<16}{'judgments':>10}" + "".join(f"{quality:>29}" for quality in QUALITIES))
    for title, row in (shape.rows | shape.cold).items():
        outcomes = [run.outcomes[title] for run in runs]
        cells = [_cell(outcomes, q, row.spec) for q in range(3)]
        judgments, reached = (np.mean([outcome[part] for outcome in outcomes], axis=0) for part in (0, 1))
        mark = " *" if title == QUOTED[name] else ""
        lines.append(f"{title + mark:<16}{judgments:>10.2f}" + "".join(f"{cell:>29}" for cell in cells))
        lines.append(f"{'':<26}" + "".join(f"{value:>29.3f}" for value in reached))
    lines.append(
        "* what the spec quotes. >=: in some seeds no fixed number was as good, the saving is a lower bound there"
    )
    lines.append("missed: the whole interval lies below the spec's figure; missed?: it does, with lower bounds in it")
    for what, curves in (("fixed, same aggregator", [run.fixed for run in runs]),
                         ("fixed, majority", [run.majority for run in runs])):  # fmt: skip
        micro = np.mean(curves, axis=0)[:, 0]
        lines.append(f"{what}, micro-F1 at 1 to {shape.most}: " + " ".join(f"{value:.3f}" for value in micro))
    losses = {key: np.mean([run.losses[key] for run in runs]) for key in runs[0].losses}
    lines.append("log loss at 3, no history: " + ", ".join(f"{key} {value:.3f}" for key, value in losses.items()))
    for title in runs[0].forecasts:
        said, came = np.mean([run.forecasts[title] for run in runs], axis=0)
        lines.append(f"forecast after two judgments, {title}: {said:.2f} an item; came to {came:.2f}")
    return "\n".join(lines)


def _cell(outcomes: list[Outcome], q: int, spec: Figures | None) -> str:
    mean, low, high = interval(np.array([100 * outcome.saving[q] for outcome in outcomes]))
    has_bounds = any(outcome.is_bound[q] for outcome in outcomes)
    said = f"{'>= ' * has_bounds}{mean:.0f} [{low:.0f}, {high:.0f}]"
    if spec is None:
        return said
    return f"{said} / {spec[q]}{' missed' + '?' * has_bounds if high < spec[q] else ''}"


def main(argv: list[str] | None = None, show: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--set", dest="name", choices=SHAPES, required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(10)))
    wanted = parser.parse_args(argv)
    try:
        judged = read(wanted.directory, wanted.name)
    except FileNotFoundError as missing:
        parser.error(f"{missing.filename} is not there; the set is read from DIR and not shipped")
    runs = []
    for seed in wanted.seeds:
        began = time.perf_counter()
        runs.append(replay(judged, SHAPES[wanted.name], seed))
        print(f"seed {seed}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    show(report(wanted.name, runs, SHAPES[wanted.name]))


if __name__ == "__main__":
    main()
