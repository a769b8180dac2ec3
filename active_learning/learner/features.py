"""Pages into a sparse matrix: hashed character n-grams and words, with no vocabulary to fit.

Nothing is learnt here, so a cached matrix stays valid across retrains; it is identified by `Recipe.sha256`.
Columns: the URL block is [0, columns), the text block is [columns, 2 * columns). With 2**16 columns the URL rows of the
weight matrix for 16 labels are 4 MiB, so scoring a pool of bare URLs stays in the processor's cache.

Every n-gram, word and whole field is a span of one long array of code points. Its hash is a polynomial over the span,
taken as a difference of two prefix sums, so all spans of a block are hashed in a few numpy operations.

Imports numpy and scipy only: no scikit-learn, whose import takes seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

ALGORITHM = 1  # raise it when the same recipe would give other columns or values
PAGES_AT_ONCE = 16_384

_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2**64
_BASE_INVERSE = pow(_BASE, -1, 2**64)
_SPACE = 32


class Page(NamedTuple):
    """What the learner may know about an item. Empty strings where there is no title or text."""

    host: str
    registrable_domain: str
    path: str
    title: str = ""
    text: str = ""


@dataclass(frozen=True)
class Recipe:
    """How pages become rows. Two recipes with the same `sha256` give the same matrix."""

    name: str = "url-text-1"
    columns: int = 2**16  # of each block; a power of two
    gram_sizes: tuple[int, ...] = (3, 4, 5)
    url_weight: float = 1.0
    text_weight: float = 1.0
    max_text_chars: int = 5_000

    def __post_init__(self) -> None:
        if self.columns < 2 or self.columns & (self.columns - 1) or self.columns > 2**24:
            raise ValueError(f"columns is {self.columns}; it must be a power of two, at most 2**24")
        if not self.gram_sizes or min(self.gram_sizes) < 3:
            raise ValueError(f"gram_sizes is {self.gram_sizes}; give at least one size, each 3 or more")

    @property
    def n_columns(self) -> int:
        return 2 * self.columns

    @property
    def sha256(self) -> str:
        identity = json.dumps({"algorithm": ALGORITHM, **self.as_dict()}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(identity.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"gram_sizes": list(self.gram_sizes)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Recipe:
        """Raises ValueError for a key that is missing or unknown, so that no recipe is read by half."""
        known = {field.name for field in fields(cls)}
        if set(stored) != known:
            raise ValueError(f"a recipe has the keys {sorted(known)}, not {sorted(stored)}")
        return cls(**{**stored, "gram_sizes": tuple(stored["gram_sizes"])})


DEFAULT_RECIPE = Recipe()


def featurise(pages: Sequence[Page], recipe: Recipe = DEFAULT_RECIPE) -> sparse.csr_matrix:
    """One row per page, float32, indices sorted inside rows, (n_pages, recipe.n_columns).

    The URL block and the text block of a row have length `url_weight` and `text_weight`; a page without title and text
    has an empty text block. The same pages and recipe give the same bytes on every machine.
    """
    chunks = [_chunk(pages[start : start + PAGES_AT_ONCE], recipe) for start in range(0, len(pages), PAGES_AT_ONCE)]
    if not chunks:
        return sparse.csr_matrix((0, recipe.n_columns), dtype=np.float32)
    return chunks[0] if len(chunks) == 1 else sparse.csr_matrix(sparse.vstack(chunks, format="csr"))


def text_block(matrix: sparse.csr_matrix, recipe: Recipe) -> sparse.csr_matrix:
    """The title and text columns of a matrix made by `featurise`."""
    return sparse.csr_matrix(matrix[:, recipe.columns :])


def _chunk(pages: Sequence[Page], recipe: Recipe) -> sparse.csr_matrix:
    blocks = [
        _scaled(_block(_url_spans(pages, recipe), len(pages), recipe), recipe.url_weight),
        _scaled(_block(_text_spans(pages, recipe), len(pages), recipe), recipe.text_weight),
    ]
    matrix = sparse.csr_matrix(sparse.hstack(blocks, format="csr", dtype=np.float32))
    matrix.sort_indices()
    return matrix


class _Spans(NamedTuple):
    """Hashes of the pieces found in the pages: which page each came from, and how much it counts."""

    page: NDArray[np.int32]
    hashed: NDArray[np.uint64]
    weight: float


def _url_spans(pages: Sequence[Page], recipe: Recipe) -> Iterator[_Spans]:
    host = _Text([page.host.lower() for page in pages])
    path = _Text([page.path.lower() for page in pages])
    for size in recipe.gram_sizes:
        yield host.grams(size, field="gram")
        yield path.grams(size, field="gram")
    yield host.words(field="host word", weight=2.0)
    yield path.words(field="path word", weight=2.0)
    yield host.last_words(field="tld", weight=2.0)
    yield host.whole(field="host", weight=2.0)
    yield _Text([page.registrable_domain.lower() for page in pages]).whole(field="registrable domain", weight=2.0)


def _text_spans(pages: Sequence[Page], recipe: Recipe) -> Iterator[_Spans]:
    if not any(page.title or page.text for page in pages):
        return
    title = _Text([page.title.lower() for page in pages])
    text = _Text([page.text[: recipe.max_text_chars].lower() for page in pages])
    yield title.words(field="title")
    for part in (title, text):
        yield part.words(field="word")
        yield part.word_pairs(field="pair")


class _Text:
    """Many strings as one array of code points, a separator before and after each, with prefix sums for span hashes."""

    def __init__(self, strings: Sequence[str]) -> None:
        joined = " " + " ".join(strings) + " "
        self._codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        self._in_word = _word_characters()[np.minimum(self._codes, 0xFFFF)]
        lengths = np.fromiter((len(string) for string in strings), dtype=np.int64, count=len(strings))
        self._begins = np.cumsum(lengths + 1) - lengths
        self._ends = self._begins + lengths
        pages = np.arange(len(strings), dtype=np.int32)
        self._page = np.concatenate([np.zeros(1, dtype=np.int32), np.repeat(pages, lengths + 1)])

    def grams(self, size: int, *, field: str) -> _Spans:
        """Spans of `size` characters around the inside of one word; its two borders count as one character each."""
        inner = size - 2
        words_before = np.concatenate([[0], np.cumsum(self._in_word)])
        found = words_before[size - 1 : -1] - words_before[1 : len(words_before) - size + 1]
        starts = np.flatnonzero(found == inner)
        return _Spans(self._page[starts + 1], _mix(_hash_spans(self._word_sums, starts, starts + size), field), 1.0)

    def words(self, *, field: str, weight: float = 1.0) -> _Spans:
        starts, ends = self._words
        return _Spans(self._page[starts], _mix(_hash_spans(self._word_sums, starts, ends), field), weight)

    def last_words(self, *, field: str, weight: float) -> _Spans:
        page, hashed, _ = self.words(field=field)
        last = np.append(page[1:] != page[:-1], np.ones(min(len(page), 1), dtype=bool))
        return _Spans(page[last], hashed[last], weight)

    def word_pairs(self, *, field: str) -> _Spans:
        """Two neighbouring words of one string, whatever stands between them."""
        page, hashed, _ = self.words(field=field)
        together = page[1:] == page[:-1]
        pair = hashed[:-1][together] * np.uint64(3) + hashed[1:][together]
        return _Spans(page[1:][together], _mix(pair, field), 1.0)

    def whole(self, *, field: str, weight: float) -> _Spans:
        """Each string that is not empty, separators included: "a-b.com" is another host than "a.b.com"."""
        filled = np.flatnonzero(self._ends > self._begins)
        hashed = _hash_spans(_prefix_sums(self._codes), self._begins[filled], self._ends[filled])
        return _Spans(filled.astype(np.int32), _mix(hashed, field), weight)

    @cached_property
    def _word_sums(self) -> NDArray[np.uint64]:
        return _prefix_sums(np.where(self._in_word, self._codes, _SPACE))

    @cached_property
    def _words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        change = np.diff(self._in_word.astype(np.int8))
        return np.flatnonzero(change == 1) + 1, np.flatnonzero(change == -1) + 1


@cache
def _word_characters() -> NDArray[np.bool_]:
    """Letters and digits of the basic plane; its last place stands for every character beyond it."""
    table = np.fromiter((chr(code).isalnum() for code in range(0x10000)), dtype=bool, count=0x10000)
    table[0xFFFF] = True
    return table


@cache
def _powers(base: int, count: int) -> NDArray[np.uint64]:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def _powers_up_to(base: int, count: int) -> NDArray[np.uint64]:
    return _powers(base, 1 << max(count - 1, 1).bit_length())[:count]


def _prefix_sums(codes: NDArray[Any]) -> NDArray[np.uint64]:
    """sums[i] = sum of code[j] * base**j for j < i, modulo 2**64."""
    terms = (codes.astype(np.uint64) + np.uint64(1)) * _powers_up_to(_BASE, len(codes))
    return np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms, dtype=np.uint64)])


def _hash_spans(sums: NDArray[np.uint64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The polynomial hash of each span, the same wherever the span stands."""
    return (sums[ends] - sums[starts]) * _powers_up_to(_BASE_INVERSE, len(sums))[starts]


