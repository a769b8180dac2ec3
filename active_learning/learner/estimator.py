"""One-vs-rest logistic regression on partial labels.

scikit-learn is imported inside the function that fits: the import takes seconds, and nothing that only names or serves
a model should pay for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

YES, NO, NOT_ASKED = 1, 0, -1

Targets = NDArray[np.int8]


@dataclass(frozen=True)
class FitSettings:
    """C = 10 with balanced weights was the best of the models compared on real URLs; the rest is about time.

    dual_up_to_rows: liblinear's dual solver is the faster one only while rows are far fewer than columns.
    dual_tolerance: 0.1 gives the same F1 and AP to the third decimal as 1e-4, in a quarter of the time.
    """

    C: float = 10.0
    min_positives: int = 3
    min_negatives: int = 3
    dual_up_to_rows: int = 50_000
    dual_tolerance: float = 0.1
    primal_tolerance: float = 0.01


DEFAULT_SETTINGS = FitSettings()


class Weights(NamedTuple):
    """weights: (n_columns, n_labels) float32; intercepts: (n_labels,) float32; both NaN-free only where fitted."""

    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    refusals: dict[int, str]  # label index -> why it was not fitted

    def decision(self, X: sparse.csr_matrix) -> NDArray[np.float32]:
        return np.asarray(X @ self.weights, dtype=np.float32) + self.intercepts


def check_targets(X: sparse.csr_matrix, targets: Targets) -> None:
    """Raises ValueError unless targets is (n_rows, n_labels) of 1 (yes), 0 (no) and -1 (not asked)."""
    if targets.ndim != 2 or targets.shape[0] != X.shape[0]:
        raise ValueError(f"targets {targets.shape} do not match {X.shape[0]} rows")
    if not np.isin(targets, (YES, NO, NOT_ASKED)).all():
        raise ValueError("targets may hold 1 (yes), 0 (no) and -1 (not asked) only")


def fit_weights(
    X: sparse.csr_matrix, targets: Targets, *, seed: int, settings: FitSettings = DEFAULT_SETTINGS
) -> Weights:
    """Fit each label on the rows that were asked for it.

    X: (n_rows, n_columns); targets: (n_rows, n_labels) of 1, 0 and -1 = not asked.
    A label with fewer yes or no rows than the settings ask for is not fitted: zero weights, NaN intercept, a refusal.
    Deterministic: the same input and seed give the same bytes. Raises ValueError for targets of another form.
    """
    check_targets(X, targets)
    weights = np.zeros((X.shape[1], targets.shape[1]), dtype=np.float32)
    intercepts = np.full(targets.shape[1], np.nan, dtype=np.float32)
    refusals = {}
    for k in range(targets.shape[1]):
        refusal = _too_few(targets[:, k], settings)
        if refusal:
            refusals[k] = refusal
            continue
        asked = np.flatnonzero(targets[:, k] != NOT_ASKED)
        weights[:, k], intercepts[k] = _fit_one(X[asked], targets[asked, k], seed, settings)
    return Weights(weights, intercepts, refusals)


def _too_few(answers: NDArray[np.int8], settings: FitSettings) -> str:
    n_yes, n_no = int((answers == YES).sum()), int((answers == NO).sum())
    if n_yes < settings.min_positives:
        return f"Not fitted: {n_yes} pages with this label so far, {settings.min_positives} are needed."
    if n_no < settings.min_negatives:
        return f"Not fitted: {n_no} pages without this label so far, {settings.min_negatives} are needed."
    return ""


def _fit_one(
    X: sparse.csr_matrix, answers: NDArray[np.int8], seed: int, settings: FitSettings
) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    dual = X.shape[0] <= settings.dual_up_to_rows and X.shape[0] < X.shape[1]
    fitted = LogisticRegression(
        C=settings.C,
        solver="liblinear",
        class_weight="balanced",
        dual=dual,
        tol=settings.dual_tolerance if dual else settings.primal_tolerance,
        max_iter=1000,
        random_state=seed % 2**31,
    ).fit(X, answers)
    return fitted.coef_[0], float(fitted.intercept_[0])
