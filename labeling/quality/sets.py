"""Sets: agreement on the whole answer at once, where half-equal answers half agree."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from .agreement import NO_PAIR, TWICE, standard_error
from .cells import MISSING, YES, Floats, Integers, check_verdicts
from .intervals import LEVEL, LOWEST, Estimate, log_complement_interval, most_unseen, too_few_pages, undefined
from .pairs import bit_words, count_bits, judgment_pairs

Sets = npt.NDArray[np.bool_]
Distance = Literal["masi", "jaccard"]

ONE_SET = "every answer is the same set of labels"
_BLOCK_ROWS = 512  # 512 sets against 20,000 are 80 MB; all against all would be 3 GB


def complete_sets(items: Integers, verdicts: Integers) -> tuple[Integers, Sets]:
    """The judgments that answer every label, as sets: unsure or not asked leaves the set unknown, not smaller.

    items: (n_judgments,) index of the item. verdicts: (n_judgments, n_labels): 1 yes, 0 no, -1 missing.
    Returns items (n_complete,) and sets (n_complete, n_labels); the empty set ("none of them") is an answer.
    """
    check_verdicts(items, verdicts)
    complete = (verdicts != MISSING).all(axis=1)
    return items[complete], verdicts[complete] == YES


def set_alpha(items: Integers, sets: Sets, *, distance: Distance = "masi", level: float = LEVEL) -> Estimate:
    """Krippendorff's alpha for set-valued answers, with its interval on the log(1 - alpha) scale.

    items: (n_judgments,) index of the item, from 0. sets: (n_judgments, n_labels) bool: the labels of each judgment.
    distance: "masi" (Passonneau 2006) or "jaccard", in [0, 1]; two empty sets are equal (0), one empty is apart (1).
    Returns an Estimate with value <= 1, n = items with two judgments or more. Undefined without such an item, or when
    all sets are equal. Raises ValueError when the shapes do not match or the distance has no such name.
    Source: Krippendorff 2004; Passonneau 2006, "Measuring Agreement on Set-valued Items (MASI)"; standard
    error by the infinitesimal jackknife over items.
    """
    if sets.ndim != 2 or items.shape != sets.shape[:1]:
        raise ValueError(f"items {items.shape} does not match sets {sets.shape}")
    if distance not in _DISTANCES:
        raise ValueError(f"no set distance is called {distance!r}: use masi or jaccard")
    items, sets = _judged_twice(items, sets)
    if not items.size:
        return undefined(NO_PAIR, level=level)
    measure = _DISTANCES[distance]
    n = np.bincount(items)
    observed = _within_items(items, sets, n, measure)
    apart = _distance_to_all(sets, measure)
    expected = float(apart.sum())
    if expected == 0:
        return undefined(ONE_SET, n=n.size, level=level)
    scale, total = items.size - 1, float(observed.sum())
    alpha = 1 - scale * total / expected
    if few := too_few_pages(n.size, what=TWICE):
        return Estimate(alpha, None, None, level=level, n=n.size, reason=few)
    if total == 0:
        low = max(1 - 2 * scale * most_unseen(n.size, level=level) / expected, LOWEST)
        return Estimate(1.0, low, 1.0, level=level, n=n.size)
    shift = 2 * np.bincount(items, weights=apart)
    influence = -total / expected * n - scale / expected * observed + scale * total / expected**2 * shift
    low, high = log_complement_interval(alpha, standard_error(influence, np.ones_like(n)), level=level)
    return Estimate(alpha, low, high, level=level, n=n.size)


def masi_distance(shared: Floats, left: Floats, right: Floats) -> Floats:
    """1 - Jaccard x monotonicity (equal 1, subset 2/3, overlap 1/3, disjoint 0), from set sizes of one shape."""
    equal = (shared == left) & (shared == right)
    subset = (shared == left) | (shared == right)
    monotonicity = np.where(equal, 1.0, np.where(subset, 2 / 3, 1 / 3))
    return 1 - (1 - jaccard_distance(shared, left, right)) * monotonicity


def jaccard_distance(shared: Floats, left: Floats, right: Floats) -> Floats:
    """1 - |intersection| / |union|, from set sizes of one shape; 0 between two empty sets."""
    union = left + right - shared
    return np.where(union == 0, 0.0, 1 - shared / np.maximum(union, 1))


Measure = Callable[[Floats, Floats, Floats], Floats]
_DISTANCES: dict[str, Measure] = {"masi": masi_distance, "jaccard": jaccard_distance}


def _judged_twice(items: Integers, sets: Sets) -> tuple[npt.NDArray[np.int64], Sets]:
    if not items.size:
        return items.astype(np.int64), sets
    twice = np.bincount(items)[items] >= 2
    _, dense = np.unique(items[twice], return_inverse=True)
    return dense.astype(np.int64), sets[twice]


def _within_items(items: npt.NDArray[np.int64], sets: Sets, n: npt.NDArray[np.int64], measure: Measure) -> Floats:
    """Distances over the ordered pairs of each item, divided by n - 1: (n_items,)."""
    total = np.zeros(n.size)
    words = bit_words(sets)
    sizes = count_bits(words).astype(np.float64)
    for left, right in judgment_pairs(items):
        shared = count_bits(words[left] & words[right]).astype(np.float64)
        apart = measure(shared, sizes[left], sizes[right])
        total += 2 * np.bincount(items[left], weights=apart, minlength=n.size)
    return total / (n - 1)


def _distance_to_all(sets: Sets, measure: Measure) -> Floats:
    """Sum of the distances from each judgment's set to the sets of all judgments: (n_judgments,)."""
    words = bit_words(sets)
    keys = words[:, 0] if words.shape[1] == 1 else words.view(np.dtype((np.void, words.shape[1] * 8))).ravel()
    _, first, code, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    distinct = sets[first].astype(np.float64)
    sizes = distinct.sum(axis=1)
    apart = np.empty(sizes.size)
    for start in range(0, sizes.size, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        shared = distinct[rows] @ distinct.T
        apart[rows] = measure(shared, sizes[rows, None], sizes[None, :]) @ count
    return apart[code]
