"""Drift: has a person begun to disagree more than the difficulty of their items explains?"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from .cells import MISSING, YES, Floats, Integers

RISE, THRESHOLD = 0.2, 5.0
OWN_FIRST, ORDINARY_WORTH = 50, 10.0
_FURTHEST = 20.0  # log odds between the least and the most that is expected of anybody
LEAST_EXPECTED = 0.01  # an item nobody could get wrong does not exist: one slip must not be an alarm


class Cusum(NamedTuple):
    """path: (n,) evidence after each judgment, >= 0, from 0 again after an alarm. alarms: indices of the alarms."""

    path: Floats
    alarms: tuple[int, ...]


def expected_disagreement(p_others: Floats, sensitivity: Floats, specificity: Floats) -> Floats:
    """How likely an ordinary person differs from the consensus of the others on each item and label.

    p_others: (n_judgments, n_labels) P(yes) of the item without the person's own judgment, in [0, 1].
    sensitivity, specificity: (n_labels,) of everyone pooled, in [0, 1].
    Returns (n_judgments, n_labels) in [0, 1]: near .5 where the others leave it open, near the pooled error rate where
    they are sure. The consensus is yes from .5 upwards. Raises ValueError when the shapes do not match.
    """
    if p_others.ndim != 2 or not sensitivity.shape == specificity.shape == p_others.shape[1:]:
        raise ValueError(f"p_others {p_others.shape} does not match {sensitivity.shape} and {specificity.shape}")
    says_yes = p_others * sensitivity + (1 - p_others) * (1 - specificity)
    return np.where(p_others >= 0.5, 1 - says_yes, says_yes)


def on_any_label(expected: Floats, verdicts: Integers, p_others: Floats) -> tuple[Floats, Integers]:
    """Whole judgments, for `cusum`: chance that some label differs, labels taken as independent, and whether it did.

    expected, p_others: as in `expected_disagreement`. verdicts: same shape, 1 yes, 0 no, -1 missing (does not count).
    Returns two arrays (n_judgments,). Raises ValueError when the shapes do not match.
    """
    if not expected.shape == verdicts.shape == p_others.shape:
        raise ValueError(f"shapes differ: {expected.shape}, {verdicts.shape}, {p_others.shape}")
    answered = verdicts != MISSING
    differs = answered & ((verdicts == YES) != (p_others >= 0.5))
    return 1 - np.where(answered, 1 - expected, 1.0).prod(axis=1), differs.any(axis=1).astype(np.int64)


def cusum(expected: Floats, disagreed: Integers, *, rise: float = RISE, threshold: float = THRESHOLD) -> Cusum:
    """Evidence that a person's disagreement has risen by `rise` above what each item lets one expect.

    expected: (n,) expected disagreement p0 of each judgment in order of time, in [0, 1]. disagreed: (n,) 0 or 1.
    rise: > 0, so that p1 = p0 + rise. threshold: > 0, the log likelihood ratio that is an alarm.
    Every judgment adds log(p1 / p0) when it disagreed, else log((1 - p1) / (1 - p0)); the sum never falls below 0.
    With .2 and 5 there is one false alarm in more than 1,000 judgments, and a rise by .25 is found after about 25.
    Raises ValueError outside these ranges or when the shapes differ.
    Source: Page 1954, "Continuous Inspection Schemes"; risk-adjusted as in Steiner et al. 2000.
    """
    if expected.ndim != 1 or expected.shape != disagreed.shape:
        raise ValueError(f"expected {expected.shape} does not match disagreed {disagreed.shape}")
    if expected.size and not (0 <= expected.min() and expected.max() <= 1 and np.isin(disagreed, (0, 1)).all()):
        raise ValueError("expected disagreement lies in [0, 1], and each judgment disagreed (1) or did not (0)")
    if not (0 < rise < 1 - 2 * LEAST_EXPECTED and threshold > 0):
        raise ValueError(f"a rise of {rise} to a threshold of {threshold} cannot be watched for")
    before = np.clip(expected, LEAST_EXPECTED, 1 - LEAST_EXPECTED - rise)
    after = before + rise
    steps = np.where(disagreed == 1, np.log(after / before), np.log((1 - after) / (1 - before)))
    path, start, alarms = np.zeros(steps.size), 0, []
    while start < steps.size:
        walked = np.cumsum(steps[start:])
        above = walked - np.minimum(np.minimum.accumulate(walked), 0)
        over = np.flatnonzero(above >= threshold)
        stop = start + int(over[0]) + 1 if over.size else steps.size
        path[start:stop] = above[: stop - start]
        alarms += [stop - 1] if over.size else []
        start = stop
    return Cusum(path, tuple(alarms))


def own_level(
    expected: Floats, disagreed: Integers, *, first: int = OWN_FIRST, worth: float = ORDINARY_WORTH
) -> Floats:
    """What items let one expect of this person rather than of an ordinary one: moved to how they began.

    expected: (n,) in (0, 1), of an ordinary person, in order of time. disagreed: (n,) 0 or 1. first: judgments that
    tell how the person began. worth: > 0, judgments of an ordinary person added to them, so that few tell little.
    Returns (n,): the log odds of all moved by one number, at which the mean of the first is what it was. Somebody who
    differs less than others, because they are good, or more, because they read the guideline otherwise, is watched
    from where they stand; labels that go together make an ordinary person's figure too high besides.
    """
    if not expected.size:
        return expected
    began, odds = expected[:first], logit(np.clip(expected, LEAST_EXPECTED, 1 - LEAST_EXPECTED))
    wanted = (float(disagreed[:first].sum()) + worth * float(began.mean())) / (began.size + worth)
    wanted = min(max(wanted, LEAST_EXPECTED), 1 - LEAST_EXPECTED)
    moved = brentq(lambda shift: float(expit(odds[: began.size] + shift).mean()) - wanted, -_FURTHEST, _FURTHEST)
    return np.asarray(expit(odds + moved))
