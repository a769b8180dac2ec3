"""Label pairs people mix up: one ticks A and not B, another B and not A. Guideline defects show there first."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .cells import NO, YES, Integers, check_verdicts
from .intervals import LEVEL, Estimate, proportion
from .pairs import judgment_pairs

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

N_LABEL_PAIRS, N_EXAMPLES = 10, 5
NO_DISPUTE = "no page on which people differ about either label"


class LabelPair(NamedTuple):
    """Two labels (left < right, columns of the verdicts), and what people do with them.

    swaps: pairs of judgments of one item that swap the two. share: of the items on which people differ about either
    label, those with a swap; n = these items. examples: items with most swaps, at most as many as asked for.
    """

    left: int
    right: int
    swaps: int
    share: Estimate
    examples: tuple[int, ...]


def label_swaps(items: Integers, verdicts: Integers) -> Counts:
    """Pairs of judgments of one item, one saying yes to a and no to b, the other no to a and yes to b.

    items: (n_judgments,) index of the item. verdicts: (n_judgments, n_labels): 1 yes, 0 no, -1 missing (never a swap).
    Returns (n_labels, n_labels), symmetrical, 0 on the diagonal. Raises ValueError for other shapes or codes.
    """
    check_verdicts(items, verdicts)
    swaps = np.zeros((verdicts.shape[1],) * 2)
    for left, right in judgment_pairs(items):
        only_left, only_right = _one_sided(verdicts[left], verdicts[right])
        both = only_left.any(axis=1) & only_right.any(axis=1)
        swaps += only_left[both].T.astype(np.float64) @ only_right[both]
    return (swaps + swaps.T).astype(np.int64)


def most_swapped(
    items: Integers,
    verdicts: Integers,
    *,
    most: int = N_LABEL_PAIRS,
    n_examples: int = N_EXAMPLES,
    level: float = LEVEL,
) -> list[LabelPair]:
    """The label pairs people swap most, with the items to look at; pairs nobody swapped are not among them.

    Arguments as for `label_swaps`. Returns at most `most` LabelPairs, most swaps first (ties: in order of labels).
    The share has its Jeffreys interval: items are the independent trials, however many judgments each has.
    """
    swaps = label_swaps(items, verdicts)
    left, right = np.triu_indices(len(swaps), k=1)
    order = np.argsort(-swaps[left, right], kind="stable")[:most]
    order = order[swaps[left[order], right[order]] > 0]
    pairs = list(zip(left[order].tolist(), right[order].tolist(), strict=True))
    n_items = int(items.max()) + 1 if items.size else 0
    of_item, differing = _by_item(items, verdicts, pairs, n_items)
    found = []
    for column, (a, b) in enumerate(pairs):
        per_item = of_item[:, column]
        share = proportion(
            int((per_item > 0).sum()),
            int((differing[:, a] | differing[:, b]).sum()),
            level=level,
            nothing=NO_DISPUTE,
        )
        shown = np.argsort(-per_item, kind="stable")[:n_examples]
        examples = tuple(shown[per_item[shown] > 0].tolist())
        found.append(LabelPair(a, b, int(swaps[a, b]), share, examples))
    return found


def _one_sided(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> tuple[Flags, Flags]:
    """Where the left judgment alone says yes and the right one no, and the other way round."""
    return (left == YES) & (right == NO), (left == NO) & (right == YES)


def _by_item(items: Integers, verdicts: Integers, pairs: list[tuple[int, int]], n_items: int) -> tuple[Counts, Flags]:
    """Swaps of each item and label pair (n_items, n_pairs), and labels on which its judgments differ."""
    swaps = np.zeros((n_items, len(pairs)), dtype=np.int64)
    differing = np.zeros((n_items, verdicts.shape[1]), dtype=bool)
    for left, right in judgment_pairs(items):
        only_left, only_right = _one_sided(verdicts[left], verdicts[right])
        apart = np.flatnonzero((only_left | only_right).any(axis=1))
        np.logical_or.at(differing, items[left[apart]], (only_left | only_right)[apart])
        for column, (a, b) in enumerate(pairs):
            swapped = (only_left[:, a] & only_right[:, b]) | (only_left[:, b] & only_right[:, a])
            swaps[:, column] += np.bincount(items[left][swapped], minlength=n_items)
    return swaps, differing
