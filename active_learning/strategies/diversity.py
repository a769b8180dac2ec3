"""Pages unlike each other: k-means++ seeding on a truncated projection of the features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.contract import CachedClassifier, Choice, Indices

DIMENSIONS = 64
ROWS_TO_FIT = 10_000
CANDIDATES_PER_PICK = 20


def fit_components(
    X: sparse.csr_matrix, rng: np.random.Generator, n_dimensions: int = DIMENSIONS
) -> NDArray[np.float32]:
    """(n_columns, k) float32: the directions in which the rows differ most; X @ components is the projection.

    k is at most n_dimensions, n_rows and n_columns. Fitted on 10,000 random rows: compute it once for a pool.
    Source: Halko, Martinsson, Tropp (2011), 'Finding structure with randomness', algorithm 4.4 with two power steps.
    """
    n_rows = X.shape[0]
    sample = X[np.sort(rng.choice(n_rows, ROWS_TO_FIT, replace=False)) if n_rows > ROWS_TO_FIT else np.arange(n_rows)]
    used = np.unique(sample.indices)
    components = np.zeros((X.shape[1], min(n_dimensions, *X.shape)), dtype=np.float32)
    if not len(used):
        return components
    dense_columns = sparse.csr_matrix(sample[:, used])
    width = min(n_dimensions + 10, *dense_columns.shape)
    basis = dense_columns @ rng.standard_normal((len(used), width)).astype(np.float32)
    for _ in range(2):
        basis = dense_columns @ (dense_columns.T @ np.linalg.qr(basis)[0])
    small = (dense_columns.T @ np.linalg.qr(basis)[0]).T.astype(np.float64)
    # Right singular vectors by way of the small square matrix: a decomposition of `small` itself takes seconds.
    squares, left = np.linalg.eigh(small @ small.T)
    largest = np.argsort(-squares)[: components.shape[1]]
    there = largest[squares[largest] > squares.max() * 1e-12]
    components[used, : len(there)] = (left[:, there].T @ small).T / np.sqrt(squares[there])
    return components


def components_of(classifier: CachedClassifier, X: sparse.csr_matrix, rng: np.random.Generator) -> NDArray[np.float32]:
    """The cached components, or new ones when there are none."""
    return fit_components(X, rng) if classifier.components is None else classifier.components


def spread(
    points: NDArray[np.floating], n_wanted: int, rng: np.random.Generator, admit: Callable[[int], bool]
) -> list[int]:
    """Positions of up to n_wanted points far from each other, in the order they were taken.

    points: (n_points, k). Each next one is drawn with probability proportional to its squared distance from the nearest
    one taken; `admit` may refuse a position, which is then out. Source: Arthur and Vassilvitskii (2007), 'k-means++'.
    """
    taken: list[int] = []
    left = np.ones(len(points), dtype=bool)
    distances = np.ones(len(points))
    while len(taken) < n_wanted and left.any():
        chances = np.where(left, distances, 0.0)
        if not chances.sum() > 0:
            chances = left.astype(np.float64)
        position = int(rng.choice(len(points), p=chances / chances.sum()))
        left[position] = False
        if not admit(position):
            continue
        from_here = ((points - points[position]) ** 2).sum(axis=1)
        distances = np.minimum(distances, from_here) if taken else from_here
        taken.append(position)
    return taken


def choose_diverse(
    classifier: CachedClassifier,
    X_pool: sparse.csr_matrix,
    n_instances: int,
    *,
    rng: np.random.Generator,
    candidates: NDArray[np.bool_],
    limits: BatchLimits,
) -> list[Choice]:
    """Spread over random candidates, 20 for each page wanted. Needs no model, so it also serves a project's start."""
    pool = rng.permutation(np.flatnonzero(candidates))
    components = components_of(classifier, X_pool, rng)
    chosen: list[Choice] = []
    step = max(1, CANDIDATES_PER_PICK * n_instances)
    for start in range(0, len(pool), step):
        part = pool[start : start + step]
        chosen += _spread_over(part, X_pool[part] @ components, n_instances - len(chosen), rng, limits)
        if len(chosen) == n_instances:
            break
    return chosen


def _spread_over(
    part: Indices, points: NDArray[np.floating], n_wanted: int, rng: np.random.Generator, limits: BatchLimits
) -> list[Choice]:
    def admit(position: int) -> bool:
        return limits.take_if_admitted(int(part[position]))

    positions = spread(points, n_wanted, rng, admit)
    return [Choice(int(part[position]), "diversity", "unlike the other pages of this batch") for position in positions]
