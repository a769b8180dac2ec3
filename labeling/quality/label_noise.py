"""Label noise: which finished items most likely carry a wrong label, so that re-checking starts there.

Rank and let the budget cut: no score here says by itself that a label is wrong.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from .cells import MISSING, YES, Floats, Integers

FEWEST_ADJUDICATIONS = 200
WORST_WEIGHT = 0.8
_CLOSEST = 1e-6  # probabilities of exactly 0 and 1 would have infinite log odds
_RIDGE = 1.0  # prior precision of the standardised weights: 200 items may hold a rare label a handful of times
_STEPS, _TOLERANCE = 100, 1e-10

Flags = npt.NDArray[np.bool_]


def self_confidence(p_label: Floats, labels: Integers) -> Floats:
    """How much a model trained without the item believes each recorded label.

    p_label: (n_items, n_labels) out-of-fold P(label | item), in [0, 1]. labels: same shape, 1 yes, 0 no, -1 missing.
    Returns (n_items, n_labels) in [0, 1]: p where yes, 1 - p where no, 1 where missing (nothing to doubt).
    Raises ValueError when the shapes do not match.
    Source: Northcutt et al. 2021, "Confident Learning", section 3.
    """
    if p_label.shape != labels.shape or labels.ndim != 2:
        raise ValueError(f"p_label {p_label.shape} does not match labels {labels.shape}")
    return np.where(labels == MISSING, 1.0, np.where(labels == YES, p_label, 1 - p_label))


def label_quality(confidence: Floats, labels: Integers, *, worst_weight: float = WORST_WEIGHT) -> Floats:
    """One score for the labels of an item: an exponential moving average that ends on the least believed label.

    confidence: (n_items, n_labels) from `self_confidence`. labels: same shape: missing ones (-1) do not count.
    worst_weight: in (0, 1], the weight of each further label while they are taken from the best down to the worst.
    Returns (n_items,) in [0, 1], low where something is wrong; 1 without any label. Raises ValueError for other shapes.
    Source: Thyagarajan et al. 2022, "Identifying Incorrect Annotations in Multi-Label Classification Data".
    """
    if confidence.shape != labels.shape or labels.ndim != 2 or not 0 < worst_weight <= 1:
        raise ValueError(f"confidence {confidence.shape}, labels {labels.shape}, weight {worst_weight} do not fit")
    answered = labels != MISSING
    from_best = -np.sort(np.where(answered, -confidence, -np.inf), axis=1)  # missing ones first
    quality = np.full(len(labels), np.inf)
    for column in from_best.T:
        step = worst_weight * column + (1 - worst_weight) * np.where(np.isinf(quality), column, quality)
        quality = np.where(np.isinf(column), quality, step)
    return np.where(np.isinf(quality), 1.0, quality)


class Evidence(NamedTuple):
    """What is known of each item and label, all (n_items, n_labels).

    p_consensus: calibrated P(yes) from the judgments, in [0, 1]. p_model: out-of-fold P(yes) of the model, in [0, 1].
    n, k: answers, and yes answers among them.
    """

    p_consensus: Floats
    p_model: Floats
    n: Integers
    k: Integers

    def rows(self, which: Flags | Integers) -> "Evidence":
        return Evidence(self.p_consensus[which], self.p_model[which], self.n[which], self.k[which])


class Stack(NamedTuple):
    """A logistic regression of the true label on the evidence: weights (5,), the first for a constant 1.

    centre, spread: (4,) of the evidence it was fitted on. n: adjudicated items.
    """

    weights: Floats
    centre: Floats
    spread: Floats
    n: int

    def p_yes(self, evidence: Evidence) -> Floats:
        """P(yes) of each item and label after all evidence: (n_items, n_labels), strictly inside (0, 1)."""
        columns = (_columns(evidence) - self.centre) / self.spread
        p: Floats = expit(self.weights[0] + columns @ self.weights[1:])
        return p.reshape(evidence.p_consensus.shape)


def fit_stack(evidence: Evidence, truth: Integers) -> Stack | None:
    """Learn from adjudicated items how far to believe the judgments and the model.

    evidence: of adjudicated items, as it stood before. truth: (n_items, n_labels), 1 yes, 0 no, -1 not decided.
    Returns None below 200 adjudicated items, and where they hold no yes or no no: nothing could be learned.
    Raises ValueError when the shapes do not match.
    Source: stacked generalisation (Wolpert 1992) by logistic regression with a unit ridge, Newton's method.
    """
    if any(part.shape != truth.shape for part in evidence) or truth.ndim != 2:
        raise ValueError(f"evidence {[part.shape for part in evidence]} does not match truth {truth.shape}")
    known = (truth != MISSING).ravel()
    yes = (truth.ravel() == YES)[known]
    n_items = int((truth != MISSING).any(axis=1).sum())
    if n_items < FEWEST_ADJUDICATIONS or yes.all() or not yes.any():
        return None
    columns = _columns(evidence)[known]
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread == 0] = 1.0  # a column that never varies weighs nothing
    design = np.column_stack([np.ones(len(columns)), (columns - centre) / spread])
    return Stack(_logistic(design, yes.astype(np.float64)), centre, spread, n_items)


def wrong_label_risk(evidence: Evidence, labels: Integers, *, stack: Stack | None = None) -> Floats:
    """How likely each item carries a wrong label, for sorting: the largest first.

    labels: (n_items, n_labels) as recorded: 1 yes, 0 no, -1 missing. stack: from `fit_stack`, when there is one.
    Returns (n_items,) >= 0. With a stack: expected number of wrong labels. Without: for items with one judgment
    1 - `label_quality` by the model, because one judgment cannot doubt itself; for the rest the expected number of
    wrong labels by the calibrated consensus. Raises ValueError when the shapes do not match.
    """
    if any(part.shape != labels.shape for part in evidence) or labels.ndim != 2:
        raise ValueError(f"evidence {[part.shape for part in evidence]} does not match labels {labels.shape}")
    if stack is not None:
        return _expected_wrong(stack.p_yes(evidence), labels)
    by_model = 1 - label_quality(self_confidence(evidence.p_model, labels), labels)
    once = evidence.n.max(axis=1, initial=0) <= 1
    return np.where(once, by_model, _expected_wrong(evidence.p_consensus, labels))


def _expected_wrong(p_yes: Floats, labels: Integers) -> Floats:
    wrong: Floats = (1 - self_confidence(p_yes, labels)).sum(axis=1)
    return wrong


def _columns(evidence: Evidence) -> Floats:
    """The evidence as (n_items * n_labels, 4) numbers: two log odds and two counts."""
    odds = (logit(np.clip(p, _CLOSEST, 1 - _CLOSEST)) for p in (evidence.p_consensus, evidence.p_model))
    columns: list[npt.NDArray[Any]] = [*odds, evidence.n, evidence.k]
    return np.column_stack([column.ravel() for column in columns]).astype(np.float64)


def _logistic(design: Floats, yes: Floats) -> Floats:
    """Weights of a ridge logistic regression; the constant (first column) is not shrunk."""
    ridge = np.full(design.shape[1], _RIDGE)
    ridge[0] = 0.0
    weights = np.zeros(design.shape[1])
    weights[0] = logit(yes.mean())

    def loss(w: Floats) -> float:
        score = design @ w
        return float((np.logaddexp(0, score) - yes * score).sum() + 0.5 * ridge @ w**2)

    for _ in range(_STEPS):
        p = expit(design @ weights)
        gradient = design.T @ (p - yes) + ridge * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        size, before = 1.0, loss(weights)
        while loss(weights - size * step) > before and size > _TOLERANCE:
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < _TOLERANCE:
            break
    return weights
