"""Skills: how well each rater finds a label and how well they leave it alone, and what one item's votes then say.

A rater with few answers is taken for the label's average rater: without that, someone who never missed a yes in three
answers would have the last word on every item (0 and 1 as error rates veto everything else).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from .cells import MISSING, NO, YES, Floats, Integers

PSEUDO_COUNTS = 5.0  # answers of the label's average rater added to each rater's own; 20 where raters have few answers
TEMPERATURE = 2.0  # until it is fitted on gold: 1.5 to 2 fits two or three answers an item, 3 fits ten

# What an average rater is taken for before anything is known, worth a few answers: most miss more than they invent.
_USUAL_SENSITIVITY, _USUAL_SPECIFICITY, _USUAL_WORTH = 0.75, 0.95, 4.0
_SMALLEST = 1e-9  # no number of answers makes anything certain
_LEAST_INFORMED = 0.05  # sensitivity + specificity of the average rater stays this far above 1: yes keeps meaning yes


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """What is known of raters: expected counts of their answers, each (n_raters, n_labels) and >= 0.

    on_yes: answers where the truth is yes. yes_on_yes: of those, the ones that said yes (<= on_yes).
    on_no: answers where the truth is no. no_on_no: of those, the ones that said no (<= on_no).
    Against gold they are whole numbers, against a consensus sums of probabilities. Counts from different items add up.
    Raises ValueError when the shapes differ.
    """

    on_yes: Floats
    yes_on_yes: Floats
    on_no: Floats
    no_on_no: Floats

    def __post_init__(self) -> None:
        shapes = {self.on_yes.shape, self.yes_on_yes.shape, self.on_no.shape, self.no_on_no.shape}
        if len(shapes) > 1 or self.on_yes.ndim != 2:
            raise ValueError(f"evidence needs four equal tables of raters by labels, not {sorted(shapes)}")

    @classmethod
    def none(cls, n_raters: int, n_labels: int) -> "Evidence":
        nothing = np.zeros((n_raters, n_labels))
        return cls(nothing, nothing, nothing, nothing)

    @property
    def n_answers(self) -> Floats:
        """(n_raters, n_labels): answers behind it."""
        return self.on_yes + self.on_no

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            self.on_yes + other.on_yes,
            self.yes_on_yes + other.yes_on_yes,
            self.on_no + other.on_no,
            self.no_on_no + other.no_on_no,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Skills:
    """P(says yes | yes) and P(says no | no) of each rater, strictly inside (0, 1), and of the label's average rater.

    sensitivity, specificity: (n_raters, n_labels). usual_sensitivity, usual_specificity: (n_labels,), with a sum > 1.
    """

    sensitivity: Floats
    specificity: Floats
    usual_sensitivity: Floats
    usual_specificity: Floats

    def of_labels(self, labels: Sequence[int]) -> "Skills":
        """Of some labels, by their columns."""
        columns = list(labels)
        return Skills(
            self.sensitivity[:, columns], self.specificity[:, columns], self.usual_sensitivity[columns],
            self.usual_specificity[columns],
        )  # fmt: skip

    def weights(self) -> "Weights":
        return _weights(self.sensitivity, self.specificity)

    def usual_weights(self) -> "Weights":
        """The weights of somebody nothing is known of: (1, n_labels)."""
        return _weights(self.usual_sensitivity[None, :], self.usual_specificity[None, :])


@dataclass(frozen=True, eq=False, slots=True)
class Weights:
    """What an answer adds to the log odds of its label: yes, no: (n_raters, n_labels), finite."""

    yes: Floats
    no: Floats

    def of(self, raters: Sequence[int] | Integers) -> "Weights":
        """The rows of these raters, one for each vote."""
        return Weights(self.yes[raters], self.no[raters])


def skills(evidence: Evidence, *, pseudo_counts: float = PSEUDO_COUNTS) -> Skills:
    """Skills from evidence, each rater's drawn towards the label's average rater.

    pseudo_counts: > 0, how many answers of the average rater are added to each rater's own.
    A label without evidence has raters who find .75 and leave alone .95. The average rater is never worse than chance:
    otherwise yes and no could change places in the fit. One rater can be, after far more answers than pseudo_counts.
    Raises ValueError when pseudo_counts is not positive.
    Source: partial pooling, as Paun et al. 2018 ("Comparing Bayesian Models of Annotation") do by sampling.
    """
    if not pseudo_counts > 0:
        raise ValueError(f"pseudo_counts {pseudo_counts} must be positive: error rates of 0 and 1 veto everything else")
    specificity = _pooled(evidence.no_on_no, evidence.on_no, _USUAL_SPECIFICITY)
    sensitivity = _pooled(evidence.yes_on_yes, evidence.on_yes, _USUAL_SENSITIVITY)
    sensitivity = np.maximum(sensitivity, np.minimum(1 + _LEAST_INFORMED - specificity, (2 - specificity) / 2))
    return Skills(
        _inside((evidence.yes_on_yes + pseudo_counts * sensitivity) / (evidence.on_yes + pseudo_counts)),
        _inside((evidence.no_on_no + pseudo_counts * specificity) / (evidence.on_no + pseudo_counts)),
        sensitivity,
        specificity,
    )


def item_log_odds(verdicts: Integers, weights: Weights, prior: Floats) -> Floats:
    """Log odds of each label of one item, from its votes: cheap enough for the transaction of an answer.

    verdicts: (n_votes, n_labels): 1 yes, 0 no, -1 unsure or not asked (says nothing of that label alone).
    weights: (n_votes, n_labels), the row of the rater of each vote. prior: (n_labels,) strictly inside (0, 1).
    Returns (n_labels,), finite; without a vote on a label it is the prior's. Raises ValueError when shapes differ.
    Source: Dawid & Skene 1979, equation 2.5, with two classes.
    """
    if not verdicts.shape == weights.yes.shape == weights.no.shape or prior.shape != verdicts.shape[1:]:
        raise ValueError(f"verdicts {verdicts.shape} do not match weights {weights.yes.shape}, prior {prior.shape}")
    said = (verdicts == YES) * weights.yes + (verdicts == NO) * weights.no
    odds: Floats = logit(prior) + said.sum(axis=0)
    return odds


def calibrated(log_odds: Floats, temperature: float | Floats = TEMPERATURE) -> Floats:
    """P(yes) from log odds that are too sure of themselves: sigmoid(log odds / temperature), strictly inside (0, 1).

    log_odds: (..., n_labels). temperature: > 0, one for all labels or (n_labels,). Raises ValueError for other values.
    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", temperature scaling.
    """
    if not np.all(np.asarray(temperature) > 0):
        raise ValueError(f"temperature {temperature} must be positive")
    return _inside(expit(log_odds / temperature))


def item_probabilities(
    verdicts: Integers, weights: Weights, prior: Floats, *, temperature: float | Floats = TEMPERATURE
) -> Floats:
    """Calibrated P(yes) of each label of one item: (n_labels,), strictly inside (0, 1). See `item_log_odds`."""
    return calibrated(item_log_odds(verdicts, weights, prior), temperature)


def vote_probabilities(verdicts: Integers, *, worth: float = 1.0, prior: Floats | None = None) -> Floats:
    """P(yes) of each label by counting heads, for as long as nobody knows the raters: (n_labels,).

    verdicts: (n_votes, n_labels): 1, 0, -1. worth: > 0, how many votes the prior (half and half unless given) is worth.
    (yes + worth * prior) / (votes + worth): strictly inside (0, 1); without a vote the prior.
    Source: rule of succession, with the Jeffreys weight of one vote.
    """
    prior = np.full(verdicts.shape[1], 0.5) if prior is None else prior
    yes, n = (verdicts == YES).sum(axis=0), (verdicts != MISSING).sum(axis=0)
    p: Floats = (yes + worth * prior) / (n + worth)
    return p


def expected_error(p: Floats) -> Floats:
    """How likely the likelier answer is wrong: min(p, 1 - p), in [0, .5], of the shape of p."""
    error: Floats = np.minimum(p, 1 - p)
    return error


def expected_harm(p: Floats, severity: Floats) -> Floats:
    """Expected label errors of each item, by severity: sum over labels of severity * min(p, 1 - p).

    p: (..., n_labels). severity: (n_labels,) >= 0, 1 = an ordinary label. Returns (...). Raises ValueError on shapes.
    """
    if severity.shape != p.shape[-1:]:
        raise ValueError(f"severity {severity.shape} does not match p {p.shape}")
    harm: Floats = expected_error(p) @ severity
    return harm


def _inside(share: Floats) -> Floats:
    inside: Floats = np.clip(share, _SMALLEST, 1 - _SMALLEST)
    return inside


def _pooled(right: Floats, of: Floats, usual: float) -> Floats:
    share: Floats = (right.sum(axis=0) + _USUAL_WORTH * usual) / (of.sum(axis=0) + _USUAL_WORTH)
    return share


def _weights(sensitivity: Floats, specificity: Floats) -> Weights:
    return Weights(np.log(sensitivity / (1 - specificity)), np.log((1 - sensitivity) / specificity))
