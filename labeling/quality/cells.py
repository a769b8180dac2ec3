"""Cells: how many items have n answers to a label, k of them yes. All agreement on one label follows from its cells.

Five judgments an item make twenty cells, whether there are a thousand items or ten million.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Integers = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

YES, NO, MISSING = 1, 0, -1


@dataclass(frozen=True, eq=False)
class Cells:
    """The histogram f(n, k) of one label.

    n: (n_cells,) answers per item, >= 1. k: (n_cells,) yes answers among them. count: (n_cells,) items in it.
    Raises ValueError when the shapes differ or a number is out of range.
    """

    n: npt.NDArray[np.int64]
    k: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.n.ndim != 1 or not self.n.shape == self.k.shape == self.count.shape:
            raise ValueError(f"cells need three equal columns, not {self.n.shape}, {self.k.shape}, {self.count.shape}")
        if np.any(self.n < 1) or np.any(self.k < 0) or np.any(self.k > self.n) or np.any(self.count < 0):
            raise ValueError("every cell needs n >= 1, 0 <= k <= n and count >= 0")

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, int, int]]) -> "Cells":
        """From (n, k, count) rows, as the database groups them; rows of one cell (two weeks, two streams) add up."""
        totals: dict[tuple[int, int], int] = {}
        for n, k, count in rows:
            totals[n, k] = totals.get((n, k), 0) + count
        columns = np.array([(n, k, count) for (n, k), count in sorted(totals.items())], dtype=np.int64).reshape(-1, 3)
        return cls(columns[:, 0], columns[:, 1], columns[:, 2])

    @property
    def n_items(self) -> int:
        return int(self.count.sum())

    @property
    def n_answers(self) -> int:
        return int(self.count @ self.n)

    @property
    def n_yes(self) -> int:
        return int(self.count @ self.k)

    @property
    def n_positive_items(self) -> int:
        """Items with at least one yes."""
        return int(self.count[self.k > 0].sum())

    def answered_twice(self) -> "Cells":
        """The items that can show agreement at all: those with two answers or more."""
        twice = (self.n >= 2) & (self.count > 0)
        return Cells(self.n[twice], self.k[twice], self.count[twice])


def cells_from_counts(n: Integers, k: Integers) -> tuple[Cells, ...]:
    """Cells of every label from counts per item.

    n: (n_items,), or (n_items, n_labels) where labels were asked or answered unequally: answers per item.
    k: (n_items, n_labels), 0..n: yes answers. An item without an answer to a label is in none of its cells.
    Returns one Cells per label. Raises ValueError when the shapes do not match or k is outside 0..n.
    """
    if k.ndim != 2 or n.shape not in {k.shape, k.shape[:1]}:
        raise ValueError(f"n {n.shape} does not match k {k.shape}")
    if k.size and (k.min() < 0 or np.any(k > (n if n.ndim == 2 else n[:, None]))):
        raise ValueError("yes answers must lie between 0 and the number of answers")
    return tuple(_histogram(n[:, label] if n.ndim == 2 else n, k[:, label]) for label in range(k.shape[1]))


def cells_of(items: Integers, verdicts: Integers) -> tuple[Cells, ...]:
    """Cells of every label from judgments in long form, one row for each current judgment.

    items: (n_judgments,) index of the item, from 0. A revision replaces its judgment: keep one row per item and rater.
    verdicts: (n_judgments, n_labels): 1 yes, 0 no, -1 unsure or not asked (missing for that label alone).
    Returns one Cells per label. Raises ValueError for other shapes or codes.
    """
    n, k = answer_counts(items, verdicts)
    return cells_from_counts(n, k)


def answer_counts(items: Integers, verdicts: Integers) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Answers and yes answers per item and label: two arrays (n_items, n_labels). Arguments as for `cells_of`."""
    check_verdicts(items, verdicts)
    n_items = int(items.max()) + 1 if items.size else 0
    rows = csr_array((np.ones(items.size, dtype=np.int32), (items, np.arange(items.size))), shape=(n_items, items.size))
    k = rows @ (verdicts == YES).astype(np.int32)
    complete = not np.any(verdicts == MISSING)
    n = np.repeat(rows.sum(axis=1)[:, None], verdicts.shape[1], axis=1) if complete else rows @ (verdicts != MISSING)
    return n.astype(np.int64), k.astype(np.int64)


def check_verdicts(items: Integers, verdicts: Integers) -> None:
    """Raises ValueError unless every judgment names an item and answers every label with 1, 0 or -1."""
    if verdicts.ndim != 2 or items.shape != verdicts.shape[:1]:
        raise ValueError(f"items {items.shape} does not match verdicts {verdicts.shape}")
    if items.size and items.min() < 0:
        raise ValueError("items are indices from 0")
    if verdicts.size and (verdicts.min() < MISSING or verdicts.max() > YES):
        raise ValueError("verdicts are 1 (yes), 0 (no) or -1 (missing)")


def _histogram(n: Integers, k: Integers) -> Cells:
    width = int(n.max()) + 1 if n.size else 1
    count = np.bincount(n.astype(np.int64) * width + k)
    code = np.flatnonzero(count)
    code = code[code >= width]  # below: items with no answer to this label
    return Cells(code // width, code % width, count[code].astype(np.int64))
