"""Kappas of complete tables: Cohen's for two raters and Fleiss' for many, over any number of categories.

Answers that are missing belong to alpha (`agreement.py`, `sets.py`). Intervals generalise to other items, same raters.
"""

import numpy as np
import numpy.typing as npt

from .agreement import NO_PAIR, TWICE, standard_error
from .cells import Floats, Integers
from .intervals import LEVEL, LOWEST, Estimate, log_complement_interval, most_unseen, too_few_pages, undefined

ONE_CATEGORY = "every answer is the same category"


def cohen_kappa(table: Integers, *, level: float = LEVEL) -> Estimate:
    """Cohen's kappa of two raters.

    table: (n_categories, n_categories) items by the category of the first rater (rows) and of the second (columns).
    Returns an Estimate in [-1, 1], n = items; undefined without an item, or when both used one and the same category.
    Raises ValueError for another shape or a negative count.
    Source: Cohen 1960, "A Coefficient of Agreement for Nominal Scales"; the infinitesimal jackknife over items is the
    large-sample error of Fleiss, Cohen & Everitt 1969 times sqrt(N / (N - 1)). Interval on the log(1 - kappa) scale.
    """
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0):
        raise ValueError(f"two raters need a square table of counts, not {table.shape}")
    n_items = int(table.sum())
    if n_items == 0:
        return undefined(NO_PAIR, level=level)
    first, second = table.sum(axis=1) / n_items, table.sum(axis=0) / n_items
    same, chance = np.eye(table.shape[0]), float(first @ second)
    met_by_chance = second[:, None] + first[None, :] - chance
    count = table.astype(np.int64).ravel()
    return _beyond_chance(same.ravel(), met_by_chance.ravel(), count, chance=chance, one_dissent=1.0, level=level)


def fleiss_kappa(counts: Integers, *, level: float = LEVEL) -> Estimate:
    """Fleiss' kappa of a fixed number of raters an item, who need not be the same people.

    counts: (n_items, n_categories) answers of each item in each category; every item has as many answers, two or more.
    Returns an Estimate in [-1, 1], n = items; undefined without an item, or when only one category was used.
    Raises ValueError for unequal or too few answers, another shape or a negative count.
    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters". His standard error holds only where
    there is no agreement at all (Zapf et al. 2016); this one is the infinitesimal jackknife over items.
    """
    if counts.ndim != 2 or np.any(counts < 0):
        raise ValueError(f"one row an item and one column a category are needed, not {counts.shape}")
    if not counts.shape[0]:
        return undefined(NO_PAIR, level=level)
    n_raters = int(counts[0].sum())
    if n_raters < 2 or np.any(counts.sum(axis=1) != n_raters):
        raise ValueError("Fleiss' kappa needs as many answers on every item, two or more: take alpha for the others")
    share = counts / n_raters
    used = share.mean(axis=0)
    observed = (counts * (counts - 1)).sum(axis=1) / (n_raters * (n_raters - 1))
    chance = float(used @ used)
    count = np.ones(len(counts), dtype=np.int64)
    return _beyond_chance(
        observed, 2 * share @ used - chance, count, chance=chance, one_dissent=2 / n_raters, level=level
    )


def _beyond_chance(
    observed: Floats,
    met_by_chance: Floats,
    count: npt.NDArray[np.int64],
    *,
    chance: float,
    one_dissent: float,
    level: float,
) -> Estimate:
    """(observed - chance) / (1 - chance) over items, count[c] of which agree by observed[c].

    met_by_chance: what an item does to the chance, with mean `chance`. one_dissent: what the smallest disagreement
    takes from the agreement of an item: without any disagreement, those that could be hidden set the lower end.
    """
    n_items = int(count.sum())
    if chance >= 1:
        return undefined(ONE_CATEGORY, n=n_items, level=level)
    agreed = float(count @ observed) / n_items
    kappa = min((agreed - chance) / (1 - chance), 1.0)
    if few := too_few_pages(n_items, what=TWICE):
        return Estimate(kappa, None, None, level=level, n=n_items, reason=few)
    if agreed >= 1:
        hidden = most_unseen(n_items, level=level) * one_dissent / n_items
        return Estimate(1.0, max(1 - hidden / (1 - chance), LOWEST), 1.0, level=level, n=n_items)
    influence = (observed - agreed) / (1 - chance) - (1 - agreed) / (1 - chance) ** 2 * (met_by_chance - chance)
    low, high = log_complement_interval(kappa, standard_error(influence / n_items, count), level=level)
    return Estimate(kappa, low, high, level=level, n=n_items)
