from functools import partial

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.quality.agreement import (
    ac1,
    bootstrap_alpha,
    negative_agreement,
    nominal_alpha,
    positive_agreement,
    prevalence,
)
from labeling.quality.cells import Cells, cells_of
from labeling.quality.intervals import jeffreys_interval

from .published import BALANCED, FLEISS_1971, KRIPPENDORFF_A, KRIPPENDORFF_C, SKEWED, homepages, long_form, one_hot

ALL = [nominal_alpha, ac1, positive_agreement, negative_agreement, prevalence]


def two_raters(both, only_first, only_second, neither):
    return Cells.from_rows([(2, 2, both), (2, 1, only_first + only_second), (2, 0, neither)])


def simulated(rng, *, n_items, n_raters, share, alpha):
    """Beta-binomial items: each has its own chance of a yes, with mean share and intraclass correlation alpha."""
    p_item = rng.beta(share * (1 - alpha) / alpha, (1 - share) * (1 - alpha) / alpha, n_items)
    k, count = np.unique(rng.binomial(n_raters, p_item), return_counts=True)
    return Cells(np.full(k.shape, n_raters), k.astype(np.int64), count.astype(np.int64))


few_pages = st.tuples(st.integers(2, 5), st.integers(0, 5), st.integers(1, 3)).map(
    lambda row: (row[0], min(row[1], row[0]), row[2])
)
cell_rows = st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, 50)))
any_cells = st.one_of(st.lists(cell_rows, max_size=12), st.lists(few_pages, max_size=6)).map(Cells.from_rows)


# --- published values


def test_alpha_matches_krippendorffs_binary_example():
    """Krippendorff (2011), data A: alpha = 0.095."""
    items, _, values = long_form(KRIPPENDORFF_A)
    (cells,) = cells_of(items, (values == "1").astype(int)[:, None])
    assert nominal_alpha(cells).value == pytest.approx(0.095, abs=5e-4)


def test_ac1_matches_gwets_four_raters():
    """Gwet (2014), four raters and five categories: AC1 = 0.77544, put together from the AC1 of each category."""
    items, _, values = long_form(KRIPPENDORFF_C)
    categories = cells_of(items, one_hot(values))
    share = np.array([prevalence(cells).value for cells in categories])
    agreement = np.array([ac1(cells).value for cells in categories])
    clashes = ((1 - agreement) * (1 - 2 * share * (1 - share))).sum() / 2
    chance = (share * (1 - share)).sum() / (share.size - 1)
    assert 1 - clashes / (1 - chance) == pytest.approx(0.77544, abs=5e-6)


def test_alpha_is_fleiss_kappa_up_to_the_small_sample_factor():
    """Fleiss (1971): kappa of depression, personality disorder, schizophrenia, neurosis, other, in this order."""
    items, _, values = long_form(["".join(column) for column in zip(*FLEISS_1971, strict=True)])
    n = items.size
    kappas = [1 - (1 - nominal_alpha(cells).value) * n / (n - 1) for cells in cells_of(items, one_hot(values))]
    assert kappas == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=6e-4)


@pytest.mark.parametrize(("table", "expected"), [(BALANCED, 0.70), (SKEWED, 0.81)])
def test_ac1_hardly_sees_the_skew_that_halves_kappa(table, expected):
    """Feinstein & Cicchetti's (1990) tables, kappa .70 and .32: AC1 is .70 and .81 (Gwet 2008)."""
    assert ac1(two_raters(*table)).value == pytest.approx(expected, abs=5e-3)


def test_alpha_sees_the_skew():
    assert nominal_alpha(two_raters(*BALANCED)).value == pytest.approx(0.70, abs=5e-3)
    assert nominal_alpha(two_raters(*SKEWED)).value == pytest.approx(0.32, abs=5e-3)


def test_specific_agreement_explains_the_skew():
    """Cicchetti & Feinstein (1990): positive 2a / (2a + b + c), negative 2d / (2d + b + c)."""
    assert positive_agreement(two_raters(*SKEWED)).value == pytest.approx(160 / 175)
    assert negative_agreement(two_raters(*SKEWED)).value == pytest.approx(10 / 25)


