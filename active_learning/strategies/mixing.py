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


@dataclass(frozen=True)
class Strategy:
    """A named way to choose. Without `choose`, every page is drawn at random.

    Called with modAL's signature, which knows of no frame beyond the pool, it draws its random share from the pool and
    returns the indices alone; `compose` is told what chance drew, and tells why each page is there.
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
        free = np.arange(classifier.n_pool) if candidates is None else np.flatnonzero(candidates)
        n_wanted = max(0, min(n_instances, len(free)))
        n_random = self.n_by_chance(n_wanted, self.random_share if random_share is None else random_share, rng)
        drawn = rng.choice(free, n_random, replace=False) if n_random else free[:0]
        picks = compose(
            self, classifier, X_pool, n_instances, rng=rng, drawn=drawn, limits=limits, candidates=candidates
        )
        return np.array([pick.index for pick in picks], dtype=np.int64)

    def n_by_chance(self, n_wanted: int, random_share: float, rng: np.random.Generator) -> int:
        """How many of n_wanted pages chance draws: their share, rounded at random, or all of them without `choose`.

        Raises ValueError for a share outside 0..1.
        """
        if not 0 <= random_share <= 1:
            raise ValueError(f"random_share is {random_share}; it must lie between 0 and 1")
        return n_wanted if self.choose is None else int(np.floor(random_share * n_wanted + rng.random()))


def compose(
    strategy: Strategy,
    classifier: CachedClassifier,
    X_pool: sparse.csr_matrix,
    n_instances: int,
    *,
    rng: np.random.Generator,
    drawn: Indices,
    limits: BatchLimits | None = None,
    candidates: NDArray[np.bool_] | None = None,
) -> list[Pick]:
    """A batch of up to n_instances picks in rank order: the rows that chance drew, and what the strategy adds to them.

    X_pool: (n_pool, n_columns), the rows that the classifier's scores belong to; candidates: (n_pool,) True where a
    page may be picked, None = all. drawn: (n_drawn,) distinct candidates, taken regardless of limits.
    Both parts are shuffled together, so that a batch left half done keeps its random share.
    Raises ValueError for a negative size, more rows drawn than wanted, or shapes that do not match.
    """
    _check(classifier, X_pool, n_instances, drawn)
    free = np.ones(classifier.n_pool, dtype=bool) if candidates is None else candidates.astype(bool)
    limits = BatchLimits() if limits is None else limits
    n_wanted = min(n_instances, int(free.sum()))
    by_chance = [Choice(int(index), "random", RANDOM_REASON) for index in drawn]
    for choice in by_chance:
        limits.take(choice.index)
        free[choice.index] = False
    chosen: list[Choice] = []
    if strategy.choose is not None and n_wanted > len(drawn):
        chosen = strategy.choose(classifier, X_pool, n_wanted - len(drawn), rng=rng, candidates=free, limits=limits)
    return [
        Pick(choice.index, rank, choice.stream, choice.reason, choice.label, choice.score)
        for rank, choice in enumerate(_shuffled_in(by_chance, chosen, rng), start=1)
    ]


def _shuffled_in(drawn: list[Choice], chosen: list[Choice], rng: np.random.Generator) -> list[Choice]:
    """Both lists as one, each in its own order, the drawn ones at random places."""
    n_all = len(drawn) + len(chosen)
    places = set(rng.choice(n_all, len(drawn), replace=False).tolist()) if drawn else set()
    from_drawn, from_chosen = iter(drawn), iter(chosen)
    return [next(from_drawn if place in places else from_chosen) for place in range(n_all)]


def _check(classifier: Any, X_pool: sparse.csr_matrix, n_instances: int, drawn: Indices) -> None:
    if X_pool.shape[0] != classifier.n_pool:
        raise ValueError(f"the scores are of a pool of {classifier.n_pool} pages, not of these {X_pool.shape[0]}")
    if n_instances < 0:
        raise ValueError(f"n_instances is {n_instances}; it must not be negative")
    if len(drawn) > n_instances:
        raise ValueError(f"{len(drawn)} rows are drawn for a batch of {n_instances}")
