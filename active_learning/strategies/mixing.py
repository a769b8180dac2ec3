"""One batch from a strategy and chance: some pages chosen to teach, some drawn so that rates can be estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.contract import CachedClassifier, Choice, Choose, Indices

RANDOM_REASON = "drawn at random"


@dataclass(frozen=True)
class Pick:
    """One page of a batch, and why it is there."""

    index: int  # in the pool
    rank: int  # from 1
    stream: str  # uncertainty, diversity or random
    reason: str  # for a manager, never for an annotator
    label: str  # key of the label it was chosen for; empty where it was not for one label
    score: float | None  # the strategy's own measure
    probability: float | None  # of being drawn, for a random pick; None for a chosen one: it had no known chance


@dataclass(frozen=True)
class Strategy:
    """A named way to choose. Without `choose`, every page is drawn at random.

    Called with modAL's signature it returns the indices alone; `compose` tells why each is there.
    """

    name: str
    choose: Choose | None
    random_share: float = 0.0  # unless the caller gives one

    def __call__(
        self,
        classifier: CachedClassifier,
        X_pool: sparse.csr_matrix,
        n_instances: int = 1,
        *,
        rng: np.random.Generator,
        random_share: float | None = None,
        limits: BatchLimits | None = None,
        candidates: NDArray[np.bool_] | None = None,
    ) -> Indices:
        """(n_chosen,) distinct row numbers of X_pool, by rank: n_instances unless the pool or the limits give fewer."""
        picks = compose(
            self,
            classifier,
            X_pool,
            n_instances,
            rng=rng,
            random_share=self.random_share if random_share is None else random_share,
            limits=limits,
            candidates=candidates,
        )
        return np.array([pick.index for pick in picks], dtype=np.int64)


def compose(
    strategy: Strategy,
    classifier: CachedClassifier,
    X_pool: sparse.csr_matrix,
    n_instances: int,
    *,
    rng: np.random.Generator,
    random_share: float,
    limits: BatchLimits | None = None,
    candidates: NDArray[np.bool_] | None = None,
) -> list[Pick]:
    """A batch of up to n_instances picks in rank order.

    X_pool: (n_pool, n_columns), the rows that the classifier's scores belong to; candidates: (n_pool,) True where a
    page may be picked, None = all. random_share: 0..1 of the batch, rounded at random.
    The random part is drawn first, uniformly and regardless of limits, so each of its pages had the probability that is
    stored with it; only then are the others chosen. Both parts are shuffled together, so that a batch left half done
    keeps its random share. Raises ValueError for a share outside 0..1, a negative size, or shapes that do not match.
    """
    _check(classifier, X_pool, n_instances, random_share)
    free = np.ones(classifier.n_pool, dtype=bool) if candidates is None else candidates.astype(bool)
    limits = BatchLimits() if limits is None else limits
    n_wanted = min(n_instances, int(free.sum()))
    n_random = n_wanted if strategy.choose is None else int(np.floor(random_share * n_wanted + rng.random()))
    drawn, probability = _draw(free, n_random, rng)
    for choice in drawn:
        limits.take(choice.index)
        free[choice.index] = False
    chosen: list[Choice] = []
    if strategy.choose is not None and n_wanted > n_random:
        chosen = strategy.choose(classifier, X_pool, n_wanted - n_random, rng=rng, candidates=free, limits=limits)
    picks = []
    for rank, choice in enumerate(_shuffled_in(drawn, chosen, rng), start=1):
        known = probability if choice.stream == "random" else None
        picks.append(Pick(choice.index, rank, choice.stream, choice.reason, choice.label, choice.score, known))
    return picks


def _draw(free: NDArray[np.bool_], n_random: int, rng: np.random.Generator) -> tuple[list[Choice], float]:
    pool = np.flatnonzero(free)
    drawn = rng.choice(pool, n_random, replace=False) if n_random else pool[:0]
    return [Choice(int(index), "random", RANDOM_REASON) for index in drawn], n_random / max(len(pool), 1)


def _shuffled_in(drawn: list[Choice], chosen: list[Choice], rng: np.random.Generator) -> list[Choice]:
    """Both lists as one, each in its own order, the drawn ones at random places."""
    n_all = len(drawn) + len(chosen)
    places = set(rng.choice(n_all, len(drawn), replace=False).tolist()) if drawn else set()
    from_drawn, from_chosen = iter(drawn), iter(chosen)
    return [next(from_drawn if place in places else from_chosen) for place in range(n_all)]


def _check(classifier: Any, X_pool: sparse.csr_matrix, n_instances: int, random_share: float) -> None:
    if X_pool.shape[0] != classifier.n_pool:
        raise ValueError(f"the scores are of a pool of {classifier.n_pool} pages, not of these {X_pool.shape[0]}")
    if not 0 <= random_share <= 1:
        raise ValueError(f"random_share is {random_share}; it must lie between 0 and 1")
    if n_instances < 0:
        raise ValueError(f"n_instances is {n_instances}; it must not be negative")