def test_alpha_of_real_home_pages():
    items, _, _, verdicts, topics = homepages()
    found = {topic: nominal_alpha(cells) for topic, cells in zip(topics, cells_of(items, verdicts), strict=True)}
    close = partial(pytest.approx, abs=0.006)
    assert interval(found["Arts"]) == close((0.10, 0.21))
    assert interval(found["Business"]) == close((0.09, 0.20))
    assert interval(found["Computers"]) == close((0.06, 0.18))
    assert interval(found["Reference"]) == close((-0.06, 0.03))
    values = [found[topic].value for topic in ("Arts", "Business", "Computers", "Games", "Reference")]
    assert values == close([0.15, 0.14, 0.12, 0.03, -0.02])
    assert all(a.n == 562 and a.reason is None for a in found.values())


# --- against an independent implementation


@pytest.mark.parametrize("seed", range(5))
def test_alpha_equals_another_implementation_on_incomplete_data(seed):
    rng = np.random.default_rng(seed)
    table = rng.choice([0.0, 1.0, np.nan], size=(6, 80), p=[0.6, 0.2, 0.2])
    raters, items = np.nonzero(~np.isnan(table))
    (cells,) = cells_of(items, table[raters, items].astype(int)[:, None])
    expected = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    assert nominal_alpha(cells).value == pytest.approx(expected, abs=1e-9)


# --- undefined, and nearly so


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no page has two answers"),
        ([(1, 1, 9)], "no page has two answers"),
        ([(3, 0, 9)], "no positive answer yet"),
        ([(3, 3, 9)], "no negative answer yet"),
        ([(3, 0, 9), (1, 1, 5)], "no positive answer yet"),
    ],
)
def test_alpha_without_variation_has_no_value_but_a_reason(rows, reason):
    for estimate in (nominal_alpha(Cells.from_rows(rows)), bootstrap_alpha(Cells.from_rows(rows), rng=rng_of(0))):
        assert (estimate.value, estimate.low, estimate.high, estimate.reason) == (None, None, None, reason)


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        (1, "only one page has two answers: an interval needs 5"),
        (4, "only 4 pages have two answers: an interval needs 5"),
    ],
)
def test_a_few_pages_give_a_value_without_an_interval(pages, reason):
    few = Cells.from_rows([(3, 1, pages), (1, 0, 20)])
    for estimate in (nominal_alpha(few), ac1(few), bootstrap_alpha(few, rng=rng_of(0))):
        assert estimate.value is not None
        assert (estimate.low, estimate.high, estimate.reason) == (None, None, reason)


def test_five_pages_have_an_interval():
    few = Cells.from_rows([(3, 1, 4), (3, 2, 1)])
    assert nominal_alpha(few).low is not None and ac1(few).low is not None


@pytest.mark.parametrize(
    "rows", [[(2, 2, 1), (2, 1, 5), (2, 0, 1)], [(2, 0, 3), (2, 1, 1), (2, 2, 1)], [(2, 1, 3), (4, 4, 2)]]
)
def test_no_interval_leaves_what_is_possible(rows):
    """Without the limit the lowest ends of these pages are -1.9 for alpha and -2.2 for AC1."""
    assert nominal_alpha(Cells.from_rows(rows)).low >= -1 and ac1(Cells.from_rows(rows)).low >= -1


def test_specific_agreement_needs_someone_who_said_it():
    assert positive_agreement(Cells.from_rows([(2, 0, 5)])).reason == "no positive answer yet"
    assert negative_agreement(Cells.from_rows([(2, 2, 5)])).reason == "no negative answer yet"
    assert prevalence(Cells.from_rows([])).reason == "no page has an answer"


def test_few_positive_answers_are_flagged():
    assert (
        "fewer than 60 positive answers" in nominal_alpha(Cells.from_rows([(2, 2, 20), (2, 1, 19), (2, 0, 99)])).reason
    )
    assert nominal_alpha(Cells.from_rows([(2, 2, 20), (2, 1, 20), (2, 0, 99)])).reason is None


def test_perfect_agreement_on_few_pages_is_not_certainty():
    few, many = (nominal_alpha(Cells.from_rows([(2, 2, n), (2, 0, 9 * n)])) for n in (5, 500))
    assert few.value == many.value == few.high == 1
    assert few.low < 0.85 < 0.99 < many.low < 1


