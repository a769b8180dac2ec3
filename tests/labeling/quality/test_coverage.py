"""The intervals hold the truth as often as they say, where the truth is known: short form of benchmarks/coverage.py."""

import numpy as np

from benchmarks.coverage import Case, Setting, cases, cover, rejected
from labeling.quality.agreement import nominal_alpha
from labeling.quality.intervals import Estimate

SIMULATIONS = 150
SLOW_ONES = {"alpha, 1,000 resamples", "MASI alpha, 3 labels"}


def test_no_interval_breaks_the_band_it_promises():
    """An exact binomial test for each, corrected over all: 1 % to fail by chance were every band kept to the dot."""
    quick = [case for case in cases() if case.what not in SLOW_ONES]
    found = [cover(case, SIMULATIONS, np.random.default_rng([7, number])) for number, case in enumerate(quick)]
    assert not rejected(found), [(one.case.what, str(one.case.setting), one.share) for one in rejected(found)]


def test_intervals_that_are_too_narrow_are_found_out():
    setting = Setting(0.2, 0.8, 500)

    def narrow(rng):
        alpha = nominal_alpha(setting.cells(rng))
        low, high = (alpha.value + 0.6 * (end - alpha.value) for end in (alpha.low, alpha.high))
        return Estimate(alpha.value, low, high, n=alpha.n)

    case = Case("too narrow", setting, setting.alpha, narrow, 0.93)
    found = cover(case, SIMULATIONS, np.random.default_rng(1))
    assert rejected([found] * 40)
