import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from labeling.quality.agreement import nominal_alpha
from labeling.quality.cells import cells_of
from labeling.quality.pairs import alpha_without, judgment_pairs, pairwise_kappa, pairwise_kappas

from .published import BALANCED, SKEWED, homepages


def two_raters(both, only_first, only_second, neither):
    first = np.repeat([1, 1, 0, 0], [both, only_first, only_second, neither])
    second = np.repeat([1, 0, 1, 0], [both, only_first, only_second, neither])
    items = np.arange(first.size)
    return np.tile(items, 2), np.repeat([0, 1], items.size), np.concatenate([first, second])[:, None]


def random_judgments(seed, *, n_items=60, n_raters=7, n_labels=3, lowest=-1):
    rng = np.random.default_rng(seed)
    items, raters = np.nonzero(rng.random((n_items, n_raters)) < 0.5)
    order = rng.permutation(items.size)
    return items[order], raters[order], rng.integers(lowest, 2, (items.size, n_labels))


@pytest.mark.parametrize(("table", "expected"), [(BALANCED, 0.70), (SKEWED, 0.32)])
def test_kappa_matches_the_published_tables(table, expected):
    """Feinstein & Cicchetti (1990): the same 85 % agreement, kappa .70 and .32."""
    kappa, n_common = pairwise_kappa(*two_raters(*table))
    assert kappa[0, 1] == kappa[1, 0] == pytest.approx(expected, abs=5e-3)
    assert n_common.tolist() == [[0, 100], [100, 0]]


@pytest.mark.parametrize("seed", range(3))
def test_kappa_of_every_pair_equals_another_implementation(seed):
    items, raters, verdicts = random_judgments(seed)
    kappa, n_common = pairwise_kappa(items, raters, verdicts)
    table = np.full((7, 60, 3), -1)
    table[raters, items] = verdicts
    for left, right in ((a, b) for a in range(7) for b in range(7) if a != b):
        shared = (table[left] >= 0) & (table[right] >= 0)
        assert kappa[left, right] == pytest.approx(
            cohen_kappa_score(table[left][shared], table[right][shared]), abs=1e-12
        )
        assert n_common[left, right] == shared.any(axis=1).sum()


@pytest.mark.parametrize("lowest", [-1, 0])
def test_kappa_of_every_label_by_itself_is_that_of_its_column(lowest):
    items, raters, verdicts = random_judgments(6, lowest=lowest)
    kappas, n_common = pairwise_kappas(items, raters, verdicts)
    for label in range(3):
        alone = pairwise_kappa(items, raters, verdicts[:, [label]])
        assert kappas[label] == pytest.approx(alone.kappa, abs=1e-12, nan_ok=True)
        assert (n_common[label] == alone.n_common).all()


def test_nobody_is_compared_with_themselves():
    kappa, n_common = pairwise_kappa(*random_judgments(0))
    assert np.isnan(np.diag(kappa)).all()
    assert (np.diag(n_common) == 0).all()


def test_kappa_is_undefined_without_common_pages_or_without_variation():
    never_met = np.array([0, 1]), np.array([0, 1]), np.array([[1], [1]])
    always_no = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.zeros((4, 1), dtype=int)
    for judgments, common in ((never_met, 0), (always_no, 2)):
        kappa, n_common = pairwise_kappa(*judgments)
        assert np.isnan(kappa).all()
        assert n_common[0, 1] == common


def test_kappa_of_real_raters():
    items, raters, names, verdicts, _ = homepages()
    kappa, n_common = pairwise_kappa(items, raters, verdicts)
    w17, w18, w24, w25, w27, w40 = (names.index(name) for name in ("w17", "w18", "w24", "w25", "w27", "w40"))
    assert (round(kappa[w24, w40], 2), n_common[w24, w40]) == (0.51, 23)
    assert (round(kappa[w25, w24], 2), n_common[w25, w24]) == (0.43, 67)
    assert (round(kappa[w18, w27], 2), n_common[w18, w27]) == (-0.06, 70)
    assert n_common[w17, w40] == 1


def test_alpha_without_a_rater_is_alpha_of_the_others():
    items, raters, verdicts = random_judgments(4)
    found = alpha_without(items, raters, verdicts)
    for rater in range(7):
        others = raters != rater
        expected = [nominal_alpha(cells).value for cells in cells_of(items[others], verdicts[others])]
        assert found[rater] == pytest.approx(expected, abs=1e-12)


def test_alpha_without_the_only_partner_is_undefined():
    items, raters, verdicts = two_raters(*BALANCED)
    assert np.isnan(alpha_without(items, raters, verdicts)).all()


def test_every_pair_of_judgments_of_a_page_comes_once():
    items = np.array([3, 1, 3, 1, 3, 2])
    pairs = [tuple(sorted(pair)) for left, right in judgment_pairs(items) for pair in zip(left, right, strict=True)]
    assert sorted(pairs) == [(0, 2), (0, 4), (1, 3), (2, 4)]


def test_two_judgments_of_one_page_by_one_rater_are_refused():
    twice = np.array([0, 0]), np.array([2, 2]), np.array([[1], [0]])
    for compare in (pairwise_kappa, pairwise_kappas, alpha_without):
        with pytest.raises(ValueError, match="two judgments of one item"):
            compare(*twice)


def test_no_judgment_compares_nobody():
    nothing = np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros((0, 3), dtype=int)
    assert pairwise_kappa(*nothing).kappa.shape == (0, 0)
    assert pairwise_kappas(*nothing).kappa.shape == (3, 0, 0)
    assert alpha_without(*nothing).shape == (0, 3)
