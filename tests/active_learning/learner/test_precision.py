import numpy as np
import pytest

from active_learning.learner.estimator import NOT_ASKED
from active_learning.learner.precision import average_precision, precisions


def value(scores, yes):
    scores, yes = np.array(scores, dtype=float), np.array(yes, dtype=bool)
    return average_precision(scores, yes, np.ones((1, len(yes)), dtype=int))[0]


def test_the_textbook_ranking():
    """Manning, Raghavan, Schuetze (2008), section 8.4: relevant at ranks 1 and 3 of 3 gives (1/1 + 2/3) / 2."""
    assert value([3, 2, 1], [1, 0, 1]) == pytest.approx((1 + 2 / 3) / 2)


def test_equal_scores_share_a_rank():
    assert value([1, 1, 1, 1], [1, 0, 0, 0]) == pytest.approx(1 / 4)
    assert value([1, 1, 1, 1], [0, 0, 0, 1]) == pytest.approx(1 / 4)


def test_it_agrees_with_an_independent_library():
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(2)
    scores, yes = np.round(rng.random(200), 2), rng.random(200) < 0.2
    assert value(scores, yes) == pytest.approx(average_precision_score(yes, scores))


def test_a_replicate_counts_pages_as_often_as_they_were_drawn():
    scores, yes = np.array([3.0, 2.0, 1.0]), np.array([True, False, True])
    twice = average_precision(scores, yes, np.array([[1, 2, 1]]))[0]
    assert twice == pytest.approx(value([3, 2, 2, 1], [1, 0, 0, 1]))


def sample(n=120, seed=0):
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, 2)) < 0.3).astype(np.int8)
    return rng.normal(size=(n, 2)) + 2 * targets, targets


def test_the_interval_holds_the_value_and_is_wider_when_pages_come_from_few_sites():
    decisions, targets = sample()
    each, few = (
        precisions(decisions, targets, clusters, rng=np.random.default_rng(1)).macro
        for clusters in (np.arange(120), np.arange(120) % 6)
    )
    assert each.low < each.value < each.high
    assert few.value == each.value and few.n == 120


def test_too_few_positives_and_labels_never_scored_are_undefined_not_zero():
    decisions, targets = sample()
    targets[4:, 0] = 0
    decisions[:, 1] = np.nan
    found = precisions(decisions, targets, np.arange(120), rng=np.random.default_rng(1))
    assert found.per_label == [None, None] and found.macro is None


def test_pages_not_asked_do_not_count():
    decisions, targets = sample()
    targets[60:] = NOT_ASKED
    found = precisions(decisions, targets, np.arange(120), rng=np.random.default_rng(1))
    assert found.per_label[0].n == 60


def test_shapes_must_match():
    decisions, targets = sample()
    with pytest.raises(ValueError, match="do not match"):
        precisions(decisions, targets[:5], np.arange(120), rng=np.random.default_rng(1))
