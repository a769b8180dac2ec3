"""Leaving people out, pairs with intervals, and each rater beside the others, on real home pages."""

import csv
from pathlib import Path

import numpy as np
import pytest

from labeling.quality.agreement import nominal_alpha
from labeling.quality.annotators import against_the_others
from labeling.quality.cells import Cells, answer_counts, cells_from_counts
from labeling.quality.contrast import alpha_rise, change, pooled_kappa
from labeling.quality.intervals import Estimate, undefined
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


@pytest.mark.parametrize(("n_before", "n_after"), [(800, 800), (300, 1500)])
def test_a_change_is_as_uncertain_as_two_resampled_samples_say(n_before, n_after):
    rng = np.random.default_rng(7)
    before, after = simulated(rng, n_before, alpha=0.5), simulated(rng, n_after, alpha=0.7)
    draws = [
        [nominal_alpha(Cells(c.n, c.k, rng.multinomial(c.n_items, c.count / c.n_items))).value for c in (before, after)]
        for _ in range(400)
    ]
    found = change(nominal_alpha(before), nominal_alpha(after))
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(np.std(np.diff(draws)), rel=0.12)
    assert found.low < 0.2 < found.high


def test_a_change_without_one_of_its_halves_says_which_and_why():
    known, unknown = Estimate(0.6, 0.5, 0.7, n=90), undefined("no positive answer yet", n=4)
    assert change(unknown, known).reason == "before the change: no positive answer yet"
    assert change(known, unknown) == undefined("after the change: no positive answer yet", n=4)
    few = Estimate(0.7, None, None, n=3, reason="only 3 pages have two answers: an interval needs 5")
    assert change(known, few).low is None
    assert change(known, few).reason.startswith("after the change: only 3 pages")


def test_intervals_of_two_levels_do_not_compare():
    with pytest.raises(ValueError, match="do not compare"):
        change(Estimate(0.6, 0.5, 0.7), Estimate(0.6, 0.5, 0.7, level=0.9))


def simulated(rng, n_items, *, alpha, share=0.2):
    p_item = rng.beta(share * (1 - alpha) / alpha, (1 - share) * (1 - alpha) / alpha, n_items)
    k, count = np.unique(rng.binomial(3, p_item), return_counts=True)
    return Cells(np.full(k.shape, 3), k.astype(np.int64), count.astype(np.int64))
