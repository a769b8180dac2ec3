"""Pages near the line of a label, with the rare labels first.

A page is asked because one label cannot be told on it, so each label gets its own part of the batch. Measures that add
all labels into one number chase the frequent ones and label no faster than chance.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.contract import CachedClassifier, Choice, Indices
from active_learning.strategies.diversity import choose_diverse, components_of, spread

SHORTLIST_PER_PICK = 5


def quotas(positives: NDArray[np.integer], n_instances: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n_labels,) picks for each label, summing to n_instances: proportional to (positives + 1) ** -0.5.

    Rounded by one random offset for all (systematic sampling), so that each label gets its exact share on average.
    """
    weights = (positives + 1.0) ** -0.5
    edges = np.cumsum(weights) / weights.sum() * n_instances
    edges[-1] = n_instances
    return np.diff(np.floor(np.concatenate([[0.0], edges]) + rng.random())).astype(np.int64)


def margins(classifier: CachedClassifier, k: int) -> NDArray[np.floating]:
    """(n_pool,) distance of each decision value from the label's line."""
    distance: NDArray[np.floating] = np.abs(classifier.decisions[:, k] - classifier.lines[k])
    return distance


def choose_by_margin(
    classifier: CachedClassifier,
    X_pool: sparse.csr_matrix,
    n_instances: int,
    *,
    rng: np.random.Generator,
    candidates: NDArray[np.bool_],
    limits: BatchLimits,
    spread_out: bool = True,
) -> list[Choice]:
    """Per label the pages with the smallest margin; spread_out picks them by k-means++ among 5 times as many.

    For a rare label nothing is above the line yet, so the smallest margins are also its likeliest pages. A label
    without a model gets no part; without any model the batch is chosen by diversity alone.
    """
    labels = classifier.with_model()
    if not len(labels):
        return choose_diverse(classifier, X_pool, n_instances, rng=rng, candidates=candidates, limits=limits)
    shuffled = rng.permutation(np.flatnonzero(candidates))  # so that ties are broken by chance
    components = components_of(classifier, X_pool, rng) if spread_out else None
    search = _Search(classifier, X_pool, shuffled, candidates.copy(), components, limits, rng)
    chosen: list[Choice] = []
    while len(chosen) < n_instances and search.left.any():
        parts = quotas(classifier.positives[labels], n_instances - len(chosen), rng)
        for at in np.argsort(-parts, kind="stable"):
            chosen += search.for_label(int(labels[at]), int(parts[at]))
    return chosen


choose_by_margin_alone = partial(choose_by_margin, spread_out=False)


class _Search:
    """The pages still left while one batch is filled label by label."""

    def __init__(
        self,
        classifier: CachedClassifier,
        X_pool: sparse.csr_matrix,
        shuffled: Indices,
        left: NDArray[np.bool_],
        components: NDArray[np.float32] | None,
        limits: BatchLimits,
        rng: np.random.Generator,
    ) -> None:
        self.classifier, self.X_pool, self.shuffled, self.left = classifier, X_pool, shuffled, left
        self.components, self.limits, self.rng = components, limits, rng

    def for_label(self, k: int, n_wanted: int) -> list[Choice]:
        if n_wanted == 0:
            return []
        distance = margins(self.classifier, k)
        reason = self._reason(k)
        taken: list[int] = []
        while len(taken) < n_wanted and self.left.any():
            shortlist = self._nearest(distance, SHORTLIST_PER_PICK * (n_wanted - len(taken)))
            taken += self._take(shortlist, n_wanted - len(taken))
        name = self.classifier.labels[k]
        return [Choice(index, "uncertainty", reason, name, float(distance[index])) for index in taken]

    def _nearest(self, distance: NDArray[np.floating], n_wanted: int) -> Indices:
        pool = self.shuffled[self.left[self.shuffled]]
        near = distance[pool]
        if n_wanted < len(pool):
            kept = np.argpartition(near, n_wanted)[:n_wanted]
            pool, near = pool[kept], near[kept]
        return pool[np.argsort(near, kind="stable")]

    def _take(self, shortlist: Indices, n_wanted: int) -> list[int]:
        def admit(position: int) -> bool:
            self.left[shortlist[position]] = False  # taken or refused: limits only get tighter
            return self.limits.take_if_admitted(int(shortlist[position]))

        if self.components is not None:
            positions = spread(self.X_pool[shortlist] @ self.components, n_wanted, self.rng, admit)
        else:
            positions = []
            for position in range(len(shortlist)):
                if len(positions) < n_wanted and admit(position):
                    positions.append(position)
        return [int(shortlist[position]) for position in positions]

    def _reason(self, k: int) -> str:
        some_above = bool((self.classifier.decisions[:, k] > self.classifier.lines[k]).any())
        kind = "near the line for" if some_above else "among the likeliest for"
        return f"{kind} {self.classifier.names[k]}"
