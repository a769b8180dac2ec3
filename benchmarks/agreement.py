"""What agreement costs for sixteen labels: the product's functions against the bare numpy formulation in the same run.

Both start from judgments in memory; what reading them takes is a matter of the query, and measured there.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Clock, Figure, at_most, limited
from labeling.quality.agreement import bootstrap_alpha, nominal_alpha
from labeling.quality.cells import cells_of
from labeling.quality.pairs import alpha_without, pairwise_kappa, pairwise_kappas
from labeling.quality.sets import set_alpha

N_LABELS, N_RATERS, OVERLAP, REPLICATES = 16, 200, 5, 1000
REPEATS = 3
# Milliseconds one core needed when the formulation was chosen, for items up to 10,000 and beyond.
ALPHA_LIMIT, PAIRS_LIMIT = {10_000: 20, 100_000: 60}, {10_000: 60, 100_000: 400}
RATIO_LIMIT = 1.5

Array = NDArray[Any]


class Judgments(NamedTuple):
    """items, raters: (n_judgments,). verdicts: (n_judgments, n_labels) of 1 and 0."""

    items: Array
    raters: Array
    verdicts: Array


def judgments(n_items: int, *, seed: int = 0) -> Judgments:
    """Five of 200 raters on every item; labels from rare to common, alpha about .6."""
    rng = np.random.default_rng(seed)
    share = np.geomspace(0.01, 0.3, N_LABELS)
    p = rng.beta(share * 2 / 3, (1 - share) * 2 / 3, (n_items, N_LABELS))
    verdicts = (rng.random((n_items, OVERLAP, N_LABELS)) < p[:, None]).astype(np.int8)
    first, step = rng.integers(0, N_RATERS, (n_items, 1)), rng.integers(1, N_RATERS // OVERLAP, (n_items, 1))
    raters = (first + step * np.arange(OVERLAP)) % N_RATERS  # five different people
    return Judgments(np.repeat(np.arange(n_items), OVERLAP), raters.ravel(), verdicts.reshape(-1, N_LABELS))


def measure(*sizes: int) -> Iterator[Figure]:
    """Milliseconds, and ratios to the floors, at each number of items."""
    for n_items in sizes:
        given = judgments(n_items)
        at = f"{n_items:,} items"
        alpha, floor = _fastest(_alphas, given), _fastest(_bare_alphas, given)
        yield limited(f"16 alphas, {REPLICATES:,} resamples each, {at}", alpha, ALPHA_LIMIT, n_items)
        yield at_most(f"  / bare numpy, {at}", alpha / floor, RATIO_LIMIT)
        pairs, floor = _fastest(_pairs, given), _fastest(_bare_pairs, given)
        yield limited(f"200 x 200 pairs, 16 labels each, {at}", pairs, PAIRS_LIMIT, n_items)
        yield at_most(f"  / bare numpy, {at}", pairs / floor, RATIO_LIMIT)
        yield Figure(f"200 x 200 pairs, labels pooled, {at}", 1000 * _fastest(_pooled, given), "ms")
        yield Figure(f"16 alphas without each of 200 raters, {at}", 1000 * _fastest(_without, given), "ms")
        masi, floor = _fastest(_masi, given), _fastest(_bare_masi, given)
        yield Figure(f"MASI alpha and its error, {at}", 1000 * masi, "ms")
        yield at_most(f"  / bare numpy, {at}", masi / floor, RATIO_LIMIT)


def _fastest(work: Callable[[Judgments], object], given: Judgments) -> float:
    seconds = []
    for _ in range(REPEATS):
        with Clock() as clock:
            work(given)
        seconds.append(clock.seconds)
    return min(seconds)


def _alphas(given: Judgments) -> None:
    rng = np.random.default_rng(0)
    for cells in cells_of(given.items, given.verdicts):
        nominal_alpha(cells)
        bootstrap_alpha(cells, replicates=REPLICATES, rng=rng)


def _bare_alphas(given: Judgments) -> None:
    """Counts by sorted rows, cells by bincount, alpha, and its resamples: nothing is checked, nothing is missing."""
    rng = np.random.default_rng(0)
    n_items = int(given.items[-1]) + 1
    k_all = given.verdicts.reshape(n_items, OVERLAP, -1).sum(axis=1, dtype=np.int64)
    for k_items in k_all.T:
        count = np.bincount(k_items, minlength=OVERLAP + 1)
        k = np.arange(OVERLAP + 1)
        d = k * (OVERLAP - k) / (OVERLAP - 1)
        draws = rng.multinomial(n_items, count / n_items, size=REPLICATES)
        n_answers, yes = n_items * OVERLAP, draws @ k
        alphas = 1 - (n_answers - 1) * (draws @ d) / (yes * (n_answers - yes))
        np.quantile(alphas, [0.025, 0.975])


def _pairs(given: Judgments) -> None:
    pairwise_kappas(*given)


def _pooled(given: Judgments) -> None:
    pairwise_kappa(*given)


def _without(given: Judgments) -> None:
    alpha_without(*given)


def _bare_pairs(given: Judgments) -> None:
    """The list of pairs within an item once, then two bincounts a label."""
    n_items = int(given.items[-1]) + 1
    raters, verdicts = given.raters.reshape(n_items, OVERLAP), given.verdicts.reshape(n_items, OVERLAP, -1)
    left, right = np.triu_indices(OVERLAP, k=1)
    pair = (raters[:, left] * N_RATERS + raters[:, right]).ravel()
    n = np.bincount(pair, minlength=N_RATERS**2).reshape(N_RATERS, -1)
    n = np.maximum(n + n.T, 1)
    for label in range(N_LABELS):
        code = 2 * verdicts[:, left, label] + verdicts[:, right, label]
        table = np.bincount(4 * pair + code.ravel(), minlength=4 * N_RATERS**2).reshape(N_RATERS, N_RATERS, 4)
        both = table[:, :, 3] + table[:, :, 3].T
        mine = both + table[:, :, 2] + table[:, :, 1].T
        theirs = mine.T
        with np.errstate(invalid="ignore"):
            agreed = (n - mine - theirs + 2 * both) / n
            chance = (mine * theirs + (n - mine) * (n - theirs)) / n**2
            (agreed - chance) / (1 - chance)


def _masi(given: Judgments) -> None:
    set_alpha(given.items, given.verdicts == 1)


def _bare_masi(given: Judgments) -> None:
    """Sets as codes; the distances between the distinct ones once; pairs of an item looked up among them."""
    n_items = int(given.items[-1]) + 1
    codes = given.verdicts @ (1 << np.arange(N_LABELS))
    distinct, code, count = np.unique(codes, return_inverse=True, return_counts=True)
    sets = (distinct[:, None] >> np.arange(N_LABELS) & 1).astype(np.float32)
    sizes = sets.sum(axis=1)
    shared = sets @ sets.T
    union = sizes[:, None] + sizes[None, :] - shared
    subset = (shared == sizes[:, None]) | (shared == sizes[None, :])
    weight = np.where((shared == sizes[:, None]) & (shared == sizes[None, :]), 1, np.where(subset, 2 / 3, 1 / 3))
    apart = np.where(union == 0, 0, 1 - shared / np.maximum(union, 1) * weight)
    to_all = apart @ count
    of_item = code.reshape(n_items, OVERLAP)
    left, right = np.triu_indices(OVERLAP, k=1)
    observed = 2 * apart[of_item[:, left], of_item[:, right]].sum(axis=1) / (OVERLAP - 1)
    total, expected, scale = observed.sum(), count @ to_all, codes.size - 1
    shift = 2 * to_all[of_item].sum(axis=1)
    influence = -total / expected * OVERLAP - scale / expected * observed + scale * total / expected**2 * shift
    np.sqrt(((influence - influence.mean()) ** 2).sum())