@given(any_cells)
def test_every_estimate_is_whole_and_in_order_whatever_the_cells(cells):
    for estimate in [measure(cells) for measure in ALL]:
        assert (estimate.value is None) <= (estimate.low is None and estimate.high is None and bool(estimate.reason))
        assert (estimate.low is None) == (estimate.high is None)
        if estimate.low is not None:
            assert -1 <= estimate.low <= estimate.value + 1e-12 <= estimate.high + 2e-12
            assert estimate.high <= 1


@given(any_cells)
def test_calling_yes_no_and_no_yes_changes_neither_alpha_nor_ac1(cells):
    mirrored = Cells(cells.n, cells.n - cells.k, cells.count)
    for measure in (nominal_alpha, ac1):
        there, back = measure(cells), measure(mirrored)
        assert (there.value, there.low, there.high) == (
            pytest.approx(back.value), pytest.approx(back.low, abs=1e-9), pytest.approx(back.high, abs=1e-9),
        )  # fmt: skip
    assert positive_agreement(cells).value == pytest.approx(negative_agreement(mirrored).value)


# --- intervals


def test_a_single_answer_per_page_makes_prevalence_a_plain_proportion():
    estimate = prevalence(Cells.from_rows([(1, 1, 7), (1, 0, 33)]))
    assert (estimate.low, estimate.high) == pytest.approx(jeffreys_interval(7, 40))


def test_the_closed_form_agrees_with_the_bootstrap():
    cells = simulated(rng_of(3), n_items=5000, n_raters=3, share=0.1, alpha=0.6)
    closed, drawn = nominal_alpha(cells), bootstrap_alpha(cells, replicates=4000, rng=rng_of(4))
    assert drawn.value == closed.value
    assert (drawn.low, drawn.high) == pytest.approx((closed.low, closed.high), abs=4e-3)


def test_drawing_cells_is_drawing_items():
    cells = simulated(rng_of(5), n_items=400, n_raters=3, share=0.2, alpha=0.5)
    k = np.repeat(cells.k, cells.count)
    draws = rng_of(6).choice(k, size=(2000, k.size))
    alphas = [
        nominal_alpha(Cells.from_rows((3, int(x), int((row == x).sum())) for x in range(4))).value
        for row in draws[:600]
    ]
    assert np.quantile(alphas, [0.025, 0.975]) == pytest.approx(
        interval(bootstrap_alpha(cells, rng=rng_of(7))), abs=0.02
    )


def test_the_same_generator_gives_the_same_bootstrap():
    cells = simulated(rng_of(1), n_items=300, n_raters=3, share=0.2, alpha=0.5)
    assert bootstrap_alpha(cells, rng=rng_of(9)) == bootstrap_alpha(cells, rng=rng_of(9))


@pytest.mark.parametrize("measure", [ac1, positive_agreement, negative_agreement, prevalence])
def test_intervals_are_as_wide_as_resampled_items_say(measure):
    cells = simulated(rng_of(2), n_items=1500, n_raters=3, share=0.2, alpha=0.6)
    draws = rng_of(8).multinomial(cells.n_items, cells.count / cells.n_items, size=1500)
    resampled = np.quantile([measure(Cells(cells.n, cells.k, draw)).value for draw in draws], [0.025, 0.975])
    assert interval(measure(cells)) == pytest.approx(resampled, abs=0.006)


@pytest.mark.parametrize(
    ("share", "alpha", "n_items", "at_least"), [(0.05, 0.6, 2000, 0.93), (0.2, 0.8, 500, 0.92), (0.02, 0.6, 300, 0.87)]
)
def test_the_alpha_interval_covers_the_truth(share, alpha, n_items, at_least):
    rng = rng_of(11)
    found = [nominal_alpha(simulated(rng, n_items=n_items, n_raters=3, share=share, alpha=alpha)) for _ in range(500)]
    covered = [a.low <= alpha <= a.high for a in found if a.value is not None]
    assert np.mean(covered) >= at_least - 0.02  # two standard errors of 500 runs


def interval(estimate):
    return estimate.low, estimate.high


def rng_of(seed):
    return np.random.default_rng(seed)
