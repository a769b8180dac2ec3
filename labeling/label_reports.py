"""What is known about agreement on one label, from how many pages have n answers of which k say yes."""

from dataclasses import dataclass

import numpy as np

from labeling.quality import agreement as measures
from labeling.quality.cells import Cells
from labeling.quality.intervals import Estimate
from labeling.quality.readings import Reading, positives_needed, reading


@dataclass(frozen=True)
class LabelReport:
    """What is known about agreement on one label."""

    key: str
    name: str
    cells: Cells
    alpha: Estimate
    ac1: Estimate
    positive_agreement: Estimate
    negative_agreement: Estimate
    prevalence: Estimate
    reading: Reading
    positives_needed: int

    @property
    def n_items(self) -> int:
        """Pages with two answers or more."""
        return self.cells.answered_twice().n_items

    @property
    def n_positive(self) -> int:
        """Yes answers on those pages."""
        return self.cells.answered_twice().n_yes

    @property
    def is_paradox(self) -> bool:
        """AC1 calls it good, alpha does not: a rare label whose few ticks are contested."""
        return self.ac1.value is not None and self.alpha.value is not None and self.ac1.value - self.alpha.value > 0.2

    @property
    def two_by_two(self) -> dict[str, float]:
        """Ordered pairs of answers to the same page, pooled: how often both say yes, one does, neither does."""
        cells = self.cells.answered_twice()
        weight = cells.count / (cells.n - 1)
        return {
            "both": float(weight @ (cells.k * (cells.k - 1))),
            "one": float(weight @ (cells.k * (cells.n - cells.k))),
            "neither": float(weight @ ((cells.n - cells.k) * (cells.n - cells.k - 1))),
        }

    def pages_with_yes(self, most: int = 3) -> list[int]:
        """Pages with one, two, ... yes; the last number holds all with more."""
        yes = np.minimum(self.cells.k, most)
        return [int(self.cells.count[yes == k].sum()) for k in range(1, most + 1)]


def of_cells(key: str, name: str, cells: Cells) -> LabelReport:
    """Every measure of one label."""
    alpha = measures.nominal_alpha(cells)
    return LabelReport(
        key=key, name=name, cells=cells, alpha=alpha, ac1=measures.ac1(cells),
        positive_agreement=measures.positive_agreement(cells), negative_agreement=measures.negative_agreement(cells),
        prevalence=measures.prevalence(cells), reading=reading(alpha), positives_needed=positives_needed(alpha, cells),
    )  # fmt: skip
