"""Items as the learner reads them: address, title and text, featurised in pieces so that memory stays flat."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from django.db.models import QuerySet
from django.db.models.functions import Left
from scipy import sparse

from active_learning.learner.features import DEFAULT_RECIPE, Page, Recipe, featurise
from labeling.models import Item

PIECE_PAGES = 16_384
PIECE_CHARACTERS = 4_000_000  # long texts make shorter pieces
ROWS_AT_ONCE = 2_000
Row = tuple[int, Page]


def read(items: QuerySet[Item], recipe: Recipe = DEFAULT_RECIPE) -> list[Row]:
    """(id, page) of each item, in the order of the queryset, with no more of its text than the recipe looks at."""
    rows = items.values_list(
        "pk", "host", "registrable_domain", "url_key", "snapshot__title", Left("snapshot__text", recipe.max_text_chars)
    )
    return [
        (pk, Page(host, domain, path_of(url), title or "", text or "")) for pk, host, domain, url, title, text in rows
    ]


def path_of(url_key: str) -> str:
    """Path and query of a canonical address: what comes after its host."""
    return "/" + url_key.partition("//")[2].partition("/")[2]


def stream(items: QuerySet[Item], recipe: Recipe = DEFAULT_RECIPE) -> Iterator[list[Row]]:
    """The items by growing id, in pieces of at most 16,384 pages and about 4 million characters."""
    return _pieces(_by_id(items, recipe))


def _by_id(items: QuerySet[Item], recipe: Recipe) -> Iterator[Row]:
    last = 0
    while rows := read(items.filter(pk__gt=last).order_by("pk")[:ROWS_AT_ONCE], recipe):
        yield from rows
        last = rows[-1][0]


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    piece: list[Row] = []
    room = PIECE_CHARACTERS
    for row in rows:
        piece.append(row)
        room -= len(row[1].title) + len(row[1].text)
        if len(piece) == PIECE_PAGES or room < 0:
            yield piece
            piece, room = [], PIECE_CHARACTERS
    if piece:
        yield piece


def matrix(pages: Sequence[Page], recipe: Recipe = DEFAULT_RECIPE) -> sparse.csr_matrix:
    """The same rows as `featurise`, made piece by piece."""
    made = [featurise([page for _, page in piece], recipe) for piece in _pieces(enumerate(pages))]
    if len(made) <= 1:
        return made[0] if made else featurise([], recipe)
    return sparse.csr_matrix(sparse.vstack(made, format="csr", dtype=np.float32))
