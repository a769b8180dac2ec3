"""Pages a batch may be chosen from; only those a strategy looks at are read and featurised."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning import pages
from active_learning.learner.features import DEFAULT_RECIPE, Page, Recipe, featurise, text_block
from active_learning.learner.near_duplicates import BatchLimits, url_shape
from labeling.models import Item

READ_AT_ONCE = 1_000


class Pool:
    """The candidates, numbered from 0 as strategies number them. items: (n_pool,) their ids, growing."""

    def __init__(self, items: NDArray[np.int64], recipe: Recipe = DEFAULT_RECIPE) -> None:
        self.items, self.recipe = items, recipe
        self._pages: dict[int, Page] = {}

    def __len__(self) -> int:
        return len(self.items)

    def page(self, index: int) -> Page:
        self._read(np.array([index]))
        return self._pages[int(index)]

    def _read(self, indices: NDArray[Any]) -> None:
        missing = {int(self.items[index]): int(index) for index in indices if int(index) not in self._pages}
        wanted = list(missing)
        for start in range(0, len(wanted), READ_AT_ONCE):
            chunk = Item.objects.filter(pk__in=wanted[start : start + READ_AT_ONCE])
            for pk, page in pages.read(chunk, self.recipe):
                self._pages[missing[pk]] = page

    # ---- in the form that strategies and limits ask for --------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, int]:
        return len(self.items), self.recipe.n_columns

    def __getitem__(self, indices: NDArray[Any]) -> sparse.csr_matrix:
        """Feature rows of these pages."""
        self._read(indices)
        return pages.matrix([self._pages[int(index)] for index in indices], self.recipe)

    def limits(self) -> BatchLimits:
        return BatchLimits(
            domains=_column(lambda index: self.page(index).registrable_domain),
            shapes=_column(lambda index: url_shape(self.page(index))),
            text=_column(self._text),
        )

    def _text(self, index: int) -> sparse.csr_matrix:
        page = self.page(index)
        if not page.title and not page.text:
            return sparse.csr_matrix((1, self.recipe.columns), dtype=np.float32)
        return text_block(featurise([page], self.recipe), self.recipe)


class _Column:
    """A value for each page, found when it is asked for."""

    def __init__(self, value_of: Callable[[int], Any]) -> None:
        self._value_of = value_of

    def __getitem__(self, index: int) -> Any:
        return self._value_of(index)


def _column(value_of: Callable[[int], Any]) -> Any:
    return _Column(value_of)
