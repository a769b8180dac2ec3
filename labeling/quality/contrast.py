"""Contrasts: what leaving raters out or a change does to agreement, judged by the interval of the difference."""

import math

import numpy as np
import numpy.typing as npt

from .agreement import NO_PAIR, TWICE, standard_error
from .cells import Floats, Integers
from .intervals import LEVEL, LOWEST, Estimate, log_complement_interval, too_few_pages, undefined, z_score

NO_CLASH = "no disagreement on these pages: no interval yet"
NO_CONTRAST = "one of the two has no yes or no no"
WIDEST_RISE = 1.0 - LOWEST


def alpha_rise(
    n: Integers,
    k: Integers,
    n_rest: Integers,
    k_rest: Integers,
    *,
    count: Integers | None = None,
    level: float = LEVEL,
) -> Estimate:
    """How much higher Krippendorff's alpha of one label is on the rest of the answers than on all of them.

    n, k: (n_items,) answers and yes answers of each item; n_rest, k_rest: the same without the raters left out.
    count: (n_items,) how many items each row stands for; without it one.
    Returns an Estimate of alpha(rest) - alpha(all), n = pages answered twice; undefined where either alpha is.
    Both alphas stand on the same items, so the interval is that of their paired difference: narrower than two separate
    intervals suggest. Raises ValueError when the shapes differ or the rest is more than the whole.
    Source: infinitesimal jackknife over items (Efron 1982) of the difference.
    """
    if not n.shape == k.shape == n_rest.shape == k_rest.shape:
        raise ValueError(f"counts differ in shape: {n.shape}, {k.shape}, {n_rest.shape}, {k_rest.shape}")
    if np.any(n_rest > n) or np.any(k_rest > k):
        raise ValueError("the rest cannot hold more answers than the whole")
    pairable = n >= 2
    items = (np.ones_like(n) if count is None else count)[pairable].astype(np.int64)
    n_items = int(items.sum())
    if n_items < 2:
        return undefined(NO_PAIR, n=n_items, level=level)
    whole = _alpha_and_influence(n[pairable], k[pairable], items)
    rest = _alpha_and_influence(n_rest[pairable], k_rest[pairable], items)
    if whole is None or rest is None:
        return undefined(NO_CONTRAST, n=n_items, level=level)
    rise = rest[0] - whole[0]
    if few := too_few_pages(n_items, what=TWICE):
        return Estimate(rise, None, None, level=level, n=n_items, reason=few)
    reach = z_score(level) * standard_error(rest[1] - whole[1], items)
    low, high = max(rise - reach, -WIDEST_RISE), min(rise + reach, WIDEST_RISE)
    return Estimate(rise, low, high, level=level, n=n_items)


def pooled_kappa(left: Integers, right: Integers, *, level: float = LEVEL) -> Estimate:
    """Cohen's kappa of two raters on the pages both judged, pooled over labels, with its interval over pages.

    left, right: (n_pages, n_labels) verdicts of the two: 1 yes, 0 no, -1 missing (the label is left out for both).
    Returns an Estimate with value in [-1, 1], n = pages with a label both answered; undefined without one, or when both
    gave one and the same verdict throughout. Raises ValueError when the shapes differ.
    Source: Cohen 1960; interval by the infinitesimal jackknife over pages, on the log(1 - kappa) scale.
    """
    if left.shape != right.shape or left.ndim != 2:
        raise ValueError(f"{left.shape} does not match {right.shape}")
    shared = (left >= 0) & (right >= 0)
    left_yes, right_yes = ((side == 1) & shared for side in (left, right))
    pages = np.stack(
        [side.sum(axis=1) for side in (shared, left_yes & right_yes, left_yes & ~right_yes, right_yes & ~left_yes)]
    ).astype(np.int64)
    return kappa_of_sums(pages @ pages.T, pages.sum(axis=1), n_pages=int((pages[0] > 0).sum()), level=level)


