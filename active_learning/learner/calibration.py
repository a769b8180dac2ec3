"""From decision values to probabilities: a sigmoid per label, fitted on clusters the scorer had not seen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from active_learning.learner.estimator import DEFAULT_SETTINGS, NO, YES, FitSettings, Targets, fit_weights

MIN_POSITIVES = 10
MIN_NEGATIVES = 10


class Sigmoid(NamedTuple):
    """p = sigmoid(slope * decision + offset)."""

    slope: float
    offset: float

    def p(self, decisions: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(expit(self.slope * decisions + self.offset), dtype=np.float64)


def cluster_folds(clusters: NDArray[Any], n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n_rows,) fold number of each row; rows of one cluster share it.

    clusters: (n_rows,) names or numbers, the registrable domain for URLs: pages of one site look alike, so a fold that
    cut through a site would flatter the model. The largest clusters are dealt first, each to the smallest fold so far.
    """
    _, cluster_of_row, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(sizes))
    fold_of_cluster = np.zeros(len(sizes), dtype=np.int64)
    filled = np.zeros(n_folds, dtype=np.int64)
    for cluster in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of_cluster[cluster] = fold = int(np.argmin(filled))
        filled[fold] += sizes[cluster]
    return fold_of_cluster[cluster_of_row]


def held_out_decisions(
    X: sparse.csr_matrix,
    targets: Targets,
    clusters: NDArray[Any],
    *,
    seed: int,
    n_folds: int = 3,
    settings: FitSettings = DEFAULT_SETTINGS,
) -> NDArray[np.float32]:
    """(n_rows, n_labels) decision of each row by weights fitted without its cluster; NaN where those could not be."""
    folds = cluster_folds(clusters, n_folds, np.random.default_rng(seed))
    decisions = np.full(targets.shape, np.nan, dtype=np.float32)
    for fold in range(n_folds):
        inside = folds == fold
        if inside.any() and not inside.all():
            fitted = fit_weights(X[~inside], targets[~inside], seed=seed, settings=settings)
            decisions[inside] = fitted.decision(X[inside])
    return decisions


def fit_sigmoid(decisions: NDArray[Any], answers: NDArray[np.int8]) -> Sigmoid | None:
    """The sigmoid that makes held-out decisions into probabilities, or None when there is too little to fit it on.

    decisions: (n_rows,), NaN = no held-out decision; answers: (n_rows,) of 1, 0 and -1 = not asked.
    None with fewer than 10 yes or 10 no rows, and when higher decisions do not go with more yes.
    Source: Platt (1999), 'Probabilistic outputs for support vector machines', section 2.2, with its smoothed targets.
    """
    usable = ~np.isnan(decisions) & np.isin(answers, (YES, NO))
    x, yes = decisions[usable].astype(np.float64), answers[usable] == YES
    n_yes, n_no = int(yes.sum()), int((~yes).sum())
    if n_yes < MIN_POSITIVES or n_no < MIN_NEGATIVES:
        return None
    goal = np.where(yes, (n_yes + 1) / (n_yes + 2), 1 / (n_no + 2))

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = parameters[0] * x + parameters[1]
        error = expit(z) - goal
        return float(np.sum(np.logaddexp(0, z) - goal * z)), np.array([error @ x, error.sum()])

    start = np.array([1.0, np.log((n_yes + 1) / (n_no + 1))])
    slope, offset = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return Sigmoid(float(slope), float(offset)) if slope > 0 else None