def _mix(hashed: NDArray[np.uint64], field: str) -> NDArray[np.uint64]:
    """Spread a polynomial hash over all 64 bits (the finaliser of SplitMix64), apart for every field."""
    salt = int.from_bytes(hashlib.blake2b(field.encode(), digest_size=8).digest(), "little")
    mixed = hashed ^ np.uint64(salt)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _block(pieces: Iterator[_Spans], n_pages: int, recipe: Recipe) -> sparse.csr_matrix:
    """Signed counts of the hashed pieces, (n_pages, recipe.columns), each row of length 1 unless it is empty.

    The sign makes colliding pieces cancel on average instead of adding up (Weinberger et al. 2009, feature hashing).
    """
    spans = list(pieces)
    if not spans:
        return sparse.csr_matrix((n_pages, recipe.columns), dtype=np.float32)
    hashed = np.concatenate([span.hashed for span in spans])
    rows = np.concatenate([span.page for span in spans])
    weights = np.concatenate([np.full(len(span.page), span.weight, dtype=np.float32) for span in spans])
    columns = (hashed & np.uint64(recipe.columns - 1)).astype(np.int32)
    signs = np.where(hashed >> np.uint64(63), np.float32(1), np.float32(-1))
    block = sparse.csr_matrix((weights * signs, (rows, columns)), shape=(n_pages, recipe.columns), dtype=np.float32)
    block.data = np.sign(block.data) * np.log1p(np.abs(block.data))
    block.eliminate_zeros()
    return _unit_rows(block)


def _unit_rows(block: sparse.csr_matrix) -> sparse.csr_matrix:
    per_row = np.diff(block.indptr)
    row_of_value = np.repeat(np.arange(block.shape[0]), per_row)
    lengths = np.sqrt(np.bincount(row_of_value, weights=block.data.astype(np.float64) ** 2, minlength=block.shape[0]))
    block.data /= np.repeat(lengths, per_row).astype(np.float32)
    return block


def _scaled(block: sparse.csr_matrix, weight: float) -> sparse.csr_matrix:
    block.data *= np.float32(weight)
    return block