def kappa_of_sums(products: Integers, totals: Integers, *, n_pages: int, level: float = LEVEL) -> Estimate:
    """As `pooled_kappa`, from sums over pages that can be kept.

    For each page: labels both answered, those both ticked, only the left one, only the right one. totals: (4,) the sums
    over pages. products: (4, 4) the sums of the products of each two of these numbers. n_pages: pages with a label both
    answered.
    """
    if not n_pages:
        return undefined("no page in common", level=level)
    n, both, only_left, only_right = (float(total) for total in totals)
    a, b = both + only_left, both + only_right
    observed, chance = (n - only_left - only_right) / n, (a * b + (n - a) * (n - b)) / n**2
    if chance >= 1:
        return undefined("both gave one and the same verdict throughout", n=n_pages, level=level)
    kappa = float((observed - chance) / (1 - chance))
    if few := too_few_pages(n_pages, what="answers of both"):
        return Estimate(kappa, None, None, level=level, n=n_pages, reason=few)
    if kappa >= 1:
        return Estimate(1.0, None, None, level=level, n=n_pages, reason=NO_CLASH)
    # What one more of each of the four numbers does to the shares; a page does as much as its numbers together.
    by_observed = np.array([1 - observed, 0, -1, -1]) / n
    by_chance = np.array([2 * n - a - b, 2 * (a + b - n), 2 * b - n, 2 * a - n]) / n**2
    by_chance[0] -= 2 * chance / n
    weight = by_observed / (1 - chance) - (1 - observed) / (1 - chance) ** 2 * by_chance
    variance = n_pages / (n_pages - 1) * max(float(weight @ products @ weight), 0.0)
    low, high = log_complement_interval(kappa, math.sqrt(variance), level=level)
    return Estimate(kappa, low, high, level=level, n=n_pages)


def change(before: Estimate, after: Estimate) -> Estimate:
    """How much higher a number is after a change than before it, from two samples that share no item.

    before, after: estimates of one level, of alpha, prevalence or any other number. Returns an Estimate of
    after - before, n = pages of the smaller sample; undefined where either is, without an interval where either has
    none. The ends keep the lopsidedness of the two intervals. Raises ValueError when the levels differ.
    For samples that share items the interval is too wide: take `alpha_rise`.
    Source: Zou & Donner 2008, "Construction of confidence limits about effect measures: a general approach".
    """
    if before.level != after.level:
        raise ValueError(f"intervals of {before.level} and {after.level} do not compare")
    n, level = min(before.n, after.n), after.level
    if before.value is None or after.value is None:
        missing, which = (before, "before") if before.value is None else (after, "after")
        return undefined(f"{which} the change: {missing.reason}", n=n, level=level)
    difference = after.value - before.value
    if before.low is None or before.high is None or after.low is None or after.high is None:
        missing, which = (before, "before") if before.low is None else (after, "after")
        why = f"{which} the change: {missing.reason}"
        return Estimate(difference, None, None, level=level, n=n, reason=why)
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Estimate(
        difference, difference - down, difference + up, level=level, n=n, reason=after.reason or before.reason
    )


def _alpha_and_influence(n: Integers, k: Integers, count: Integers) -> tuple[float, Floats] | None:
    """Alpha and what each item's weight does to it; None where alpha is undefined. One answer does nothing."""
    twice = (n >= 2).astype(np.float64)
    n_twice, k_twice = twice * n, twice * k
    d: npt.NDArray[np.float64] = k_twice * (n_twice - k_twice) / np.maximum(n_twice - 1, 1)
    total_n, total_k, total_d = float(count @ n_twice), float(count @ k_twice), float(count @ d)
    expected = total_k * (total_n - total_k)
    if expected <= 0:
        return None
    alpha = 1 - (total_n - 1) * total_d / expected
    by_n = -total_d / expected + (total_n - 1) * total_d * total_k / expected**2
    by_k = (total_n - 1) * total_d * (total_n - 2 * total_k) / expected**2
    return alpha, by_n * n_twice + by_k * k_twice - (total_n - 1) / expected * d
