"""Adaptive overlap: which items are settled, which are worth one more judgment, and which need a person to decide.

Every item gets a few judgments by different people; further ones go where the calibrated probabilities are most likely
wrong. That moves judgments to contested items, so agreement must be computed on the first ones alone.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .cells import Floats, Integers
from .skills import expected_error, expected_harm

Mask = npt.NDArray[np.bool_]

ENOUGH_TO_KNOW = 3  # judgments; below, probabilities from raters without history rank worse than their votes do
STOP_BY_SEVERITY = {1: 0.3, 2: 0.25, 3: 0.2, 4: 0.1}  # .3 does for training data, .2 for gold, .1 for self-harm


class Step(IntEnum):
    SETTLED = 0
    ONE_MORE = 1
    ADJUDICATE = 2


class Reason(IntEnum):
    """Why. The label it is about is in the plan; the words for people are made where they are shown."""

    CLEAR = 0  # every label's expected error is below its threshold
    UNANIMOUS = 1  # nobody is known yet, and all votes of every label are alike
    TOO_FEW = 2  # fewer judgments than every item gets
    AUDIT = 3  # settled, and drawn to keep the probabilities honest
    VOTES_DIFFER = 4
    NOBODY_KNEW = 5  # judged, and every answer to the label was unsure
    LIKELY_WRONG = 6  # the label's expected error is not below its threshold
    RARE_YES = 7  # a yes on a label so rare that every one is looked at


@dataclass(frozen=True, eq=False, slots=True)
class Policy:
    """start: judgments every item gets, >= 1. most: judgments before a person decides, >= start.

    stop: (n_labels,) expected error below which a label is settled, inside (0, .5].
    severity: (n_labels,) >= 0, 1 = ordinary: what an error of the label weighs. Raises ValueError otherwise.
    """

    stop: Floats
    severity: Floats
    start: int = 2
    most: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.start <= self.most:
            raise ValueError(f"{self.start} judgments at the start and {self.most} at most: needs 1 <= start <= most")
        if self.stop.ndim != 1 or self.stop.shape != self.severity.shape:
            raise ValueError(f"stop {self.stop.shape} does not match severity {self.severity.shape}")
        if not np.all((self.stop > 0) & (self.stop <= 0.5)) or not np.all(self.severity >= 0):
            raise ValueError("stop thresholds lie in (0, .5], severities are not negative")

    @classmethod
    def for_severities(cls, severities: npt.ArrayLike, *, start: int = 2, most: int = 5) -> "Policy":
        """The policy of a project that set nothing by hand: severities of 1 (minor) to 4 (grave) for each label."""
        levels = np.asarray(severities, dtype=np.int64)
        stop = np.array([STOP_BY_SEVERITY[int(level)] for level in levels])
        return cls(stop, levels.astype(np.float64), start, most)


@dataclass(frozen=True, eq=False, slots=True)
class Collected:
    """What has been collected on n items. Raises ValueError when shapes do not match.

    p: (n_items, n_labels) calibrated P(yes). n_judgments: (n_items,), by different people.
    n_answers, n_yes: (n_items, n_labels); unsure is no answer. is_known: (n_items,) whether every rater of the item has
    a history. is_drawn_for_audit: (n_items,) drawn for the audit share and not given the additional judgment yet.
    """

    p: Floats
    n_judgments: Integers
    n_answers: Integers
    n_yes: Integers
    is_known: Mask
    is_drawn_for_audit: Mask | None = None

    def __post_init__(self) -> None:
        of_items, audit = {self.n_judgments.shape, self.is_known.shape}, self.is_drawn_for_audit
        if {self.p.shape, self.n_answers.shape, self.n_yes.shape} != {self.p.shape} or of_items != {self.p.shape[:1]}:
            raise ValueError(f"counts do not match p {self.p.shape}")
        if audit is not None and audit.shape != self.n_judgments.shape:
            raise ValueError(f"the audit draw {audit.shape} does not match {self.n_judgments.shape}")


class Plan(NamedTuple):
    """Of each item, (n_items,): the Step, the Reason, the label it is about (-1: none), and the expected harm.

    Judgments and adjudicators go to the largest harm first: severity * P(likelier answer wrong), summed over labels.
    """

    step: Integers
    reason: Integers
    label: Integers
    harm: Floats


def plan(collected: Collected, policy: Policy, *, confirm_yes: Mask | None = None) -> Plan:
    """What is next for each item.

    confirm_yes: (n_labels,) labels of which every yes goes to a person once the item has its first judgments.
    Until every rater has a history or the item has 3 judgments, votes decide: any label on which they differ is open,
    because the probabilities of unknown raters say less there than the votes do.
    Raises ValueError when the labels do not match.
    """
    seen = collected
    if seen.p.shape[1:] != policy.stop.shape:
        raise ValueError(f"p {seen.p.shape} does not match {policy.stop.size} labels")
    error, split = expected_error(seen.p), (seen.n_yes > 0) & (seen.n_yes < seen.n_answers)
    trusted = seen.is_known | (seen.n_judgments >= ENOUGH_TO_KNOW)
    unanswered = seen.n_answers == 0
    is_open = unanswered | np.where(trusted[:, None], error >= policy.stop, split)
    any_open = any_label(is_open)
    by_votes = np.where(split | unanswered, 0.5, 0.0)  # an even split is the most that votes can be in doubt
    harm = np.where(trusted, expected_harm(seen.p, policy.severity), by_votes @ policy.severity)
    doubt = np.where(trusted[:, None], error, by_votes)
    worst = _largest(np.where(is_open, doubt * np.maximum(policy.severity, 1e-9), -1.0))
    rows = np.arange(len(worst))
    why_open = np.where(trusted, Reason.LIKELY_WRONG, Reason.VOTES_DIFFER)
    why_open = np.where(unanswered[rows, worst], Reason.NOBODY_KNEW, why_open) if worst.size else why_open

    step = np.where(any_open, np.where(seen.n_judgments >= policy.most, Step.ADJUDICATE, Step.ONE_MORE), Step.SETTLED)
    reason = np.where(any_open, why_open, np.where(trusted, Reason.CLEAR, Reason.UNANIMOUS))
    label = np.where(any_open, worst, -1)
    if confirm_yes is not None:
        rare: Mask = (seen.n_yes > 0) & confirm_yes
        step, reason, label = _where(any_label(rare), (Step.ADJUDICATE, Reason.RARE_YES, rare.argmax(axis=1)),
                                     (step, reason, label))  # fmt: skip
    if seen.is_drawn_for_audit is not None:
        audited: Mask = (step == Step.SETTLED) & seen.is_drawn_for_audit
        step, reason, label = _where(audited, (Step.ONE_MORE, Reason.AUDIT, -1), (step, reason, label))
    too_few: Mask = np.less(seen.n_judgments, policy.start)
    return Plan(*_where(too_few, (Step.ONE_MORE, Reason.TOO_FEW, -1), (step, reason, label)), harm)


def most_worthwhile(found: Plan, n: int) -> Integers:
    """Indices of at most n items that want one more judgment: unfinished starts first, then by expected harm."""
    wanting = np.flatnonzero(found.step == Step.ONE_MORE)
    started = found.reason[wanting] != Reason.TOO_FEW
    return wanting[np.lexsort((-found.harm[wanting], started))][:n]


def any_label(mask: Mask) -> Mask:
    any_label: Mask = np.logical_or.reduce(mask, axis=1)
    return any_label


def _largest(values: Floats) -> Integers:
    return values.argmax(axis=1) if values.size else np.zeros(len(values), dtype=np.int64)


def _where(
    mask: Mask, then: tuple[int | Integers, ...], otherwise: tuple[Integers, ...]
) -> tuple[Integers, Integers, Integers]:
    step, reason, label = (np.where(mask, new, old) for new, old in zip(then, otherwise, strict=True))
    return step, reason, label
