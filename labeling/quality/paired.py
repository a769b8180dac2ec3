"""What a change does, on pages answered before and after it: each page is compared with itself.

Pages are grouped by their counts (answers and yes answers before, and after), because nothing else matters.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .cells import Floats, Integers
from .intervals import LEVEL, LOWEST, Estimate, too_few_pages, undefined, z_score

BOTH_TWICE, BOTH_ONCE = "two answers before and after", "an answer before and after"
NO_CONTRAST = "before or after, all said yes or all said no"
NOTHING_MOVED = "nothing moved: no interval yet"


class Pages(NamedTuple):
    """Each (n_groups,): answers and yes answers before, after, and how many pages have these counts."""

    n_before: Integers
    k_before: Integers
    n_after: Integers
    k_after: Integers
    times: Integers

    @classmethod
    def of(cls, rows: npt.ArrayLike) -> "Pages":
        """From rows of (n before, k before, n after, k after, pages). Raises ValueError for more yes than answers."""
        table = np.asarray(rows, dtype=np.int64).reshape(-1, 5)
        found = cls(*table.T)
        if np.any(table < 0) or np.any(found.k_before > found.n_before) or np.any(found.k_after > found.n_after):
            raise ValueError("counts are not negative, and no page has more yes than answers")
        return found

    def where(self, kept: npt.NDArray[np.bool_]) -> "Pages":
        return Pages(*(part[kept] for part in self))


def alpha_change(pages: Pages, *, level: float = LEVEL) -> Estimate:
    """How much higher Krippendorff's alpha of one label is after a change, on pages with two answers before and after.

    Returns an Estimate of alpha(after) - alpha(before), n = such pages, with the interval of the paired difference;
    undefined where either alpha is. Without an interval below 5 pages, and where no page moved.
    Source: delete-one jackknife over pages of the difference (Efron 1982).
    """
    twice = pages.where((pages.n_before >= 2) & (pages.n_after >= 2))
    n_pages = int(twice.times.sum())
    if not n_pages:
        return undefined(f"no page has {BOTH_TWICE} yet", level=level)
    with np.errstate(invalid="ignore", divide="ignore"):
        before, without_before = _alphas(twice.n_before, twice.k_before, twice.times)
        after, without_after = _alphas(twice.n_after, twice.k_after, twice.times)
    if not (np.isfinite(before) and np.isfinite(after)):
        return undefined(NO_CONTRAST, n=n_pages, level=level)
    left_out = without_after - without_before
    known = np.isfinite(left_out)  # without the only page with a yes there is no alpha: it takes no part
    return _with_interval(after - before, left_out[known], twice.times[known], n_pages, what=BOTH_TWICE, level=level,
                          widest=1 - LOWEST)  # fmt: skip


def prevalence_change(pages: Pages, *, level: float = LEVEL) -> Estimate:
    """How much larger the mean share of yes a page is after a change, on pages with an answer before and after.

    Returns an Estimate in [-1, 1], n = such pages, with the interval of the paired difference.
    """
    once = pages.where((pages.n_before >= 1) & (pages.n_after >= 1))
    n_pages = int(once.times.sum())
    if not n_pages:
        return undefined(f"no page has {BOTH_ONCE} yet", level=level)
    moved = once.k_after / once.n_after - once.k_before / once.n_before
    mean = float(once.times @ moved) / n_pages
    left_out = (n_pages * mean - moved) / max(n_pages - 1, 1)
    return _with_interval(mean, left_out, once.times, n_pages, what=BOTH_ONCE, level=level, widest=1.0)


def _alphas(n: Integers, k: Integers, count: Integers) -> tuple[float, Floats]:
    """Alpha of all pages, and without one page of each group; NaN where undefined."""
    d = k * (n - k) / (n - 1)
    total_n, total_k, total_d = float(count @ n), float(count @ k), float(count @ d)
    return float(_alpha(total_n, total_k, total_d)), np.asarray(_alpha(total_n - n, total_k - k, total_d - d))


def _alpha(n: npt.ArrayLike, k: npt.ArrayLike, d: npt.ArrayLike) -> Floats:
    n, k, d = (np.asarray(part, dtype=np.float64) for part in (n, k, d))
    expected = k * (n - k)
    return np.where(expected > 0, 1 - (n - 1) * d / expected, np.nan)


def _with_interval(
    value: float, left_out: Floats, count: Integers, n_pages: int, *, what: str, level: float, widest: float
) -> Estimate:
    if few := too_few_pages(n_pages, what=what):
        return Estimate(value, None, None, level=level, n=n_pages, reason=few)
    total = int(count.sum())
    centred = left_out - float(count @ left_out) / total
    spread = float(np.sqrt((total - 1) / total * float(count @ centred**2)))
    if spread == 0:
        return Estimate(value, None, None, level=level, n=n_pages, reason=NOTHING_MOVED)
    reach = z_score(level) * spread
    return Estimate(
        value, max(value - reach, -widest), min(value + reach, widest), level=level, n=n_pages
    )  # fmt: skip
