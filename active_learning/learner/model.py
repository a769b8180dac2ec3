"""The fitted model as plain arrays: everything that scoring needs, and nothing that has to be unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

from active_learning.learner.features import DEFAULT_RECIPE, Recipe

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LinearModel:
    """One linear scorer per label, with its calibration and threshold.

    weights: (recipe.n_columns, n_labels) float32; intercepts: (n_labels,) float32, NaN for a label that was not fitted.
    slopes, offsets: (n_labels,) float64; p = sigmoid(slope * decision + offset). 1 and 0 where not calibrated.
    thresholds: (n_labels,) float64 on p; 0.5 where there was too little to choose one from.
    notes: per label, the sentences a manager should read: not fitted, not calibrated, no threshold of its own.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    slopes: NDArray[np.float64]
    offsets: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    recipe: Recipe = DEFAULT_RECIPE
    notes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_labels = len(self.labels)
        if self.weights.shape != (self.recipe.n_columns, n_labels):
            raise ValueError(
                f"weights {self.weights.shape} do not fit {self.recipe.n_columns} columns, {n_labels} labels"
            )
        for name in ("intercepts", "slopes", "offsets", "thresholds"):
            if getattr(self, name).shape != (n_labels,):
                raise ValueError(f"{name} {getattr(self, name).shape} does not fit {n_labels} labels")

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """(n_labels,): False for a label that had too few examples."""
        return ~np.isnan(self.intercepts)

    @property
    def weights_sha256(self) -> str:
        """The model's reproducible identity: the same rows, targets and seed give the same digest."""
        digest = hashlib.sha256()
        for array in (self.weights, self.intercepts):
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
        return digest.hexdigest()

    def decision(self, X: sparse.csr_matrix) -> NDArray[np.float32]:
        """(n_rows, n_labels) float32: above 0 is yes for the fitted model, NaN for a label that was not fitted.

        One sparse product for all labels. Raises ValueError when X was made with another number of columns.
        """
        if X.shape[1] != self.weights.shape[0]:
            raise ValueError(f"the rows have {X.shape[1]} columns; the model was fitted on {self.weights.shape[0]}")
        decisions: NDArray[np.float32] = np.asarray(X @ self.weights, dtype=np.float32)
        decisions += self.intercepts
        return decisions

    def p_label(self, X: sparse.csr_matrix) -> NDArray[np.float32]:
        """(n_rows, n_labels) float32 in [0, 1]: P(label | item), NaN for a label that was not fitted."""
        return self.probabilities(self.decision(X))

    def probabilities(self, decisions: Floats) -> NDArray[np.float32]:
        """The same from decision values that are already there."""
        p: NDArray[np.float32] = expit(np.float32(self.slopes) * decisions + np.float32(self.offsets)).astype(
            np.float32
        )
        return p

    def lines(self) -> NDArray[np.float64]:
        """(n_labels,) the decision value at which each label's probability meets its threshold."""
        return np.asarray((logit(self.thresholds) - self.offsets) / self.slopes, dtype=np.float64)

    def note(self, label: str) -> Sequence[str]:
        return self.notes.get(label, [])
