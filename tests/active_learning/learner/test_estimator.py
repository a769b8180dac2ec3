import numpy as np
import pytest
from scipy import sparse

from active_learning.learner.estimator import NO, NOT_ASKED, YES, FitSettings, fit_weights

RNG = np.random.default_rng(5)
X = sparse.csr_matrix(RNG.standard_normal((60, 8)).astype(np.float32))
BY_FIRST_COLUMN = (X[:, 0].toarray()[:, 0] > 0).astype(np.int8)


def targets(*columns):
    return np.column_stack(columns).astype(np.int8)


def test_a_label_is_learnt_from_its_examples():
    fitted = fit_weights(X, targets(BY_FIRST_COLUMN), seed=1)
    assert ((fitted.decision(X)[:, 0] > 0) == BY_FIRST_COLUMN).mean() > 0.95


def test_rows_not_asked_for_a_label_do_not_change_it():
    asked = np.arange(60) < 40
    garbage = sparse.vstack([X[:40], 100 * X[40:]]).tocsr()
    partial = targets(np.where(asked, BY_FIRST_COLUMN, NOT_ASKED))
    alone = fit_weights(X[:40], partial[:40], seed=1)
    assert np.array_equal(fit_weights(garbage, partial, seed=1).weights, alone.weights)


def test_a_label_with_too_few_positives_says_so_and_has_no_decision():
    few = np.zeros(60, dtype=np.int8)
    few[:2] = YES
    fitted = fit_weights(X, targets(BY_FIRST_COLUMN, few), seed=1)
    assert fitted.refusals == {1: "Not fitted: 2 pages with this label so far, 3 are needed."}
    assert np.isnan(fitted.decision(X)[:, 1]).all()
    assert np.isfinite(fitted.decision(X)[:, 0]).all()


def test_a_label_that_nearly_always_holds_says_what_is_missing():
    fitted = fit_weights(X, targets(np.full(60, YES)), seed=1)
    assert fitted.refusals == {0: "Not fitted: 0 pages without this label so far, 3 are needed."}


def test_a_label_nobody_was_asked_for_is_not_fitted():
    assert 0 in fit_weights(X, targets(np.full(60, NOT_ASKED)), seed=1).refusals


def test_the_same_seed_gives_the_same_bytes():
    first, second = (fit_weights(X, targets(BY_FIRST_COLUMN), seed=9) for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.intercepts.tobytes() == second.intercepts.tobytes()


def test_both_solvers_find_nearly_the_same_line():
    wide = sparse.hstack([X, sparse.csr_matrix((60, 200))]).tocsr().astype(np.float32)
    tight = {"dual_tolerance": 1e-6, "primal_tolerance": 1e-6, "C": 0.1}
    dual = fit_weights(wide, targets(BY_FIRST_COLUMN), seed=1, settings=FitSettings(**tight))
    primal = fit_weights(wide, targets(BY_FIRST_COLUMN), seed=1, settings=FitSettings(dual_up_to_rows=0, **tight))
    assert not np.array_equal(dual.weights, primal.weights)
    np.testing.assert_allclose(dual.weights, primal.weights, atol=1e-3)


@pytest.mark.parametrize("wrong", [np.full((60, 1), 2), np.zeros((59, 1)), np.zeros(60)])
def test_targets_of_another_form_are_refused(wrong):
    with pytest.raises(ValueError, match="targets"):
        fit_weights(X, wrong.astype(np.int8), seed=1)


def test_no_is_not_the_same_as_not_asked():
    assert NO != NOT_ASKED
