"""Leaving people out, pairs with intervals, and each rater beside the others, on real home pages."""

import csv
from pathlib import Path

import numpy as np
import pytest

from labeling.quality.agreement import nominal_alpha
from labeling.quality.annotators import against_the_others
from labeling.quality.cells import answer_counts, cells_from_counts
from labeling.quality.contrast import alpha_rise, pooled_kappa
from labeling.quality.pairs import pairwise_kappa

VERDICTS = Path(__file__).parent / "data" / "homepage_verdicts.csv"


@pytest.fixture(scope="module")
def votes():
    rows = list(csv.DictReader(VERDICTS.open()))
    labels = sorted({label for row in rows for label in row["yes"].split()})
    codes = sorted({row["rater"] for row in rows})
    items = np.array([int(row["item"]) for row in rows])
    raters = np.array([codes.index(row["rater"]) for row in rows])
    verdicts = np.array([[label in row["yes"].split() for label in labels] for row in rows]).astype(np.int8)
    return labels, codes, items, raters, verdicts


@pytest.fixture(scope="module")
def without_two(votes):
    """Counts of everybody, and without w18 and w27."""
    _, codes, items, raters, verdicts = votes
    kept = ~np.isin(raters, [codes.index("w18"), codes.index("w27")])
    n, k = answer_counts(items, verdicts)
    verdicts_kept = np.where(kept[:, None], verdicts, -1)
    return n, k, *answer_counts(items, verdicts_kept)


def test_agreement_rises_for_certain_on_thirteen_of_fourteen_labels_without_two_people(votes, without_two):
    labels = votes[0]
    n, k, n_rest, k_rest = without_two
    rises = {
        label: alpha_rise(n[:, place], k[:, place], n_rest[:, place], k_rest[:, place])
        for place, label in enumerate(labels)
    }
    assert [label for label, rise in rises.items() if rise.low <= 0] == ["Business"]
    assert (rises["Business"].low, rises["Business"].high) == pytest.approx((-0.04, 0.05), abs=0.01)


def test_the_rise_is_the_difference_of_the_two_alphas(without_two):
    n, k, n_rest, k_rest = without_two
    whole, rest = cells_from_counts(n, k), cells_from_counts(n_rest, k_rest)
    for place in range(k.shape[1]):
        rise = alpha_rise(n[:, place], k[:, place], n_rest[:, place], k_rest[:, place])
        assert rise.value == pytest.approx(nominal_alpha(rest[place]).value - nominal_alpha(whole[place]).value)


def test_the_interval_of_the_rise_matches_resampled_pages(without_two):
    n, k, n_rest, k_rest = (column[:, 2] for column in without_two)
    rng = np.random.default_rng(7)
    drawn = [rng.integers(0, n.size, n.size) for _ in range(400)]
    rises = [alpha_rise(n[pages], k[pages], n_rest[pages], k_rest[pages]).value for pages in drawn]
    found = alpha_rise(n, k, n_rest, k_rest)
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(np.std(rises), rel=0.12)


def test_leaving_nobody_out_changes_nothing(without_two):
    n, k, *_ = (column[:, 0] for column in without_two)
    found = alpha_rise(n, k, n, k)
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0))


def test_a_rise_is_undefined_where_no_yes_is_left():
    n, k = np.array([2, 2, 2]), np.array([1, 2, 0])
    found = alpha_rise(n, k, n, np.zeros(3, dtype=int))
    assert found.value is None
    assert found.reason


def test_the_rest_cannot_be_more_than_the_whole():
    with pytest.raises(ValueError, match="more answers"):
        alpha_rise(np.array([2]), np.array([1]), np.array([3]), np.array([1]))


def test_kappa_of_a_pair_equals_the_matrix_and_matches_resampled_pages(votes):
    _, codes, items, raters, verdicts = votes
    left, right = codes.index("w06"), codes.index("w25")
    common = np.intersect1d(items[raters == left], items[raters == right])
    one, two = (
        np.array([verdicts[(items == item) & (raters == rater)][0] for item in common]) for rater in (left, right)
    )
    found = pooled_kappa(one, two)
    assert found.value == pytest.approx(pairwise_kappa(items, raters, verdicts).kappa[left, right])
    rng = np.random.default_rng(7)
    drawn = [rng.integers(0, common.size, common.size) for _ in range(400)]
    resampled = np.quantile([pooled_kappa(one[pages], two[pages]).value for pages in drawn], [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(resampled), abs=0.03)


def test_a_pair_that_always_says_the_same_one_thing_has_no_kappa():
    assert pooled_kappa(np.zeros((5, 2), dtype=int), np.zeros((5, 2), dtype=int)).value is None


def test_unsure_of_one_leaves_the_label_out_for_both():
    left, right = np.array([[1, -1], [0, -1], [1, -1]]), np.array([[1, 1], [0, 0], [0, 1]])
    assert pooled_kappa(left, right) == pooled_kappa(left[:, :1], right[:, :1])


def test_a_rater_is_compared_with_the_majority_of_the_others():
    items = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    raters = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    verdicts = np.array([[1], [1], [0], [0], [0], [1], [1], [0]])
    rates = against_the_others(items, raters, verdicts)
    # Rater 0: the others tie on items 0 and 1, and rater 1 says no to item 2, where rater 0 says yes.
    assert [table[0, 0] for table in rates] == [0, 0, 1, 0]
    # Rater 2: the others say yes to item 0 and no to item 1; rater 2 says the opposite.
    assert [table[2, 0] for table in rates] == [1, 0, 1, 0]


def test_a_few_pages_give_a_difference_or_a_kappa_without_an_interval():
    few = np.array([[1], [0], [1], [0]])
    kappa = pooled_kappa(few, 1 - few)
    assert (kappa.value, kappa.low, kappa.high) == (-1, None, None)
    assert kappa.reason == "only 4 pages have answers of both: an interval needs 5"
    n, k = np.full(4, 3), np.array([0, 1, 2, 3])
    rise = alpha_rise(n, k, n - 1, np.minimum(k, 2))
    assert rise.value is not None and (rise.low, rise.high) == (None, None)


@pytest.mark.parametrize("seed", range(30))
def test_no_interval_leaves_what_is_possible(seed):
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 2, (2, 5, 1))
    kappa = pooled_kappa(left, right)
    assert kappa.low is None or -1 <= kappa.low <= kappa.value <= kappa.high <= 1
    k = rng.integers(0, 4, 5)
    rise = alpha_rise(np.full(5, 3), k, np.full(5, 2), np.minimum(k, 2))
    assert rise.low is None or -2 <= rise.low <= rise.value <= rise.high <= 2
