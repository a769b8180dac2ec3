"""Annotators: how often each rater says yes where the others do, and no where they do. Never a rank or one score."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .cells import MISSING, YES, Integers, answer_counts

Counts = npt.NDArray[np.int64]


class Rates(NamedTuple):
    """Counts per rater and label, each (n_raters, n_labels): answers where the others say yes, and of those yes; ..."""

    yes_of_others: Counts
    yes_with_them: Counts
    no_of_others: Counts
    no_with_them: Counts


def against_the_others(items: Integers, raters: Integers, verdicts: Integers) -> Rates:
    """Each rater's answers beside the majority of the other raters of the same item, the own vote left out.

    items, raters: (n_judgments,) indices from 0, each pair at most once. verdicts: (n_judgments, n_labels): 1, 0, -1.
    Ties of the others and items nobody else answered count for nothing. yes_with_them / yes_of_others is the rater's
    sensitivity, no_with_them / no_of_others the specificity, both against a consensus that can be wrong itself.
    Raises ValueError for other shapes or codes.
    """
    n, k = answer_counts(items, verdicts)
    if raters.shape != items.shape:
        raise ValueError(f"raters {raters.shape} does not match items {items.shape}")
    answered, said_yes = verdicts != MISSING, verdicts == YES
    others, others_yes = n[items] - answered, k[items] - said_yes
    majority_yes, majority_no = answered & (2 * others_yes > others), answered & (2 * others_yes < others)
    n_raters = int(raters.max()) + 1 if raters.size else 0

    def count(flags: npt.NDArray[np.bool_]) -> Counts:
        table = np.zeros((n_raters, verdicts.shape[1]), dtype=np.int64)
        np.add.at(table, raters, flags)
        return table

    return Rates(
        count(majority_yes), count(majority_yes & said_yes), count(majority_no), count(majority_no & ~said_yes)
    )
