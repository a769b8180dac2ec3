"""What a strategy is given, and what it must answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.near_duplicates import BatchLimits

Indices = NDArray[np.int64]


class CachedClassifier:
    """Scores computed once, in the form that modAL's functions ask a classifier for.

    A strategy that calls `predict_proba` gets the stored array back instead of scanning the pool again.

    p_label: (n_pool, n_labels) in [0, 1], a column of NaN for a label without a model.
    decisions: (n_pool, n_labels), NaN alike; lines: (n_labels,) the decision value a label's margin is measured from.
    thresholds: (n_labels,) on p_label; positives: (n_labels,) pages judged yes so far.
    names: how a manager knows the labels; components: (n_columns, k), of `diversity.fit_components` when cached.
    """

    def __init__(
        self,
        p_label: NDArray[Any],
        decisions: NDArray[Any],
        *,
        labels: tuple[str, ...],
        positives: NDArray[Any],
        thresholds: NDArray[Any] | None = None,
        lines: NDArray[Any] | None = None,
        names: tuple[str, ...] | None = None,
        components: NDArray[np.float32] | None = None,
    ) -> None:
        n_labels = len(labels)
        self.p_label, self.decisions, self.labels, self.positives = p_label, decisions, labels, positives
        self.thresholds = np.full(n_labels, 0.5) if thresholds is None else thresholds
        self.lines = np.zeros(n_labels) if lines is None else lines
        self.names = labels if names is None else names
        self.components = components
        if p_label.ndim != 2 or p_label.shape[1] != n_labels or decisions.shape != p_label.shape:
            raise ValueError(f"p_label {p_label.shape}, decisions {decisions.shape}, {n_labels} labels do not match")
        for name in ("positives", "thresholds", "lines"):
            if getattr(self, name).shape != (n_labels,):
                raise ValueError(f"{name} {getattr(self, name).shape} does not match {n_labels} labels")

    @property
    def n_pool(self) -> int:
        return int(self.p_label.shape[0])

    def with_model(self) -> Indices:
        """Numbers of the labels that have scores; one without a model has NaN in its whole column."""
        return np.flatnonzero(~np.isnan(self.decisions[0])) if self.n_pool else np.arange(0)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        self._same_pool(X)
        return self.p_label

    def predict(self, X: Any) -> NDArray[np.int8]:
        self._same_pool(X)
        return (self.p_label >= self.thresholds).astype(np.int8)

    def _same_pool(self, X: Any) -> None:
        if X.shape[0] != self.n_pool:
            raise ValueError(f"the scores are of a pool of {self.n_pool} pages, not of these {X.shape[0]}")


@dataclass(frozen=True)
class Choice:
    """One page a strategy chose."""

    index: int
    stream: str  # uncertainty or diversity
    reason: str  # for a manager, never for an annotator
    label: str = ""  # the label it was chosen for; empty where it was not for one label
    score: float | None = None  # the strategy's own measure


class Choose(Protocol):
    """Choose up to n_instances of the candidates, best first.

    Never one that the limits refuse, and every one taken is told to them, so that what follows can respect it.
    """

    def __call__(
        self,
        classifier: CachedClassifier,
        X_pool: sparse.csr_matrix,
        n_instances: int,
        *,
        rng: np.random.Generator,
        candidates: NDArray[np.bool_],
        limits: BatchLimits,
    ) -> list[Choice]: ...
