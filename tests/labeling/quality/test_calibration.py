import numpy as np
import pytest
from scipy.special import expit
from sklearn import metrics

from labeling.quality.calibration import (
    AT_THE_EDGE,
    EMPTY_BIN,
    NOTHING_KNOWN,
    calibration_error,
    fit_temperature,
    log_loss,
    reliability,
)
from labeling.quality.intervals import jeffreys_interval

NOTHING = np.zeros((0, 2)), np.zeros((0, 2), dtype=int)


def overconfident(rng, *, n_items=4000, by=3.0):
    """Log odds that are `by` times too large, and truths drawn from the honest ones."""
    honest = rng.normal(0, 1.5, (n_items, 2))
    return by * honest, (rng.random(honest.shape) < expit(honest)).astype(int)


# --- temperature


def test_the_temperature_undoes_the_overconfidence():
    log_odds, truth = overconfident(np.random.default_rng(1), by=3.0)
    found = fit_temperature(log_odds, truth)
    assert found.value == pytest.approx(3.0, abs=0.2)
    assert (found.n, found.reason) == (8000, None)


def test_no_other_temperature_has_a_smaller_log_loss():
    log_odds, truth = overconfident(np.random.default_rng(2), n_items=300)
    best = fit_temperature(log_odds, truth).value
    losses = [log_loss(expit(log_odds / t), truth).value for t in (best, best * 0.97, best * 1.03)]
    assert losses[0] == min(losses)


def test_with_few_known_answers_it_is_the_default_and_says_why():
    log_odds, truth = overconfident(np.random.default_rng(3), n_items=40)
    truth[:] = -1
    truth[:12, 0], truth[12:15, 0] = 0, 1
    found = fit_temperature(log_odds, truth)
    assert found.value == 2.0
    assert found.reason == "3 known yes and 12 known no, 10 of each needed"


def test_answers_that_were_all_foreseen_take_the_end_of_the_range_and_say_so():
    truth = np.array([[1], [0]] * 20)
    found = fit_temperature(np.where(truth == 1, 3.0, -3.0), truth)
    assert found.value == pytest.approx(0.5, rel=1e-3)
    assert found.reason == AT_THE_EDGE


# --- log loss, table, calibration error


def test_log_loss_is_sklearns():
    rng = np.random.default_rng(4)
    log_odds, truth = overconfident(rng, n_items=50)
    p = expit(log_odds)
    expected = metrics.log_loss(truth.ravel(), p.ravel())
    assert log_loss(p, truth).value == pytest.approx(expected, abs=1e-9)
    truth[::3, 1] = -1
    known = truth.ravel() >= 0
    assert log_loss(p, truth).value == pytest.approx(metrics.log_loss(truth.ravel()[known], p.ravel()[known]), abs=1e-9)


def test_the_interval_of_log_loss_is_that_of_items_not_of_answers():
    """Two labels that always go together are worth one."""
    log_odds, truth = overconfident(np.random.default_rng(5), n_items=400)
    once, twice = (log_loss(expit(log_odds[:, columns]), truth[:, columns]) for columns in ([0], [0, 0]))
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))


def test_bins_hold_mean_probability_share_of_yes_and_its_interval():
    p = np.array([[0.12], [0.18], [0.85], [0.85], [0.85], [1.0], [0.5]])
    truth = np.array([[0], [1], [1], [1], [0], [1], [-1]])
    bins = reliability(p, truth)
    assert [found.n for found in bins] == [0, 2, 0, 0, 0, 0, 0, 0, 3, 1]
    assert bins[1].mean_p == pytest.approx(0.15)
    assert (bins[8].low, bins[8].high, bins[8].share_yes.value) == pytest.approx((0.8, 0.9, 2 / 3))
    assert (bins[8].share_yes.low, bins[8].share_yes.high) == pytest.approx(jeffreys_interval(2, 3))


def test_an_empty_bin_is_undefined():
    empty = reliability(np.array([[0.95]]), np.array([[1]]))[0]
    assert (empty.mean_p, empty.share_yes.value, empty.share_yes.reason) == (None, None, EMPTY_BIN)


def test_calibration_error_is_the_mean_gap_of_the_bins():
    """Two answers at .15 with half yes (gap .35), three at .85 with two thirds yes (gap .1833)."""
    p = np.array([[0.15], [0.15], [0.85], [0.85], [0.85]])
    truth = np.array([[0], [1], [1], [1], [0]])
    assert calibration_error(p, truth).value == pytest.approx((2 * 0.35 + 3 * (0.85 - 2 / 3)) / 5)


def test_the_right_temperature_lowers_log_loss_and_calibration_error():
    log_odds, truth = overconfident(np.random.default_rng(6), n_items=1000)
    raw, cooled = expit(log_odds), expit(log_odds / fit_temperature(log_odds, truth).value)
    assert log_loss(cooled, truth).value < log_loss(raw, truth).value
    assert calibration_error(cooled, truth).value < calibration_error(raw, truth).value / 3


def test_without_a_known_answer_everything_is_undefined_and_says_why():
    for found in (log_loss(*NOTHING), calibration_error(*NOTHING)):
        assert (found.value, found.reason) == (None, NOTHING_KNOWN)
    assert fit_temperature(*NOTHING).value == 2.0


def test_numbers_that_are_no_probabilities_and_other_codes_are_refused():
    one = np.array([[1]])
    with pytest.raises(ValueError, match="strictly"):
        log_loss(np.array([[1.0]]), one)
    with pytest.raises(ValueError, match="between 0 and 1"):
        reliability(np.array([[1.5]]), one)
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(np.array([[np.nan]]), one)
    with pytest.raises(ValueError, match="truth is"):
        log_loss(np.array([[0.5]]), np.array([[2]]))
    with pytest.raises(ValueError, match="match"):
        log_loss(np.array([[0.5]]), np.array([[1, 0]]))
