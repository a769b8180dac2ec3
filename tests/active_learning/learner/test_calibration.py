import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from active_learning.learner.calibration import cluster_folds, fit_sigmoid, held_out_decisions

RNG = np.random.default_rng(3)


def test_pages_of_one_domain_share_a_fold():
    clusters = RNG.integers(0, 40, 300)
    folds = cluster_folds(clusters, 3, np.random.default_rng(1))
    assert all(len(set(folds[clusters == cluster])) == 1 for cluster in range(40))


def test_folds_are_about_equally_large():
    folds = cluster_folds(RNG.integers(0, 100, 900), 3, np.random.default_rng(1))
    assert np.bincount(folds).tolist() == pytest.approx([300, 300, 300], abs=10)


def test_a_sigmoid_finds_the_curve_its_answers_were_drawn_from():
    decisions = np.random.default_rng(4).normal(size=20_000)
    answers = (np.random.default_rng(5).random(20_000) < expit(2.0 * decisions - 1.0)).astype(np.int8)
    sigmoid = fit_sigmoid(decisions, answers)
    assert sigmoid.slope == pytest.approx(2.0, abs=0.1)
    assert sigmoid.offset == pytest.approx(-1.0, abs=0.1)


def test_a_sigmoid_agrees_with_scikit_learns():
    from sklearn.calibration import _SigmoidCalibration

    decisions = np.random.default_rng(6).normal(size=500)
    answers = (np.random.default_rng(7).random(500) < expit(decisions)).astype(np.int8)
    theirs = _SigmoidCalibration().fit(decisions, answers)
    np.testing.assert_allclose(fit_sigmoid(decisions, answers).p(decisions), theirs.predict(decisions), atol=2e-3)


def test_rows_not_asked_or_not_held_out_do_not_count():
    decisions = np.append(RNG.normal(size=200), [np.nan, 50.0])
    answers = np.append((decisions[:200] > 0), [1, -1]).astype(np.int8)
    assert fit_sigmoid(decisions, answers) == fit_sigmoid(decisions[:200], answers[:200])


def test_nine_positives_are_too_few_for_a_sigmoid():
    decisions, answers = np.linspace(-1, 1, 100), np.zeros(100, dtype=np.int8)
    answers[-9:] = 1
    assert fit_sigmoid(decisions, answers) is None
    answers[-10:] = 1
    assert fit_sigmoid(decisions, answers) is not None


def test_a_model_that_ranks_backwards_is_not_calibrated_into_its_opposite():
    decisions = np.linspace(-1, 1, 100)
    assert fit_sigmoid(decisions, (decisions < 0).astype(np.int8)) is None


def test_a_held_out_decision_never_saw_its_own_domain():
    """Each domain has one column and random answers: only a scorer that saw the domain could know them."""
    clusters = np.repeat(np.arange(100), 2)
    X = sparse.csr_matrix((np.ones(200, dtype=np.float32), (np.arange(200), clusters)), shape=(200, 100))
    answers = np.repeat(np.random.default_rng(8).integers(0, 2, 100), 2).astype(np.int8)
    decisions = held_out_decisions(X, answers[:, None], clusters, seed=1)[:, 0]
    by_fold_only = np.unique(decisions)
    assert len(by_fold_only) == 3
