"""First judgments: agreement is computed on them alone where contested items are given more.

Adaptive overlap adds judgments where people differ, and alpha weighs an item by its judgments. On all of them it is
wrong in a direction nobody knows: too low where some items are truly hard, too high where people merely slip.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .cells import Integers

FIRST = 2


def first_judgments(items: Integers, at: npt.NDArray[Any], *, most: int = FIRST) -> npt.NDArray[np.bool_]:
    """The judgments that were among the first `most` of their item.

    items: (n_judgments,) index of the item. at: (n_judgments,) when each was given first, in anything that sorts; those
    at the same moment count in the order of the rows. most: >= 1.
    Returns (n_judgments,) bool, to select rows of items, raters and verdicts with. Raises ValueError for other shapes.
    """
    if items.ndim != 1 or items.shape != at.shape or most < 1:
        raise ValueError(f"items {items.shape} and times {at.shape} do not match, or the first {most} are wanted")
    order = np.lexsort((at, items))
    in_order = items[order]
    starts = np.searchsorted(in_order, in_order, side="left")
    first = np.empty(items.size, dtype=bool)
    first[order] = np.arange(items.size) - starts < most
    return first
