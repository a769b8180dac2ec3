"""Readings: what an agreement coefficient allows one to conclude, and how much more work a conclusion needs."""

import math
from typing import Literal

import numpy as np
from scipy.special import betaln, gammaln

from .cells import Cells
from .intervals import LEVEL, Estimate, z_score

RELIABLE, TENTATIVE = 0.80, 0.667
HALF_WIDTH = 0.10

# The planner's guesses while alpha or prevalence are not known: the middle of the range that matters, a rare label.
_LIKELY_ALPHA, _LOWEST_ALPHA, _HIGHEST_ALPHA = 0.6, 0.2, 0.8
_RARE = 0.10

Reading = Literal["reliable", "tentative", "revise", "cannot tell yet"]


def reading(estimate: Estimate, *, half_width: float = HALF_WIDTH) -> Reading:
    """What the lower end of the interval allows: .80 reliable, .667 tentative conclusions only, below revise.

    "cannot tell yet" where there is no interval, or where one wider than +-half_width reaches from "revise" into
    "tentative": more pages, not another guideline, are what is missing.
    Source: the bounds are Krippendorff's (2004), applied to the lower end instead of the estimate.
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "cannot tell yet"
    if estimate.low >= RELIABLE:
        return "reliable"
    if estimate.low >= TENTATIVE:
        return "tentative"
    too_wide = (estimate.high - estimate.low) / 2 > half_width
    return "cannot tell yet" if too_wide and estimate.high >= TENTATIVE else "revise"


def items_needed(
    alpha: float, prevalence: float, *, n_judgments: int = 2, half_width: float = HALF_WIDTH, level: float = LEVEL
) -> int:
    """Items, each judged n_judgments times, for an interval of +-half_width around the alpha of one label.

    alpha, prevalence: expected values, strictly between 0 and 1. n_judgments: >= 2. half_width: > 0.
    Returns items >= 2. Raises ValueError outside these ranges.
    Source: variance of the infinitesimal-jackknife influence when the yes answers of an item are beta-binomial with
    mean prevalence and intraclass correlation alpha.
    """
    if not (0 < alpha < 1 and 0 < prevalence < 1 and n_judgments >= 2 and half_width > 0):
        raise ValueError(
            f"cannot plan for alpha {alpha}, prevalence {prevalence}, {n_judgments} judgments, {half_width}"
        )
    variance = _influence_variance(alpha, prevalence, n_judgments)
    return max(math.ceil(variance * (z_score(level) / half_width) ** 2), 2)


def positives_needed(alpha: Estimate, cells: Cells, *, half_width: float = HALF_WIDTH) -> int:
    """How many more positive pages, judged as often as those so far, until alpha is known to +-half_width.

    alpha: the estimate of this label, cells: what it came from. Returns pages >= 0: 0 exactly when the interval is
    narrow enough already. Below a prevalence of .10 the number hardly depends on how rare the label is: about 70 in
    all at alpha .6, 40 at .8, for two judgments a page. An alpha from few pages is a guess, so it is held in .2-.8.
    """
    if alpha.low is not None and alpha.high is not None and (alpha.high - alpha.low) / 2 <= half_width:
        return 0
    cells = cells.answered_twice()
    answers, yes = cells.n_answers, min(cells.n_yes, cells.n_answers - 1)
    n_judgments = round(answers / cells.n_items) if cells.n_items else 2
    prevalence = yes / answers if yes > 0 else _RARE
    likely = _LIKELY_ALPHA if alpha.value is None else min(max(alpha.value, _LOWEST_ALPHA), _HIGHEST_ALPHA)
    items = items_needed(likely, prevalence, n_judgments=n_judgments, half_width=half_width, level=alpha.level)
    return max(math.ceil(items * prevalence - cells.n_yes / n_judgments), 1)


def _influence_variance(alpha: float, prevalence: float, n: int) -> float:
    k = np.arange(n + 1)
    yes, no = (share * (1 - alpha) / alpha for share in (prevalence, 1 - prevalence))
    log_ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    p_k = np.exp(log_ways + betaln(k + yes, n - k + no) - betaln(yes, no))
    disagreement = k * (n - k) / (n - 1)
    mean_k, mean_d = n * prevalence, float(p_k @ disagreement)
    expected = mean_k * (n - mean_k)
    influence = n * mean_d * (n - 2 * mean_k) / expected**2 * k - n / expected * disagreement
    return float(p_k @ (influence - p_k @ influence) ** 2)
