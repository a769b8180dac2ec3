"""Estimates that carry their interval, and the intervals that fit shares and chance-corrected coefficients.

Undefined is None with a reason in plain words: never 0, never 1, never NaN.
"""

import math
from dataclasses import dataclass
from typing import TypedDict

from scipy.special import betaincinv, ndtri, stdtrit

LEVEL = 0.95
FEWEST_PAGES = 5  # below, a standard error over pages says nothing
LOWEST = -1.0  # no chance-corrected coefficient of this product is less, whatever the data
_LARGEST_EXPONENT = 700.0


class EstimateDict(TypedDict):
    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, the interval around it, and what stands behind it.

    value, low, high: finite, or None where undefined. level: coverage the interval aims at, inside (0, 1).
    n: pages behind the number (each function says which). reason: why a part is missing, or a warning.
    Raises ValueError when a part is NaN or infinite, or when a missing value comes without a reason.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float = LEVEL
    n: int = 0
    reason: str | None = None

    def __post_init__(self) -> None:
        if any(part is not None and not math.isfinite(part) for part in (self.value, self.low, self.high)):
            raise ValueError(f"an estimate holds finite numbers or None, not {self.value}, {self.low}, {self.high}")
        if self.value is None and not self.reason:
            raise ValueError("an estimate without a value must say why")

    def as_dict(self) -> EstimateDict:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "n": self.n,
            "reason": self.reason,
        }


def undefined(reason: str, *, n: int = 0, level: float = LEVEL) -> Estimate:
    """No value, and the reason for it."""
    return Estimate(None, None, None, level=level, n=n, reason=reason)


def jeffreys_interval(successes: float, n: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Interval for a proportion from the Beta(1/2, 1/2) prior, closed at 0 and 1 when nothing or everything succeeded.

    successes, n: counts with 0 <= successes <= n and n > 0; fractions are allowed (effective sample sizes).
    Returns (low, high) in [0, 1]. Raises ValueError outside the range.
    Source: Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial Proportion".
    """
    if not 0 <= successes <= n or n <= 0:
        raise ValueError(f"{successes} successes of {n} is not a proportion")
    tail = _tail(level)
    low = 0.0 if successes == 0 else float(betaincinv(successes + 0.5, n - successes + 0.5, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 0.5, n - successes + 0.5, 1 - tail))
    return low, high


def proportion(successes: int, n: int, *, level: float = LEVEL, nothing: str = "nothing counted yet") -> Estimate:
    """A plain proportion of independent trials with its Jeffreys interval; undefined, for that reason, when n is 0."""
    if n == 0:
        return undefined(nothing, level=level)
    low, high = jeffreys_interval(successes, n, level=level)
    return Estimate(successes / n, low, high, level=level, n=n)


def mean(
    n: int, total: float, squares: float, *, level: float = LEVEL, nothing: str = "nothing counted yet"
) -> Estimate:
    """The mean of n numbers that are not negative, from two sums, with Student's interval.

    total, squares: the sum of the numbers and that of their squares.

    Returns an Estimate, its low end cut off at 0; undefined, for that reason, when n is 0; without an interval below
    five. Raises ValueError when the sums cannot be those of such numbers.
    """
    if n < 0 or total < 0 or squares * n < total * total * (1 - 1e-9):
        raise ValueError(f"{n} numbers cannot have the sum {total} and the sum of squares {squares}")
    if n == 0:
        return undefined(nothing, level=level)
    value = total / n
    if n < FEWEST_PAGES:
        return Estimate(value, None, None, level=level, n=n, reason=f"only {n}: an interval needs {FEWEST_PAGES}")
    variance = max(squares - total * value, 0.0) / (n - 1)
    half = -float(stdtrit(n - 1, _tail(level))) * math.sqrt(variance / n)
    return Estimate(value, max(value - half, 0.0), value + half, level=level, n=n)


def too_few_pages(n: int, *, what: str) -> str | None:
    """Why there is no interval yet; None when there are pages enough. `what` they have: "two answers"."""
    if n >= FEWEST_PAGES:
        return None
    pages = "only one page has" if n == 1 else f"only {n} pages have"
    return f"{pages} {what}: an interval needs {FEWEST_PAGES}"


def log_complement_interval(value: float, se: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Normal interval for log(1 - value), taken back: it never passes 1, and is longer towards the lower end.

    value: below 1. se: standard error of value, >= 0. Returns (low, high) with low <= value <= high < 1; low is cut off
    at -1, below which no coefficient can be.
    Raises ValueError for value >= 1 (the log does not exist) or a negative se.
    Source: delta method on 1 - alpha = observed / expected disagreement, a ratio of positive numbers.
    """
    if value >= 1 or se < 0:
        raise ValueError(f"value {value} must be below 1 and its standard error {se} not negative")
    gap = 1 - value
    factor = math.exp(min(z_score(level) * se / gap, _LARGEST_EXPONENT))
    return max(1 - gap * factor, min(value, LOWEST)), 1 - gap / factor


def most_unseen(n: int, *, level: float = LEVEL) -> float:
    """How many of n pages could have shown what none of them showed: n times the upper Jeffreys end for 0 of n."""
    return n * jeffreys_interval(0, n, level=level)[1]


def z_score(level: float) -> float:
    """Two-sided normal quantile: 1.96 for 0.95."""
    return -float(ndtri(_tail(level)))


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level {level} must lie strictly between 0 and 1")
    return (1 - level) / 2
