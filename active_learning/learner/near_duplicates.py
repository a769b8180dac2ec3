"""Pages that would teach the same thing twice: one of them is enough for a batch.

A candidate is only ever compared with the pages already taken into the batch, so nothing is computed for the rest of
a pool of millions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.features import Page

SIGNATURE_BITS = 256
MAX_DIFFERENT_BITS = 26  # an angle of about 18 degrees: a cosine of 0.95 between the two texts
MIN_TEXT_FEATURES = 8  # two titles of three words alike do not make two pages alike

_NUMBERS = re.compile(r"\d+")
_HEX_IDS = re.compile(r"(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*(?![0-9a-z])")


def url_shape(page: Page) -> str:
    """The URL with numbers and hexadecimal ids of its path folded: /item/12 and /item/7 of one host have one shape."""
    host = page.host.lower().removeprefix("www.")
    path = _NUMBERS.sub("0", _HEX_IDS.sub("0", page.path.lower()))
    return f"{host}{path.rstrip('/')}"


def url_shapes(pages: Sequence[Page]) -> NDArray[np.object_]:
    return np.array([url_shape(page) for page in pages], dtype=object)


def text_signatures(text: sparse.csr_matrix) -> NDArray[np.uint64]:
    """(n_rows, 4) uint64: 256 bits, of which two rows share a share of 1 - angle / pi.

    text: (n_rows, n_columns) rows of the text block. The random directions are hashes of the column numbers, so that
    nothing is stored and every machine gives the same bits. Source: Charikar (2002), 'Similarity estimation techniques
    from rounding algorithms', section 3.
    """
    signatures = np.zeros((text.shape[0], SIGNATURE_BITS // 64), dtype=np.uint64)
    for row in range(text.shape[0]):
        inside = slice(text.indptr[row], text.indptr[row + 1])
        if inside.start < inside.stop:
            sums = _directions(text.indices[inside]).T @ text.data[inside].astype(np.float64)
            signatures[row] = np.packbits(sums > 0).view(np.uint64)
    return signatures


def _directions(columns: NDArray[Any]) -> NDArray[np.float64]:
    """(n_columns, SIGNATURE_BITS) of -1 and 1, from SplitMix64 of the column number."""
    per_column = SIGNATURE_BITS // 64
    numbers = columns.astype(np.uint64)[:, None] * np.uint64(per_column) + np.arange(1, per_column + 1, dtype=np.uint64)
    words: NDArray[np.uint64] = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    words = words ^ (words >> np.uint64(31))
    return np.unpackbits(words.view(np.uint8), axis=1).astype(np.float64) * 2 - 1


@dataclass
class BatchLimits:
    """What one batch may hold: at most n pages of a registrable domain, one page of a URL shape, one of a text.

    Each of domains, shapes (n_pool,) and text (n_pool, n_columns) may be None: then that limit does not hold.
    """

    domains: NDArray[Any] | None = None
    shapes: NDArray[Any] | None = None
    text: sparse.csr_matrix | None = None
    max_per_domain: int = 3
    _per_domain: Counter[Any] = field(default_factory=Counter, init=False)
    _shapes: set[Any] = field(default_factory=set, init=False)
    _signatures: list[NDArray[np.uint64]] = field(default_factory=list, init=False)

    def admits(self, index: int) -> bool:
        """Whether the page may join those taken so far."""
        if self.domains is not None and self._per_domain[self.domains[index]] >= self.max_per_domain:
            return False
        if self.shapes is not None and self.shapes[index] in self._shapes:
            return False
        signature = self._signature(index)
        if signature is None or not self._signatures:
            return True
        different = np.bitwise_count(np.array(self._signatures) ^ signature).sum(axis=1)
        return bool(different.min() > MAX_DIFFERENT_BITS)

    def take(self, index: int) -> None:
        if self.domains is not None:
            self._per_domain[self.domains[index]] += 1
        if self.shapes is not None:
            self._shapes.add(self.shapes[index])
        signature = self._signature(index)
        if signature is not None:
            self._signatures.append(signature)

    def take_if_admitted(self, index: int) -> bool:
        """Take the page, or answer False when it may not join."""
        admitted = self.admits(index)
        if admitted:
            self.take(index)
        return admitted

    def _signature(self, index: int) -> NDArray[np.uint64] | None:
        """None for a page with too little text to say that it repeats another."""
        row = None if self.text is None else self.text[index]
        if row is None or row.nnz < MIN_TEXT_FEATURES:
            return None
        signature: NDArray[np.uint64] = text_signatures(row)[0]
        return signature
