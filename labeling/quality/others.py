"""One rater against the others: how often they find a label and leave it alone, where nobody knows what is right.

The others' answers give each page a probability of yes without the rater's own vote. A rater who says yes with
probability se where the truth is yes and fp where it is no says yes on a page of probability p with se p + fp (1 - p),
so what they say at each p tells both. Taking the likelier answer of the others for the truth instead would make every
rater of a rare label look blind, because most of what few others tick there is wrong.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .cells import Floats
from .intervals import LEVEL, Estimate, jeffreys_interval, undefined

EDGES = (0.05, 0.3, 0.7)  # the model is straight in p, so a bin loses nothing but a little sharpness
N_BINS = len(EDGES) + 1
WIDENED = 1.3  # what is not known of the others makes intervals too narrow by about a quarter (measured)
FEWEST_EXPECTED = 5.0
_STEPS, _TOLERANCE = 500, 1e-7
_START = 0.75, 0.05
_LEAST = 1e-9
_ANYWHERE = 12.0  # precision of a rate of which nothing is known: one over the variance of a uniform number
MODEL_BASED = "model-based: the others can be wrong"
TOO_FEW = "the others say too little"


class Binned(NamedTuple):
    """Answers of raters by the others' probability, each (n_cells, N_BINS): answers, yes among them, sum of p."""

    n: Floats
    yes: Floats
    p: Floats


class Against(NamedTuple):
    """Sensitivity and specificity of one rater on one label; n = pages of that truth to be expected among theirs."""

    sensitivity: Estimate
    specificity: Estimate


def bin_of(p_others: Floats) -> npt.NDArray[np.int64]:
    """Which bin each probability belongs to, 0 to N_BINS - 1."""
    return np.searchsorted(EDGES, p_others, side="right").astype(np.int64)


def against_others(found: Binned, *, level: float = LEVEL) -> list[Against]:
    """Sensitivity and specificity of each rater and label from their binned answers.

    found: three arrays (n_cells, N_BINS), 0 <= yes <= n and 0 <= p <= n. Returns one Against a cell: the likeliest
    rates; their intervals are Jeffreys' at as many pages as the answers are worth (Fisher information, with what the
    others leave open taken off), widened by 1.3. Undefined below 5 expected pages of that truth.
    Raises ValueError when the shapes do not match.
    Source: Dawid & Skene 1979 for one rater, the others' part held fixed; expectation maximisation.
    """
    n, yes, p_sum = (np.asarray(part, dtype=np.float64) for part in found)
    if not n.shape == yes.shape == p_sum.shape or n.ndim != 2 or n.shape[1] != N_BINS:
        raise ValueError(f"binned answers need three tables of cells by {N_BINS} bins, not {n.shape}, {yes.shape}")
    p = np.divide(p_sum, n, out=np.zeros_like(n), where=n > 0)
    se, fp, n_yes = _fitted(n, yes, p)
    worth_yes, worth_no = _worth(n, p, se, fp, n_yes)
    return [
        Against(_rate(*of_yes, level=level), _rate(*of_no, level=level))
        for of_yes, of_no in zip(
            zip(se, worth_yes, n_yes, strict=True), zip(1 - fp, worth_no, n.sum(1) - n_yes, strict=True), strict=True
        )
    ]


def _fitted(n: Floats, yes: Floats, p: Floats) -> tuple[Floats, Floats, Floats]:
    """P(says yes | yes), P(says yes | no), and the expected pages of truth yes: each (n_cells,)."""
    rates = np.tile(np.array(_START), (len(n), 1))
    total, said = n.sum(axis=1), yes.sum(axis=1)
    n_yes = total.copy()
    for _ in range(_STEPS):
        before, (se, fp) = rates, (rates[:, :1], rates[:, 1:])
        if_yes = p * se / np.maximum(p * se + (1 - p) * fp, _LEAST)
        if_no = p * (1 - se) / np.maximum(p * (1 - se) + (1 - p) * (1 - fp), _LEAST)
        yes_on_yes = (yes * if_yes).sum(axis=1)
        n_yes = yes_on_yes + ((n - yes) * if_no).sum(axis=1)
        new = [yes_on_yes / np.maximum(n_yes, _LEAST), (said - yes_on_yes) / np.maximum(total - n_yes, _LEAST)]
        rates = np.clip(np.column_stack(new), 0.0, 1.0)
        if np.abs(rates - before).max(initial=0) < _TOLERANCE:
            break
    return rates[:, 0], rates[:, 1], n_yes


def _worth(n: Floats, p: Floats, se: Floats, fp: Floats, n_yes: Floats) -> tuple[Floats, Floats]:
    """How many pages of known truth would tell each rate as surely as these answers do: two arrays (n_cells,).

    Taken one yes and one no away from the likeliest rates: at 0 and 1 answers would seem to tell everything.
    """
    se, fp = (se * n_yes + 1) / (n_yes + 2), (fp * (n.sum(axis=1) - n_yes) + 1) / (n.sum(axis=1) - n_yes + 2)
    said = p * se[:, None] + (1 - p) * fp[:, None]
    weight = n / np.maximum(said * (1 - said), _LEAST)
    a, b, d = (weight * p**2).sum(1), (weight * p * (1 - p)).sum(1), (weight * (1 - p) ** 2).sum(1)
    # The other rate is learned from the same answers; where they say nothing of it, it is somewhere between 0 and 1.
    of_yes, of_no = a - b**2 / (d + _ANYWHERE), d - b**2 / (a + _ANYWHERE)
    return of_yes * se * (1 - se), of_no * fp * (1 - fp)


def _rate(value: float, worth: float, n: float, *, level: float) -> Estimate:
    if n < FEWEST_EXPECTED or worth < 1:
        return undefined(TOO_FEW, n=round(n), level=level)
    value, worth = round(float(value), 6), float(worth)
    low, high = jeffreys_interval(value * worth, worth, level=level)
    low, high = value - WIDENED * (value - low), value + WIDENED * (high - value)
    return Estimate(value, max(low, 0.0), min(high, 1.0), level=level, n=round(n), reason=MODEL_BASED)
