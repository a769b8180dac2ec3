"""Agreement on one label, from its cells: Krippendorff's alpha, Gwet's AC1, specific agreement, prevalence.

All intervals generalise to other items judged by the same raters: items are resampled, raters are not.
What one rater does to the result is shown by `pairs.alpha_without`.
"""

import math

import numpy as np
import numpy.typing as npt

from .cells import Cells, Floats
from .intervals import (
    LEVEL,
    LOWEST,
    Estimate,
    jeffreys_interval,
    log_complement_interval,
    most_unseen,
    too_few_pages,
    undefined,
)

FEW_ANSWERS = 60

NO_ANSWER = "no page has an answer"
NO_PAIR = "no page has two answers"
NO_POSITIVE = "no positive answer yet"
NO_NEGATIVE = "no negative answer yet"
TWICE = "two answers"


def nominal_alpha(cells: Cells, *, level: float = LEVEL) -> Estimate:
    """Krippendorff's alpha of one label with a closed-form interval on the log(1 - alpha) scale.

    cells: histogram of the label; items with one answer do not count.
    Returns an Estimate with value in [-1, 1], n = items with two answers or more. Undefined without a pair of answers,
    without a yes, or without a no. Without any disagreement (alpha = 1, standard error 0) the lower end supposes the
    most contested items that this many unanimous items could still hide.
    Fewer than 60 yes (or no) answers are flagged: coverage falls below 93 % there. Fewer than 5 items have no interval.
    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; standard error by the infinitesimal
    jackknife over items (Efron 1982, "The Jackknife, the Bootstrap and Other Resampling Plans").
    """
    cells = cells.answered_twice()
    if missing := _why_no_alpha(cells):
        return undefined(missing, n=cells.n_items, level=level)
    n_answers, n_yes, disagreement = cells.n_answers, cells.n_yes, _disagreement(cells)
    total = float(cells.count @ disagreement)
    alpha = _alpha(n_answers, n_yes, total)
    if few := too_few_pages(cells.n_items, what=TWICE):
        return Estimate(alpha, None, None, level=level, n=cells.n_items, reason=few)
    if total == 0:
        low, high = _unanimous_alpha_low(cells, level=level), 1.0
    else:
        se = standard_error(_alpha_influence(cells, disagreement), cells.count)
        low, high = log_complement_interval(alpha, se, level=level)
    return Estimate(alpha, low, high, level=level, n=cells.n_items, reason=_few(cells))


def bootstrap_alpha(
    cells: Cells, *, replicates: int = 1000, rng: np.random.Generator, level: float = LEVEL
) -> Estimate:
    """Krippendorff's alpha with a percentile interval over resampled items.

    A resample of I items is one Multinomial(I, count / I) draw over the cells, so its cost does not depend on I.
    replicates: >= 1. Returns an Estimate as `nominal_alpha` does; resamples in which alpha is undefined are left out.
    Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap"; items as the unit after Zapf et al. 2016.
    """
    cells = cells.answered_twice()
    if missing := _why_no_alpha(cells):
        return undefined(missing, n=cells.n_items, level=level)
    disagreement = _disagreement(cells)
    value = _alpha(cells.n_answers, cells.n_yes, float(cells.count @ disagreement))
    if few := too_few_pages(cells.n_items, what=TWICE):
        return Estimate(value, None, None, level=level, n=cells.n_items, reason=few)
    draws = rng.multinomial(cells.n_items, cells.count / cells.n_items, size=replicates)
    n_answers, n_yes, total = (draws @ column for column in (cells.n, cells.k, disagreement))
    expected = n_yes * (n_answers - n_yes)
    varied = expected > 0
    if not varied.any():
        return Estimate(value, None, None, level=level, n=cells.n_items, reason="no resample held both yes and no")
    alphas = 1 - (n_answers - 1)[varied] * total[varied] / expected[varied]
    low, high = np.quantile(alphas, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), level=level, n=cells.n_items, reason=_few(cells))


def ac1(cells: Cells, *, level: float = LEVEL) -> Estimate:
    """Gwet's AC1 of one label. Never a reason to pass a rare label by itself: it is above .97 there whatever happens.

    cells: histogram of the label. Agreement counts items with two answers or more, chance (prevalence) every item.
    Returns an Estimate with value in [-1, 1], n = items with two answers or more; undefined without a pair of answers.
    Interval on the log(1 - AC1) scale with the linearised standard error.
    Source: Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement".
    """
    pairable = cells.answered_twice()
    if pairable.n_items == 0:
        return undefined(NO_PAIR, level=level)
    n, k, twice = cells.n, cells.k, cells.n >= 2
    share_yes = k / n
    prevalence = float(cells.count @ share_yes) / cells.n_items
    chance = 2 * prevalence * (1 - prevalence)
    clash = np.where(twice, 2 * k * (n - k) / np.maximum(n * (n - 1), 1), 0.0)
    clashes = float(cells.count @ clash) / pairable.n_items
    value = 1 - clashes / (1 - chance)
    if few := too_few_pages(pairable.n_items, what=TWICE):
        return Estimate(value, None, None, level=level, n=pairable.n_items, reason=few)
    if clashes == 0:
        one_dissent = float(pairable.count @ (2 / pairable.n)) / pairable.n_items
        hidden = most_unseen(pairable.n_items, level=level) * one_dissent / pairable.n_items
        return Estimate(value, max(1 - hidden / (1 - chance), LOWEST), 1.0, level=level, n=pairable.n_items)
    influence = -np.where(twice, clash - clashes, 0.0) / pairable.n_items / (1 - chance)
    influence -= clashes / (1 - chance) ** 2 * (2 - 4 * prevalence) * (share_yes - prevalence) / cells.n_items
    low, high = log_complement_interval(value, standard_error(influence, cells.count), level=level)
    return Estimate(value, low, high, level=level, n=pairable.n_items)


