import math
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as other_fleiss

from labeling.quality.intervals import log_complement_interval
from labeling.quality.kappas import cohen_kappa, fleiss_kappa

from .published import BALANCED, FLEISS_1971, SKEWED

# Cohen (1960), table 1: two judges place 200 people in three diagnoses; kappa = .492.
COHEN_1960 = np.array([[88, 10, 2], [14, 40, 6], [18, 10, 12]])
# Artstein & Poesio (2008), "Inter-Coder Agreement for Computational Linguistics", section 2: kappa = .348.
ARTSTEIN_POESIO = np.array([[20, 20], [10, 50]])


def fleiss_counts():
    return np.array([[Counter(row)[category] for category in "12345"] for row in FLEISS_1971])


@pytest.mark.parametrize(
    ("table", "published"),
    [
        (COHEN_1960, 0.492),
        (ARTSTEIN_POESIO, 0.348),
        (np.reshape(BALANCED, (2, 2)), 0.70),
        (np.reshape(SKEWED, (2, 2)), 0.32),
    ],
)
def test_cohens_kappa_matches_the_published_tables(table, published):
    """Cohen (1960); Artstein & Poesio (2008); Feinstein & Cicchetti (1990): 85 % agreement, kappa .70 and .32."""
    digits = 5e-3 if published in (0.70, 0.32) else 5e-4
    assert cohen_kappa(table).value == pytest.approx(published, abs=digits)


def test_fleiss_kappa_matches_the_published_table():
    """Fleiss (1971), table 1: kappa = 0.430."""
    assert fleiss_kappa(fleiss_counts()).value == pytest.approx(0.430, abs=5e-4)


@pytest.mark.parametrize("seed", range(4))
def test_kappas_equal_other_implementations(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 12, (4, 4))
    found, other, n = cohen_kappa(table), cohens_kappa(table), table.sum()
    first, second = np.repeat(np.indices((4, 4)).reshape(2, -1), table.ravel(), axis=1)
    assert found.value == pytest.approx(other.kappa, abs=1e-9)
    assert found.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-9)
    assert (found.low, found.high) == pytest.approx(
        log_complement_interval(other.kappa, other.std_kappa * math.sqrt(n / (n - 1))), abs=1e-9
    )
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=20)
    assert fleiss_kappa(counts).value == pytest.approx(other_fleiss(counts), abs=1e-9)


def test_two_raters_without_an_order_are_a_symmetrical_table():
    """Scott's pi of Artstein & Poesio's table is .341: Fleiss' kappa for two raters."""
    counts = np.repeat([[2, 0], [1, 1], [0, 2]], [20, 30, 50], axis=0)
    assert fleiss_kappa(counts).value == pytest.approx(0.341, abs=5e-4)


def test_the_interval_of_fleiss_kappa_is_as_wide_as_resampled_items_say():
    counts, rng = fleiss_counts(), np.random.default_rng(2)
    draws = [fleiss_kappa(counts[rng.integers(0, 30, 30)]).value for _ in range(300)]
    found = fleiss_kappa(counts)
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(np.std(draws), rel=0.2)


def test_what_cannot_be_told_is_named():
    assert cohen_kappa(np.zeros((2, 2), dtype=int)).reason == "no page has two answers"
    assert cohen_kappa(np.array([[9, 0], [0, 0]])).reason == "every answer is the same category"
    assert fleiss_kappa(np.zeros((0, 2), dtype=int)).reason == "no page has two answers"
    assert fleiss_kappa(np.array([[3, 0]] * 9)).reason == "every answer is the same category"
    assert cohen_kappa(np.eye(2, dtype=int)).low is None


def test_perfect_agreement_is_not_certainty():
    for found in (cohen_kappa(np.diag([5, 5])), fleiss_kappa(np.array([[3, 0], [0, 3]] * 5))):
        assert (found.value, found.high) == (1, 1)
        assert 0.3 < found.low < 0.9


def test_items_with_fewer_answers_than_others_are_refused():
    with pytest.raises(ValueError, match="take alpha"):
        fleiss_kappa(np.array([[3, 0], [1, 1]]))
    with pytest.raises(ValueError, match="square"):
        cohen_kappa(np.zeros((2, 3), dtype=int))
