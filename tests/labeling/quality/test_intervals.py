import json

import numpy as np
import pytest
from scipy.stats import beta, binom

from labeling.quality.intervals import (
    Estimate,
    jeffreys_interval,
    log_complement_interval,
    mean,
    most_unseen,
    proportion,
    too_few_pages,
    undefined,
)


def test_an_estimate_as_a_dict_has_exactly_the_keys_of_the_api():
    estimate = Estimate(0.5, 0.4, 0.6, n=12)
    assert json.loads(json.dumps(estimate.as_dict())) == {
        "value": 0.5, "low": 0.4, "high": 0.6, "level": 0.95, "n": 12, "reason": None,
    }  # fmt: skip


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_an_estimate_refuses_numbers_that_json_cannot_hold(broken):
    with pytest.raises(ValueError, match="finite"):
        Estimate(0.5, broken, 0.6)


def test_an_estimate_without_a_value_must_say_why():
    assert undefined("no positive answer yet").as_dict()["reason"] == "no positive answer yet"
    with pytest.raises(ValueError, match="say why"):
        Estimate(None, None, None)


def test_the_jeffreys_interval_is_the_beta_quantile_inside_and_closed_at_the_ends():
    assert jeffreys_interval(7, 20) == pytest.approx(beta.ppf([0.025, 0.975], 7.5, 13.5), abs=1e-12)
    assert jeffreys_interval(0, 20) == (0.0, pytest.approx(beta.ppf(0.975, 0.5, 20.5)))
    assert jeffreys_interval(20, 20) == (pytest.approx(beta.ppf(0.025, 20.5, 0.5)), 1.0)


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (0, 0)])
def test_the_jeffreys_interval_refuses_what_is_not_a_proportion(successes, n):
    with pytest.raises(ValueError, match="not a proportion"):
        jeffreys_interval(successes, n)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_the_jeffreys_interval_covers_the_truth_about_as_often_as_it_says(p):
    successes = np.arange(201)
    probability = binom.pmf(successes, 200, p)
    inside = np.array([low <= p <= high for low, high in (jeffreys_interval(int(k), 200) for k in successes)])
    assert probability[inside].sum() == pytest.approx(0.95, abs=0.025)


def test_a_proportion_of_nothing_has_no_value():
    assert proportion(0, 0, nothing="no gold page answered yet").reason == "no gold page answered yet"
    assert proportion(3, 4).value == 0.75


def test_the_log_scale_interval_never_passes_one_and_is_longer_below():
    low, high = log_complement_interval(0.9, 0.2)
    assert low < 0.9 < high < 1
    assert 0.9 - low > high - 0.9


def test_the_log_scale_interval_stops_at_the_least_a_coefficient_can_be():
    assert log_complement_interval(0.2, 1.5)[0] == -1
    assert log_complement_interval(-1.0, 0.3)[0] == -1
    assert log_complement_interval(0.999999, 1.0)[0] == -1


@pytest.mark.parametrize(("n", "why"), [(0, "only 0 pages have"), (1, "only one page has"), (4, "only 4 pages have")])
def test_below_five_pages_it_is_said_why_there_is_no_interval(n, why):
    assert too_few_pages(n, what="two answers") == f"{why} two answers: an interval needs 5"
    assert too_few_pages(5, what="two answers") is None


def test_the_log_scale_interval_is_the_plain_one_when_the_error_is_small():
    assert log_complement_interval(0.5, 1e-4) == pytest.approx((0.5 - 1.96e-4, 0.5 + 1.96e-4), abs=1e-7)


def test_the_log_scale_interval_refuses_perfect_agreement():
    with pytest.raises(ValueError, match="below 1"):
        log_complement_interval(1.0, 0.0)


def test_what_no_page_showed_may_still_be_hidden_in_about_two_and_a_half_of_them():
    assert most_unseen(1000) == pytest.approx(2.5, abs=0.05)


def test_a_mean_from_sums_has_students_interval():
    """Of 1, 2, 3, 4, 5: t with 4 degrees of freedom is 2.776 (any table), the standard error sqrt(2.5 / 5)."""
    found = mean(5, 15, 55)
    assert (found.value, found.n) == (3, 5)
    assert (found.low, found.high) == pytest.approx((3 - 2.776 * 0.5**0.5, 3 + 2.776 * 0.5**0.5), abs=1e-3)


def test_a_mean_says_what_it_cannot_tell():
    assert mean(0, 0, 0, nothing="no page is settled").reason == "no page is settled"
    assert mean(4, 8, 16).low is None
    assert (mean(5, 10, 20).low, mean(5, 10, 20).high) == (2, 2)
    assert mean(5, 10, 100).low == 0
    with pytest.raises(ValueError, match="cannot have"):
        mean(5, 10, 1)
