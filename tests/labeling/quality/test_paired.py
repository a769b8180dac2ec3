"""A change judged on pages answered before and after it: the interval of the paired difference."""

import numpy as np
import pytest

from labeling.quality.agreement import nominal_alpha
from labeling.quality.cells import Cells
from labeling.quality.paired import NOTHING_MOVED, Pages, alpha_change, prevalence_change

SOME = Pages.of([(2, 0, 2, 0, 60), (2, 1, 2, 0, 15), (2, 1, 2, 2, 15), (2, 2, 2, 2, 20), (2, 0, 2, 1, 5)])


def simulated(rng, *, n=300, errors=(0.2, 0.1)) -> Pages:
    """Pages of which a third holds the label; two people before and two after, each wrong with that chance."""
    truth = rng.random(n) < 1 / 3
    k = [rng.binomial(2, np.where(truth, 1 - wrong, wrong)) for wrong in errors]
    return Pages.of([(2, a, 2, b, 1) for a, b in zip(*k, strict=True)])


def test_the_difference_is_that_of_the_two_alphas():
    alphas = [
        nominal_alpha(Cells.from_rows(list(zip(n, k, SOME.times, strict=True)))).value
        for n, k in ((SOME.n_before, SOME.k_before), (SOME.n_after, SOME.k_after))
    ]
    found = alpha_change(SOME)
    assert found.value == pytest.approx(alphas[1] - alphas[0]) and found.n == 115
    assert 0 < found.low < found.value < found.high


def test_the_interval_equals_leaving_out_every_page_by_hand():
    rows = np.repeat(np.column_stack(SOME[:4]), SOME.times, axis=0)
    left_out = [
        alpha_change(Pages.of([(*row, 1) for row in np.delete(rows, i, axis=0)])).value for i in range(len(rows))
    ]
    spread = np.sqrt((len(rows) - 1) / len(rows) * np.sum((left_out - np.mean(left_out)) ** 2))
    found = alpha_change(SOME)
    assert found.high - found.value == pytest.approx(1.959964 * spread)


def test_prevalence_moves_by_the_mean_of_the_pages():
    found = prevalence_change(SOME)
    assert found.value == pytest.approx((15 * 0.5 - 15 * 0.5 + 5 * 0.5) / 115)
    assert found.low < 0 < found.high


def test_the_intervals_cover_what_they_estimate():
    """With errors of .2 and .1 and a third of yes, alpha rises from .311 to .595, the share of yes falls from .4."""
    rng = np.random.default_rng(5)
    runs = [simulated(rng) for _ in range(200)]
    for measure, truth in ((alpha_change, 0.595 - 0.311), (prevalence_change, 11 / 30 - 0.4)):
        found = [measure(run) for run in runs]
        assert np.mean([one.value for one in found]) == pytest.approx(truth, abs=0.02)
        assert 0.91 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.985


def test_pages_that_lack_two_answers_take_no_part():
    found = alpha_change(Pages.of([(2, 1, 1, 1, 50), (2, 0, 0, 0, 50)]))
    assert found.value is None and "two answers before and after" in found.reason
    assert prevalence_change(Pages.of([(2, 1, 1, 1, 50), (2, 0, 0, 0, 50)])).n == 50


def test_where_nothing_moved_there_is_a_zero_without_an_interval():
    found = alpha_change(Pages.of([(2, 0, 2, 0, 30), (2, 2, 2, 2, 30)]))
    assert (found.value, found.low, found.reason) == (0.0, None, NOTHING_MOVED)


def test_a_label_nobody_ticks_has_no_change_of_agreement():
    assert alpha_change(Pages.of([(2, 0, 2, 0, 30)])).value is None


def test_more_yes_than_answers_are_refused():
    with pytest.raises(ValueError, match="more yes than answers"):
        Pages.of([(2, 3, 2, 0, 1)])
