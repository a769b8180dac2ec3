"""One rater against the others: the rates come back from simulated answers, where plain counting cannot find them."""

import numpy as np
import pytest

from labeling.quality.others import MODEL_BASED, N_BINS, Against, Binned, against_others, bin_of


def binned(p: np.ndarray, says_yes: np.ndarray) -> Binned:
    which = bin_of(p)
    return Binned(*(np.bincount(which, weights=part, minlength=N_BINS)[None] for part in (p * 0 + 1, says_yes, p)))


def simulated(rng, *, n=400, prevalence=0.1, n_others=3, sensitivity=0.8, specificity=0.97) -> Against:
    """A rater among others who find three of four yes and invent 3 in 100."""
    truth = rng.random(n) < prevalence
    odds = np.full(n, np.log(prevalence / (1 - prevalence)))
    for _ in range(n_others):
        said = np.where(truth, rng.random(n) < 0.75, rng.random(n) < 0.03)
        odds += np.where(said, np.log(0.75 / 0.03), np.log(0.25 / 0.97))
    own = np.where(truth, rng.random(n) < sensitivity, rng.random(n) < 1 - specificity)
    return against_others(binned(1 / (1 + np.exp(-odds)), own.astype(float)))[0]


def test_where_the_others_are_certain_it_is_plain_counting():
    p = np.array([1.0] * 10 + [0.0] * 90)
    own = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 9 + [0.0] * 81)
    [found] = against_others(binned(p, own))
    assert found.sensitivity.value == pytest.approx(0.8, abs=1e-4) and found.sensitivity.n == 10
    assert found.specificity.value == pytest.approx(0.9, abs=1e-4) and found.specificity.n == 90


def test_a_rare_label_and_fallible_others_do_not_make_a_good_rater_look_blind():
    """Of what one other ticks of a label on 5 pages in 100 nearly half is wrong: counted plainly, .8 would be .4."""
    rng = np.random.default_rng(4)
    means = [simulated(rng, n=4000, prevalence=0.05, n_others=1).sensitivity.value for _ in range(20)]
    assert np.mean(means) == pytest.approx(0.8, abs=0.04)


def test_the_widened_interval_holds_the_truth_about_as_often_as_it_says():
    """95 % is aimed at; 200 runs around 95 % lie within 91 and 98.5 %."""
    rng = np.random.default_rng(7)
    runs = [simulated(rng) for _ in range(200)]
    for rate, truth in (("sensitivity", 0.8), ("specificity", 0.97)):
        covered = [getattr(run, rate).low <= truth <= getattr(run, rate).high for run in runs]
        assert 0.91 <= np.mean(covered) <= 1.0, rate


def test_an_interval_says_that_it_rests_on_a_model_and_stays_between_0_and_1():
    found = simulated(np.random.default_rng(1), sensitivity=1.0, specificity=1.0)
    for rate in found:
        assert rate.reason == MODEL_BASED and 0 <= rate.low <= rate.value <= rate.high <= 1


def test_nothing_is_said_of_a_rate_the_others_give_no_page_to():
    [found] = against_others(binned(np.full(100, 0.01), np.zeros(100)))
    assert found.sensitivity.value is None and found.sensitivity.n == 1
    assert found.specificity.value == pytest.approx(1.0)


def test_no_answer_at_all_is_undefined_and_not_a_number():
    [found] = against_others(Binned(*(np.zeros((1, N_BINS)) for _ in range(3))))
    assert found.sensitivity.value is None and found.specificity.value is None


def test_tables_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="cells by 4 bins"):
        against_others(Binned(np.zeros((1, 3)), np.zeros((1, 3)), np.zeros((1, 3))))
