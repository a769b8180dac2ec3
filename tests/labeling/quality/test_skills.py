import math
import time

import numpy as np
import pytest
from scipy.special import expit

from labeling.quality.dawid_skene import Votes
from labeling.quality.skills import (
    Evidence,
    calibrated,
    expected_error,
    expected_harm,
    item_log_odds,
    item_probabilities,
    skills,
    vote_probabilities,
)


def rater(found, of_yes, alone, of_no):
    """Evidence on one rater and one label: found of so many yes, left alone of so many no."""
    return Evidence(*(np.array([[float(n)]]) for n in (of_yes, found, of_no, alone)))


def team(*raters):
    rows = [rater(*counts) for counts in raters]
    names = ("on_yes", "yes_on_yes", "on_no", "no_on_no")
    return Evidence(*(np.concatenate([getattr(row, name) for row in rows]) for name in names))


# --- skills


def test_a_rater_with_many_answers_is_taken_at_their_own_rate():
    found = skills(rater(900, 1000, 4900, 5000))
    assert found.sensitivity[0, 0] == pytest.approx(0.9, abs=1e-3)
    assert found.specificity[0, 0] == pytest.approx(0.98, abs=1e-3)


def test_a_newcomer_is_taken_for_the_average_rater():
    found = skills(team((800, 1000, 4500, 5000), (0, 0, 0, 0)))
    assert found.sensitivity[1, 0] == pytest.approx(found.usual_sensitivity[0])
    assert found.sensitivity[1, 0] == pytest.approx(0.8, abs=1e-3)


def test_shrinkage_adds_that_many_answers_of_the_average_rater():
    """se = (t11 + q m) / (t1 + q): 2 of 4 found, q = 6, m the pooled rate."""
    found = skills(team((2, 4, 10, 10), (800, 1000, 4500, 5000)), pseudo_counts=6)
    assert found.sensitivity[0, 0] == pytest.approx((2 + 6 * found.usual_sensitivity[0]) / 10)


def test_without_any_evidence_raters_miss_more_than_they_invent():
    found = skills(Evidence.none(1, 1))
    assert (found.sensitivity[0, 0], found.specificity[0, 0]) == (pytest.approx(0.75), pytest.approx(0.95))


# --- one item


def test_one_item_counted_alone_equals_its_row_of_the_whole():
    rng = np.random.default_rng(1)
    verdicts = rng.integers(-1, 2, (30, 4))
    items, raters = np.repeat(np.arange(10), 3), np.tile(np.arange(3), 10)
    votes = Votes.of(items, raters, verdicts, n_items=10, n_raters=3)
    weights, prior = skills(votes.evidence(rng.random((10, 4)))).weights(), np.array([0.1, 0.2, 0.01, 0.5])
    whole = votes.log_odds(weights, prior)
    for item in range(10):
        mine = items == item
        assert item_log_odds(verdicts[mine], weights.of(raters[mine]), prior) == pytest.approx(whole[item])


def test_the_posterior_is_bayes_rule():
    """One yes of somebody who finds .8 and leaves alone .9, on a label of .3: .24 / (.24 + .07)."""
    evidence = rater(80_000_000, 100_000_000, 90_000_000, 100_000_000)
    p = item_probabilities(np.array([[1]]), skills(evidence).weights(), np.array([0.3]), temperature=1.0)
    assert p[0] == pytest.approx(0.24 / 0.31, abs=1e-5)


def test_without_votes_the_prior_stands():
    weights = skills(Evidence.none(2, 1)).weights()
    nobody = item_probabilities(np.zeros((0, 1), dtype=int), weights.of([]), np.array([0.2]), temperature=1.0)
    unsure = item_probabilities(np.array([[-1], [-1]]), weights, np.array([0.2]), temperature=1.0)
    assert nobody[0] == unsure[0] == pytest.approx(0.2)


def test_one_item_is_cheap_enough_for_the_transaction_of_an_answer():
    """About 20 microseconds; a thousand times as much would still pass, a fit of the project would not."""
    weights, prior = skills(Evidence.none(5, 16)).weights(), np.full(16, 0.05)
    verdicts = np.random.default_rng(0).integers(0, 2, (5, 16))
    began = time.perf_counter()
    for _ in range(10):
        item_probabilities(verdicts, weights, prior)
    assert (time.perf_counter() - began) / 10 < 0.02


def test_no_number_of_votes_is_certain():
    weights = skills(rater(1e6, 1e6, 1e6, 1e6)).weights().of([0] * 200)
    for verdict in (0, 1):
        p = item_probabilities(np.full((200, 1), verdict), weights, np.array([0.5]), temperature=1.0)
        assert 0 < p[0] < 1


def test_a_temperature_of_two_halves_the_log_odds_of_each_label():
    assert calibrated(np.array([3.0, -1.0]), 2.0) == pytest.approx(expit([1.5, -0.5]))
    assert calibrated(np.array([3.0, -1.0]), np.array([1.0, 2.0])) == pytest.approx(expit([3.0, -0.5]))


def test_shapes_and_temperatures_that_do_not_fit_are_refused():
    weights = skills(Evidence.none(2, 3)).weights()
    with pytest.raises(ValueError, match="weights"):
        item_log_odds(np.ones((1, 3), dtype=int), weights, np.full(3, 0.5))
    with pytest.raises(ValueError, match="positive"):
        calibrated(np.zeros(3), 0.0)
    with pytest.raises(ValueError, match="severity"):
        expected_harm(np.zeros((2, 3)), np.ones(2))


# --- votes, and how likely an answer is wrong


def test_votes_count_heads_with_half_a_head_on_each_side():
    p = vote_probabilities(np.array([[1, 1, -1], [1, 0, -1]]))
    assert list(p) == [pytest.approx(2.5 / 3), 0.5, 0.5]


def test_the_likelier_answer_is_wrong_as_often_as_the_other_is_right():
    assert expected_error(np.array([0.9, 0.3, 0.5])) == pytest.approx([0.1, 0.3, 0.5])


def test_harm_weighs_errors_by_severity():
    harm = expected_harm(np.array([[0.9, 0.3], [0.5, 1 - 1e-9]]), np.array([1.0, 4.0]))
    assert harm == pytest.approx([0.1 + 1.2, 0.5])
    assert math.isfinite(harm.sum())
