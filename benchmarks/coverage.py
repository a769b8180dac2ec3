"""How often the intervals of labeling/quality hold the truth, where the truth is known.

    python -m benchmarks.coverage [--simulations 1000] [--seed 0]

Items are beta-binomial: each has its own chance of a yes, with mean `prevalence` and intraclass correlation `alpha`;
its raters answer independently given it. Then the truth of every number follows in closed form. Prints the coverage of
each interval with the exact (Clopper-Pearson) interval of the simulation, the share of runs without an interval, and
whether an exact binomial test, corrected for the number of rows, rejects the band the interval is meant to keep.
No database, no Django: figures of a run belong into results/ by hand.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from labeling.quality.agreement import (
    ac1,
    bootstrap_alpha,
    negative_agreement,
    nominal_alpha,
    positive_agreement,
    prevalence,
)
from labeling.quality.cells import Cells, cells_from_counts
from labeling.quality.contrast import change, pooled_kappa
from labeling.quality.intervals import Estimate
from labeling.quality.kappas import cohen_kappa, fleiss_kappa
from labeling.quality.repeats import self_consistency
from labeling.quality.sets import masi_distance, set_alpha

SIGNIFICANCE = 0.01
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Setting:
    """Beta-binomial items of one label."""

    prevalence: float
    alpha: float
    n_items: int
    n_raters: int = 3

    def __str__(self) -> str:
        return f"prevalence {self.prevalence:g}, alpha {self.alpha:g}, {self.n_items} items x {self.n_raters}"

    def p_items(self, rng: Rng) -> NDArray[np.float64]:
        scale = (1 - self.alpha) / self.alpha
        return rng.beta(self.prevalence * scale, (1 - self.prevalence) * scale, self.n_items)

    def answers(self, rng: Rng) -> NDArray[np.int64]:
        """(n_items, n_raters) of 1 and 0."""
        return (rng.random((self.n_items, self.n_raters)) < self.p_items(rng)[:, None]).astype(np.int64)

    def cells(self, rng: Rng) -> Cells:
        k = rng.binomial(self.n_raters, self.p_items(rng))
        return cells_from_counts(np.full(self.n_items, self.n_raters), k[:, None])[0]

    @property
    def clash(self) -> float:
        """Two raters of one item say yes and no, in this order."""
        return self.prevalence * (1 - self.prevalence) * (1 - self.alpha)


class Case(NamedTuple):
    """An interval in one setting: its truth, and the coverage below which it breaks what it promises."""

    what: str
    setting: Setting
    truth: float
    draw: Callable[[Rng], Estimate]
    least: float


class Coverage(NamedTuple):
    """simulations: with an interval. without: those that had none. p_value: of coverage >= case.least."""

    case: Case
    held: int
    simulations: int
    without: int
    p_value: float

    @property
    def share(self) -> float:
        return self.held / self.simulations

    def between(self) -> tuple[float, float]:
        """Clopper-Pearson, 95 %."""
        found = binomtest(self.held, self.simulations).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


# What the closed form keeps, as measured with 3 raters: .902 for 18 positive judgments (300 items at 2 %), .929 for 60,
# .949 for 300; the percentile bootstrap .887 for 18. 60 positive judgments are not flagged as too narrow: .93.
FEW, SOME, MANY = Setting(0.02, 0.6, 300), Setting(0.02, 0.6, 1000), Setting(0.05, 0.6, 2000)
MIDDLING, EVEN = Setting(0.2, 0.8, 500), Setting(0.5, 0.6, 300, 2)
ALPHA_BAND = {FEW: 0.902, SOME: 0.929, MANY: 0.949, MIDDLING: 0.93, EVEN: 0.93}
BOOTSTRAP_BAND = {FEW: 0.887, SOME: 0.90, MANY: 0.93, MIDDLING: 0.93, EVEN: 0.93}
OTHERS_LEAST = 0.93
SHARES_LEAST_WHEN_FEW = 0.90


def cases() -> Iterator[Case]:
    """Every interval at every setting that suits it."""
    for setting, least in ALPHA_BAND.items():
        yield Case("alpha, closed form", setting, setting.alpha, partial(_of_cells, setting, nominal_alpha), least)
    for setting, least in BOOTSTRAP_BAND.items():
        draw = partial(_bootstrapped, setting)
        yield Case("alpha, 1,000 resamples", setting, setting.alpha, draw, least)
    for setting in ALPHA_BAND:
        yield from _shares(setting, SHARES_LEAST_WHEN_FEW if setting is FEW else OTHERS_LEAST)
    for setting in (MIDDLING, EVEN):
        yield Case("Cohen's kappa", setting, setting.alpha, partial(_cohen, setting), OTHERS_LEAST)
        yield Case("Cohen's kappa, pooled labels", setting, setting.alpha, partial(_pooled, setting), OTHERS_LEAST)
        yield Case("Fleiss' kappa", setting, setting.alpha, partial(_fleiss, setting), OTHERS_LEAST)
        yield Case("self-consistency", setting, setting.alpha, partial(_own, setting), OTHERS_LEAST)
    yield Case("MASI alpha, 3 labels", MIDDLING, _masi_truth(MIDDLING), partial(_masi, MIDDLING), OTHERS_LEAST)
    before = Setting(0.2, 0.6, 500)
    rise = MIDDLING.alpha - before.alpha
    yield Case("change of alpha", MIDDLING, rise, partial(_changed, before, MIDDLING), OTHERS_LEAST)


def cover(case: Case, simulations: int, rng: Rng) -> Coverage:
    """Simulate, and count how often the interval held the truth."""
    found = [case.draw(rng) for _ in range(simulations)]
    ends = [(each.low, each.high) for each in found if each.low is not None and each.high is not None]
    held = sum(low <= case.truth <= high for low, high in ends)
    p_value = binomtest(held, len(ends), case.least, alternative="less").pvalue if ends else 0.0
    return Coverage(case, held, len(ends), simulations - len(ends), float(p_value))


def rejected(found: list[Coverage]) -> list[Coverage]:
    """Those whose promise the simulations reject, all rows together at 1 % (Bonferroni)."""
    return [each for each in found if each.p_value < SIGNIFICANCE / len(found)]


def _shares(setting: Setting, least: float) -> Iterator[Case]:
    pi, alpha, clash = setting.prevalence, setting.alpha, setting.clash
    chance = 2 * pi * (1 - pi)
    yield Case("AC1", setting, 1 - 2 * clash / (1 - chance), partial(_of_cells, setting, ac1), least)
    positive, negative = pi + alpha * (1 - pi), 1 - pi + alpha * pi
    yield Case("positive agreement", setting, positive, partial(_of_cells, setting, positive_agreement), least)
    yield Case("negative agreement", setting, negative, partial(_of_cells, setting, negative_agreement), least)
    yield Case("prevalence", setting, pi, partial(_of_cells, setting, prevalence), least)


def _of_cells(setting: Setting, measure: Callable[[Cells], Estimate], rng: Rng) -> Estimate:
    return measure(setting.cells(rng))


def _bootstrapped(setting: Setting, rng: Rng) -> Estimate:
    return bootstrap_alpha(setting.cells(rng), rng=rng)


def _cohen(setting: Setting, rng: Rng) -> Estimate:
    first, second = setting.answers(rng)[:, :2].T
    return cohen_kappa(np.bincount(2 * first + second, minlength=4).reshape(2, 2))


def _pooled(setting: Setting, rng: Rng) -> Estimate:
    """Two labels of the same kind: the pooled kappa is that of each."""
    labels = [setting.answers(rng)[:, :2] for _ in range(2)]
    return pooled_kappa(*(np.stack([label[:, who] for label in labels], axis=1) for who in range(2)))


def _fleiss(setting: Setting, rng: Rng) -> Estimate:
    k = setting.answers(rng).sum(axis=1)
    return fleiss_kappa(np.stack([k, setting.n_raters - k], axis=1))


def _own(setting: Setting, rng: Rng) -> Estimate:
    first, again = setting.answers(rng)[:, :2].T
    return self_consistency(first[:, None], again[:, None])[0].kappa


def _masi(setting: Setting, rng: Rng, n_labels: int = 3) -> Estimate:
    sets = np.stack([setting.answers(rng).ravel() == 1 for _ in range(n_labels)], axis=1)
    return set_alpha(np.repeat(np.arange(setting.n_items), setting.n_raters), sets)


def _masi_truth(setting: Setting, n_labels: int = 3) -> float:
    """Over all pairs of sets; labels are independent, within an item as the setting says, between items not at all."""
    yes, clash = setting.prevalence, setting.clash
    within = np.array([[1 - yes - clash, clash], [clash, yes - clash]])
    between = np.outer([1 - yes, yes], [1 - yes, yes])
    sets = np.array(list(product((0, 1), repeat=n_labels)))
    sizes = sets.sum(axis=1).astype(np.float64)
    apart = masi_distance((sets @ sets.T).astype(np.float64), sizes[:, None], sizes[None, :])
    pairs = sets[:, None, :], sets[None, :, :]
    observed, expected = ((chances[pairs].prod(axis=2) * apart).sum() for chances in (within, between))
    return float(1 - observed / expected)


def _changed(before: Setting, after: Setting, rng: Rng) -> Estimate:
    return change(nominal_alpha(before.cells(rng)), nominal_alpha(after.cells(rng)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__.partition("\n")[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    found = []
    print(f"{'interval':<29}{'setting':<52}{'covers':>7} {'95 % of the simulation':>23}{'at least':>9}{'none':>6}")
    for number, case in enumerate(cases()):
        one = cover(case, wanted.simulations, np.random.default_rng([wanted.seed, number]))
        found.append(one)
        low, high = one.between()
        row = f"{case.what:<29}{case.setting!s:<52}{one.share:>7.3f} {f'{low:.3f} to {high:.3f}':>23}"
        print(f"{row}{case.least:>9.3f}{one.without:>6}", flush=True)
    broken = rejected(found)
    for one in broken:
        print(f"REJECTED: {one.case.what}, {one.case.setting}: p = {one.p_value:.1e}")
    print(f"{len(broken)} of {len(found)} rejected at {SIGNIFICANCE:.0%} over all of them")


if __name__ == "__main__":
    main()
