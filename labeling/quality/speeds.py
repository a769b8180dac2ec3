"""How long answers take: counts by bins of equal ratio, so that weeks and people add up, and their median."""

import math
from collections.abc import Mapping

import numpy as np

from .intervals import LEVEL, Estimate, too_few_pages, undefined, z_score

RATIO = 1.05  # a median read from the bins is right to within 3 %
SHORTEST, LONGEST = 0.5, 7200.0
NOT_TIMED = "no answer with a time yet"


def bin_of(seconds: float) -> int:
    """The bin a time belongs to, from 0; shorter than half a second and longer than two hours count as those.

    Raises ValueError for a time that is not a finite number >= 0.
    """
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds} is not a time")
    return int(math.log(min(max(seconds, SHORTEST), LONGEST) / SHORTEST) / math.log(RATIO))


def median_seconds(counts: Mapping[int, int], *, level: float = LEVEL) -> Estimate:
    """The median time of answers counted by bin, n = answers, with the interval its order statistics give.

    counts: {bin: answers >= 0}. Undefined without an answer, without an interval below 5.
    Source: David & Nagaraja 2003, "Order Statistics", section 7.1 (interval of a quantile, normal approximation).
    """
    bins = sorted(place for place, n in counts.items() if n)
    reached = np.cumsum([counts[place] for place in bins])
    n = int(reached[-1]) if bins else 0
    if not n:
        return undefined(NOT_TIMED, level=level)
    value = _middle(bins[int(np.searchsorted(reached, n / 2))])
    if few := too_few_pages(n, what="a time"):
        return Estimate(value, None, None, level=level, n=n, reason=few)
    reach = z_score(level) * math.sqrt(n) / 2
    first, last = (min(max(rank, 1), n) for rank in (math.floor(n / 2 - reach), math.ceil(n / 2 + 1 + reach)))
    low, high = (bins[int(np.searchsorted(reached, rank))] for rank in (first, last))
    return Estimate(value, SHORTEST * RATIO**low, SHORTEST * RATIO ** (high + 1), level=level, n=n)


def _middle(place: int) -> float:
    return float(SHORTEST * RATIO ** (place + 0.5))