def positive_agreement(cells: Cells, *, level: float = LEVEL) -> Estimate:
    """When one rater says yes, how often another says yes too: 2a / (2a + b + c) for two raters.

    cells: histogram of the label. Returns an Estimate in [0, 1], n = items with two answers or more and at least one
    yes; undefined without a pair of answers or without a yes.
    Source: Cicchetti & Feinstein 1990, "High agreement but low kappa II", for two raters; more raters: every ordered
    pair within an item, weighted 1 / (n - 1). Interval: see `_share_estimate`.
    """
    cells = cells.answered_twice()
    return _specific_agreement(cells, cells.k, nothing=NO_POSITIVE, level=level)


def negative_agreement(cells: Cells, *, level: float = LEVEL) -> Estimate:
    """When one rater says no, how often another says no too. As `positive_agreement`, with yes and no exchanged."""
    cells = cells.answered_twice()
    return _specific_agreement(cells, cells.n - cells.k, nothing=NO_NEGATIVE, level=level)


def prevalence(cells: Cells, *, level: float = LEVEL) -> Estimate:
    """Mean over items of the share of yes answers: an item judged five times counts as much as one judged once.

    cells: histogram of the label. Returns an Estimate in [0, 1], n = items with an answer; undefined without any.
    With one answer per item it is a plain proportion with its Jeffreys interval.
    """
    if cells.n_items == 0:
        return undefined(NO_ANSWER, level=level)
    return _share_estimate(cells.k / cells.n, np.ones(cells.n.shape), cells, most=cells.n_answers, level=level)


def standard_error(influence: Floats, count: npt.NDArray[np.int64]) -> float:
    """Infinitesimal-jackknife standard error: count[c] items have influence[c] on the estimate; two items or more."""
    n_items = int(count.sum())
    centred = influence - float(count @ influence) / n_items
    return math.sqrt(n_items / (n_items - 1) * float(count @ centred**2))


def _why_no_alpha(cells: Cells) -> str | None:
    if cells.n_items == 0:
        return NO_PAIR
    if cells.n_yes == 0:
        return NO_POSITIVE
    return NO_NEGATIVE if cells.n_yes == cells.n_answers else None


def _few(cells: Cells) -> str | None:
    kinds = (("positive", cells.n_yes), ("negative", cells.n_answers - cells.n_yes))
    scarce = [kind for kind, answers in kinds if answers < FEW_ANSWERS]
    return f"interval too narrow: fewer than {FEW_ANSWERS} {' and '.join(scarce)} answers" if scarce else None


def _disagreement(cells: Cells) -> Floats:
    return cells.k * (cells.n - cells.k) / (cells.n - 1)


def _alpha(n_answers: float, n_yes: float, disagreement: float) -> float:
    return 1 - (n_answers - 1) * disagreement / (n_yes * (n_answers - n_yes))


def _alpha_influence(cells: Cells, disagreement: Floats) -> Floats:
    total_n, total_k, total_d = cells.n_answers, cells.n_yes, float(cells.count @ disagreement)
    expected = total_k * (total_n - total_k)
    by_n = -total_d / expected + (total_n - 1) * total_d * total_k / expected**2
    by_k = (total_n - 1) * total_d * (total_n - 2 * total_k) / expected**2
    return by_n * cells.n + by_k * cells.k - (total_n - 1) / expected * disagreement


def _unanimous_alpha_low(cells: Cells, *, level: float) -> float:
    """Alpha if the contested items that could still be hidden each had one dissent towards the rarer verdict."""
    hidden = most_unseen(cells.n_items, level=level)
    rarer = min(cells.n_yes, cells.n_answers - cells.n_yes) + hidden
    return max(_alpha(cells.n_answers, rarer, hidden), LOWEST)


def _specific_agreement(cells: Cells, said: npt.NDArray[np.int64], *, nothing: str, level: float) -> Estimate:
    if cells.n_items == 0:
        return undefined(NO_PAIR, level=level)
    spoken = Cells(cells.n[said > 0], cells.k[said > 0], cells.count[said > 0])
    if spoken.n_items == 0:
        return undefined(nothing, level=level)
    said = said[said > 0]
    echoed = said * (said - 1) / (spoken.n - 1)
    return _share_estimate(echoed, said.astype(np.float64), spoken, most=float(spoken.count @ said), level=level)


def _share_estimate(parts: Floats, wholes: Floats, cells: Cells, *, most: float, level: float) -> Estimate:
    """The ratio sum(parts) / sum(wholes) over items, with a Jeffreys interval at its effective sample size.

    The delta-method variance says how many independent trials the items are worth (at most `most` answers; where the
    variance is 0 because the share is 0 or 1, the number of items).
    Source: Korn & Graubard 1998, with the Jeffreys interval after Franco et al. 2019.
    """
    whole = float(cells.count @ wholes)
    share = min(max(float(cells.count @ parts) / whole, 0.0), 1.0)
    variance = float(cells.count @ (parts - share * wholes) ** 2) / whole**2
    spread = share * (1 - share)
    trials = min(spread / variance, most) if variance > 0 and spread > 0 else cells.n_items if spread == 0 else most
    low, high = jeffreys_interval(share * trials, trials, level=level)
    return Estimate(share, low, high, level=level, n=cells.n_items)
