"""Calibration: whether pages said to be a yes with probability .8 are one in 8 of 10 cases, against known answers."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from .agreement import standard_error
from .cells import MISSING, NO, YES, Floats, Integers
from .intervals import LEVEL, Estimate, jeffreys_interval, too_few_pages, undefined, z_score
from .skills import TEMPERATURE

FEWEST_OF_EACH = 10  # known yes, and known no: below, a temperature is an accident
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.5, 10.0
KNOWN = "known answers"

NOTHING_KNOWN = "no page with a known answer"
EMPTY_BIN = "no known answer was given such a probability"
AT_THE_EDGE = "known answers would want a temperature outside the range that is allowed"


class Temperature(NamedTuple):
    """value: > 0, to divide log odds by. n: known answers it rests on. reason: None when it was fitted and fits."""

    value: float
    n: int
    reason: str | None


class Bin(NamedTuple):
    """Known answers whose probability lay in [low, high): mean probability (None when empty), and share of yes."""

    low: float
    high: float
    n: int
    mean_p: float | None
    share_yes: Estimate


def fit_temperature(log_odds: Floats, truth: Integers, *, default: float = TEMPERATURE) -> Temperature:
    """The temperature at which the probabilities have the smallest log loss on known answers.

    log_odds: (n_items, n_labels), finite, fitted without these answers. truth: same shape, 1 yes, 0 no, -1 not known.
    With fewer than 10 known yes or 10 known no it is the default, and says why. Between .5 and 10; where the best lies
    beyond, the end is taken and said. Raises ValueError when shapes or codes are wrong.
    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
    """
    _check(log_odds, truth)
    known = truth != MISSING
    n, n_yes = int(known.sum()), int((truth == YES).sum())
    if min(n_yes, n - n_yes) < FEWEST_OF_EACH:
        return Temperature(default, n, f"{n_yes} known yes and {n - n_yes} known no, {FEWEST_OF_EACH} of each needed")
    # log(1 + e^-z) with z > 0 where the odds point the right way: convex in 1 / temperature, so there is one minimum
    right_way = np.where(truth == YES, log_odds, -log_odds)[known]

    def loss(coldness: float) -> float:
        return float(np.logaddexp(0, -coldness * right_way).mean())

    found = minimize_scalar(loss, bounds=(1 / MOST_TEMPERATURE, 1 / LEAST_TEMPERATURE), method="bounded")
    value = float(1 / found.x)
    at_edge = not LEAST_TEMPERATURE * 1.001 < value < MOST_TEMPERATURE / 1.001
    return Temperature(value, n, AT_THE_EDGE if at_edge else None)


def log_loss(p: Floats, truth: Integers, *, level: float = LEVEL) -> Estimate:
    """Mean of -log(probability given to the known answer), over all known answers; 0 is perfect, .69 a coin.

    p: (n_items, n_labels) strictly inside (0, 1). truth: same shape, 1 yes, 0 no, -1 not known.
    Returns an Estimate, n = items with a known answer, its interval from the items (labels of one item go together);
    undefined without any. Raises ValueError when shapes or codes are wrong, or a probability is 0 or 1.
    """
    _check(p, truth)
    if np.any((p <= 0) | (p >= 1)):
        raise ValueError("probabilities lie strictly between 0 and 1")
    loss = -np.log(np.where(truth == YES, p, 1 - p))
    return _mean_over_items(loss, truth != MISSING, level=level)


def reliability(p: Floats, truth: Integers, *, n_bins: int = 10, level: float = LEVEL) -> tuple[Bin, ...]:
    """Known answers by the probability they were given, in n_bins of equal width, lowest first.

    p: (n_items, n_labels) in [0, 1]. truth: same shape, 1 yes, 0 no, -1 not known. n_bins: >= 1.
    The share of yes of each bin has the Jeffreys interval of its answers, and n = its answers: labels of one item count
    singly, so bins of many labels are a little too narrow. An empty bin is undefined.
    Source: reliability diagram, Murphy & Winkler 1977; DeGroot & Fienberg 1983.
    """
    which, said_yes, given = _binned(p, truth, n_bins)
    counts = np.bincount(which, minlength=n_bins)
    yes, total = (np.bincount(which, weights=of, minlength=n_bins) for of in (said_yes, given))
    edges = np.linspace(0, 1, n_bins + 1)
    return tuple(
        Bin(float(edges[b]), float(edges[b + 1]), int(n), float(total[b] / n) if n else None,
            _share(float(yes[b]), int(n), level=level))
        for b, n in enumerate(counts)
    )  # fmt: skip


def calibration_error(p: Floats, truth: Integers, *, n_bins: int = 10) -> Estimate:
    """Expected calibration error: mean distance of a bin's share of yes from its mean probability, bins by their size.

    Arguments as for `reliability`. Returns an Estimate in [0, 1] without an interval, n = known answers; undefined
    without any. Few answers a bin make it too large by chance: compare with what the same bins had before.
    Source: Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning".
    """
    which, said_yes, given = _binned(p, truth, n_bins)
    if not which.size:
        return undefined(NOTHING_KNOWN)
    gap = np.bincount(which, weights=said_yes - given, minlength=n_bins)
    return Estimate(float(np.abs(gap).sum() / which.size), None, None, n=which.size)


def _mean_over_items(values: Floats, counted: Integers, *, level: float) -> Estimate:
    total, of = np.where(counted, values, 0.0).sum(axis=1), counted.sum(axis=1)
    total, of = total[of > 0], of[of > 0]
    if not of.size:
        return undefined(NOTHING_KNOWN, level=level)
    mean = float(total.sum() / of.sum())
    if few := too_few_pages(of.size, what=KNOWN):
        return Estimate(mean, None, None, level=level, n=of.size, reason=few)
    reach = z_score(level) * standard_error((total - mean * of) / of.sum(), np.ones_like(of))
    return Estimate(mean, max(mean - reach, 0.0), mean + reach, level=level, n=of.size)


def _share(yes: float, n: int, *, level: float) -> Estimate:
    if not n:
        return undefined(EMPTY_BIN, level=level)
    low, high = jeffreys_interval(yes, n, level=level)
    return Estimate(yes / n, low, high, level=level, n=n)


def _binned(p: Floats, truth: Integers, n_bins: int) -> tuple[Integers, Floats, Floats]:
    """Of each known answer: its bin, 1 for yes, and its probability; three arrays of one shape."""
    _check(p, truth)
    if n_bins < 1 or np.any((p < 0) | (p > 1)):
        raise ValueError("calibration needs a bin and probabilities between 0 and 1")
    known = truth != MISSING
    given = p[known]
    which = np.minimum((given * n_bins).astype(np.int64), n_bins - 1)
    return which, (truth[known] == YES).astype(np.float64), given


def _check(values: Floats, truth: Integers) -> None:
    if values.ndim != 2 or values.shape != truth.shape:
        raise ValueError(f"values {values.shape} do not match truth {truth.shape}")
    if truth.size and not np.isin(truth, (YES, NO, MISSING)).all():
        raise ValueError("truth is 1 (yes), 0 (no) or -1 (not known)")
    if not np.isfinite(values).all():
        raise ValueError("calibration needs finite numbers")
