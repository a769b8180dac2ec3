"""modAL's query functions, on cached scores. The only module that imports modAL.

modAL 0.4.2.1 cannot teach with scikit-learn 1.8 or later, but its query functions only call `predict` and
`predict_proba`, so they run on stored scores. Used here are those that work on several labels. Two traps:
`random_tie_break` draws from numpy's global state, so it stays off and the pool is shuffled by our generator instead;
and `ActiveLearner.query` unpacks what a strategy returns, so two indices alone look like an (indices, metrics) pair.

Importing modAL imports scikit-learn (seconds), so it happens inside the call.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.contract import CachedClassifier, Choice, Indices
from active_learning.strategies.diversity import choose_diverse

ASKED_PER_PICK = 5


class _Function(NamedTuple):
    module: str
    name: str
    lowest_first: bool
    reason: str


FUNCTIONS = {
    "modal_min_confidence": _Function(
        "modAL.multilabel", "min_confidence", True, "least probability of its least likely label"
    ),
    "modal_avg_confidence": _Function(
        "modAL.multilabel", "avg_confidence", False, "highest mean probability over all labels"
    ),
    "modal_max_score": _Function("modAL.multilabel", "max_score", False, "highest score of its strongest label"),
    "modal_avg_score": _Function("modAL.multilabel", "avg_score", False, "highest mean score over all labels"),
    "modal_uncertainty": _Function(
        "modAL.uncertainty", "uncertainty_sampling", False, "least probability of its likeliest label"
    ),
    "modal_margin": _Function(
        "modAL.uncertainty", "margin_sampling", True, "its two likeliest labels are about equally likely"
    ),
    "modal_entropy": _Function(
        "modAL.uncertainty", "entropy_sampling", False, "its probability is spread over many labels"
    ),
}


def modal_choice(
    name: str,
) -> Callable[..., list[Choice]]:
    """The choosing function of one of FUNCTIONS."""
    function = FUNCTIONS[name]

    def choose(
        classifier: CachedClassifier,
        X_pool: sparse.csr_matrix,
        n_instances: int,
        *,
        rng: np.random.Generator,
        candidates: NDArray[np.bool_],
        limits: BatchLimits,
    ) -> list[Choice]:
        labels = classifier.with_model()
        if not len(labels):
            return choose_diverse(classifier, X_pool, n_instances, rng=rng, candidates=candidates, limits=limits)
        pool = rng.permutation(np.flatnonzero(candidates))
        view = _View(classifier, pool, labels)
        chosen: list[Choice] = []
        # Asking modAL for a few more than wanted is enough unless the limits refuse most of them; then ask for all.
        for n_asked in (min(len(pool), ASKED_PER_PICK * n_instances), len(pool)):
            already = {choice.index for choice in chosen}
            for at, score in ranked(function, view, pool, n_asked):
                index = int(pool[at])
                if len(chosen) == n_instances:
                    return chosen
                if index not in already and limits.take_if_admitted(index):
                    chosen.append(Choice(index, "uncertainty", function.reason, score=score))
        return chosen

    return choose


def ranked(function: _Function, view: _View, X: Any, n_asked: int) -> list[tuple[int, float]]:
    """(position, score) of the n_asked best by one modAL function, best first."""
    if n_asked == 0:
        return []
    query = getattr(import_module(function.module), function.name)
    positions, scores = query(view, X, n_instances=n_asked, random_tie_break=False)
    best_first = np.argsort(scores if function.lowest_first else -scores, kind="stable")
    return [(int(positions[i]), float(scores[i])) for i in best_first]


def as_query_strategy(strategy: Callable[..., Indices]) -> Callable[..., tuple[Indices, None]]:
    """A strategy of ours as `ActiveLearner(query_strategy=...)` needs it: answering a pair of indices and metrics."""

    def query(classifier: Any, X_pool: Any, n_instances: int = 1, **settings: Any) -> tuple[Indices, None]:
        return strategy(getattr(classifier, "estimator", classifier), X_pool, n_instances, **settings), None

    return query


class _View:
    """The cached scores of some pages and of the labels that have a model, as modAL asks for them."""

    def __init__(self, classifier: CachedClassifier, pool: Indices, labels: Indices) -> None:
        # Away from 0 and 1: entropy_sampling divides by the sum of a row.
        self._p_label: NDArray[Any] = np.clip(classifier.p_label[np.ix_(pool, labels)], 1e-9, 1 - 1e-9)
        self._predicted: NDArray[np.int8] = (self._p_label >= classifier.thresholds[labels]).astype(np.int8)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        return self._p_label

    def predict(self, X: Any) -> NDArray[np.int8]:
        return self._predicted
