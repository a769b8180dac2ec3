"""Whether a person agrees with themself: the ceiling of how far people can agree with each other."""

from typing import NamedTuple

import numpy as np

from .agreement import nominal_alpha
from .cells import MISSING, YES, Integers, cells_from_counts
from .intervals import LEVEL, Estimate, proportion, undefined

FEWEST_FOR_KAPPA = 20  # as between two people: below, a coefficient says nothing
NO_REPEAT = "no page asked twice yet"


class SelfConsistency(NamedTuple):
    same: Estimate  # share of pages with the same verdict both times
    kappa: Estimate  # the same beyond chance


def whole_pages(first: Integers, again: Integers, *, level: float = LEVEL) -> Estimate:
    """The share of pages on which no label that was answered both times was answered otherwise, n = pages.

    Arguments as for `self_consistency`; pages without such a label do not count.
    """
    both = (first != MISSING) & (again != MISSING)
    counted = both.any(axis=1)
    same = ~(both & (first != again)).any(axis=1) & counted
    return proportion(int(same.sum()), int(counted.sum()), level=level, nothing=NO_REPEAT)


def self_consistency(first: Integers, again: Integers, *, level: float = LEVEL) -> list[SelfConsistency]:
    """Per label, how one person's answers to pages they were asked twice compare.

    first, again: (n_pages, n_labels): 1 yes, 0 no, -1 unsure or not asked (that page does not count for that label).
    Returns one SelfConsistency a label: the share with its Jeffreys interval, n = pages; and the agreement beyond
    chance where 20 pages or more were answered twice, undefined below that or without both a yes and a no.
    Raises ValueError for other shapes or codes.
    Source: Scott 1955, "Reliability of Content Analysis: The Case of Nominal Scale Coding": one person has one
    distribution of answers, so chance is taken from both times together; computed as Krippendorff's alpha of two
    answers a page, which is pi with a correction for few pages.
    """
    if first.ndim != 2 or first.shape != again.shape:
        raise ValueError(f"first {first.shape} and again {again.shape} need one row a page and one column a label")
    for verdicts in (first, again):
        if verdicts.size and (verdicts.min() < MISSING or verdicts.max() > YES):
            raise ValueError("verdicts are 1 (yes), 0 (no) or -1 (missing)")
    both = (first != MISSING) & (again != MISSING)
    n_yes = np.where(both, (first == YES).astype(np.int64) + (again == YES), 0)
    cells = cells_from_counts(2 * both.astype(np.int64), n_yes)
    found = []
    for label, its_cells in enumerate(cells):
        n = int(both[:, label].sum())
        n_same = int((both & (first == again))[:, label].sum())
        few = undefined(f"{n} of {FEWEST_FOR_KAPPA} pages asked twice", n=n, level=level)
        kappa = nominal_alpha(its_cells, level=level) if n >= FEWEST_FOR_KAPPA else few
        found.append(SelfConsistency(proportion(n_same, n, level=level, nothing=NO_REPEAT), kappa))
    return found
