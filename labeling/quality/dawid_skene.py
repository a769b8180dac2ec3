"""Dawid and Skene's model, two classes a label, all labels at once: who is right and how often, learned together.

The judgments of a project are one sparse matrix; a label adds only its ticks and what is missing of it. The expected
counts of a rater (skills.Evidence) from earlier items and from gold go into every step, so that a refit needs the
open items alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import expit, logit

from .agreement import NO_ANSWER, NO_PAIR
from .cells import MISSING, YES, Floats, Integers, check_verdicts
from .skills import PSEUDO_COUNTS, TEMPERATURE, Evidence, Skills, Weights, calibrated, skills

TOLERANCE = 0.01  # largest change of a probability; .001 takes twice to five times the steps to the same verdicts
MOST_STEPS = 500
_PRIOR_WORTH = 1.0  # one item, half yes: an estimated prior is never 0 or 1


@dataclass(frozen=True, eq=False, slots=True)
class Votes:
    """The judgments of many items, arranged for products: rows are items, columns raters.

    given: (n_items, n_raters), judgments. ticks, missing: (n_items * n_labels, n_raters * n_labels), block by block;
    `missing` is None when every judgment answers every label.
    """

    given: csr_array
    ticks: csr_array
    missing: csr_array | None
    n_labels: int

    @classmethod
    def of(cls, items: Integers, raters: Integers, verdicts: Integers, *, n_items: int, n_raters: int) -> "Votes":
        """From one row for each current judgment.

        items, raters: (n_judgments,) indices from 0. verdicts: (n_judgments, n_labels): 1 yes, 0 no, -1 unsure or not
        asked (missing for that label alone). A pair of item and rater that comes twice counts twice.
        Raises ValueError for other shapes, codes or indices.
        """
        check_verdicts(items, verdicts)
        if raters.shape != items.shape:
            raise ValueError(f"raters {raters.shape} does not match items {items.shape}")
        if items.size and (raters.min() < 0 or raters.max() >= n_raters or items.max() >= n_items):
            raise ValueError(f"indices must lie below {n_items} items and {n_raters} raters")
        n_labels = verdicts.shape[1]
        given = csr_array((np.ones(items.size), (items, raters)), shape=(n_items, n_raters))

        def cells(of: int) -> csr_array:
            judgment, label = np.nonzero(verdicts == of)
            rows, columns = items[judgment] * n_labels + label, raters[judgment] * n_labels + label
            return csr_array((np.ones(rows.size), (rows, columns)), shape=(n_items * n_labels, n_raters * n_labels))

        return cls(given, cells(YES), cells(MISSING) if np.any(verdicts == MISSING) else None, n_labels)

    @property
    def n_items(self) -> int:
        return int(self.given.shape[0])

    @property
    def n_raters(self) -> int:
        return int(self.given.shape[1])

    def log_odds(self, weights: Weights, prior: Floats) -> Floats:
        """(n_items, n_labels): the E-step, one product for all answers, corrected where they are yes or missing."""
        odds: Floats = self.given @ weights.no
        flat = odds.reshape(-1)
        flat += self.ticks @ (weights.yes - weights.no).reshape(-1)
        if self.missing is not None:
            flat -= self.missing @ weights.no.reshape(-1)
        odds += logit(prior)
        return odds

    def evidence(self, p_yes: Floats) -> Evidence:
        """What each rater's answers show if label l of item i is a yes with probability p_yes[i, l] (0 or 1: gold)."""
        if p_yes.shape != (self.n_items, self.n_labels):
            raise ValueError(f"p_yes {p_yes.shape} does not match {self.n_items} items, {self.n_labels} labels")
        shape = self.n_raters, self.n_labels
        flat = np.ascontiguousarray(p_yes).reshape(-1)
        on_yes, yes_on_yes = self.given.T @ p_yes, (self.ticks.T @ flat).reshape(shape)
        n = np.repeat(self.given.sum(axis=0)[:, None], self.n_labels, axis=1)
        if self.missing is not None:
            on_yes = on_yes - (self.missing.T @ flat).reshape(shape)
            n = n - self.missing.sum(axis=0).reshape(shape)
        said_yes = self.ticks.sum(axis=0).reshape(shape)
        on_yes, yes_on_yes = np.maximum(on_yes, 0), np.maximum(yes_on_yes, 0)  # -1e-17 is not a count
        on_no = np.maximum(n - on_yes, 0)
        return Evidence(on_yes, yes_on_yes, on_no, np.clip(on_no - said_yes + yes_on_yes, 0, on_no))

    def counts(self) -> tuple[Floats, Floats]:
        """Answers and yes answers, each (n_items, n_labels)."""
        shape = self.n_items, self.n_labels
        n = np.repeat(self.given.sum(axis=1)[:, None], self.n_labels, axis=1)
        if self.missing is not None:
            n = n - self.missing.sum(axis=1).reshape(shape)
        return n, self.ticks.sum(axis=1).reshape(shape)


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """What the votes come to.

    log_odds: (n_items, n_labels), finite, before the temperature: `p` divides by it. Where nobody answered a label of
    an item, they are the prior's, and n_answers (n_items, n_labels) is 0.
    prior: (n_labels,) share of yes, strictly inside (0, 1). evidence: from these items and the history.
    has_converged: whether the last step changed no probability by more than the tolerance; n_steps: how many it took.
    unlearned: one entry a label: None, or why these votes teach nothing of it and history and defaults speak alone.
    """

    log_odds: Floats
    n_answers: Floats
    prior: Floats
    skills: Skills
    evidence: Evidence
    has_converged: bool
    n_steps: int
    unlearned: tuple[str | None, ...]

    def p(self, temperature: float | Floats = TEMPERATURE) -> Floats:
        """(n_items, n_labels): calibrated P(yes), strictly inside (0, 1)."""
        return calibrated(self.log_odds, temperature)


def fit(
    votes: Votes,
    *,
    history: Evidence | None = None,
    prior: Floats | None = None,
    pseudo_counts: float = PSEUDO_COUNTS,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
) -> Fit:
    """Fit every label by expectation maximisation, from the votes' shares.

    history: evidence on the same raters and labels from other items or gold, not from these.
    prior: (n_labels,) strictly inside (0, 1), held fixed (a design-weighted or declared prevalence); estimated from
    the items with an answer when None, which is right only where these items are what the prevalence is wanted of.
    pseudo_counts: see `skills`. Stops when no probability changes by more than tolerance, or after most_steps.
    Raises ValueError when shapes do not match, or a prior is not strictly inside (0, 1).
    Source: Dawid & Skene 1979, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm".
    """
    history = Evidence.none(votes.n_raters, votes.n_labels) if history is None else history
    if history.on_yes.shape != (votes.n_raters, votes.n_labels):
        raise ValueError(f"history {history.on_yes.shape} is not of {votes.n_raters} raters, {votes.n_labels} labels")
    if prior is not None and (prior.shape != (votes.n_labels,) or not np.all((prior > 0) & (prior < 1))):
        raise ValueError("a prior is one share a label, strictly between 0 and 1")
    n, k = votes.counts()
    answered = n > 0
    p = np.where(answered, k / np.maximum(n, 1), 0.5)
    for step in range(1, most_steps + 1):  # noqa: B007
        evidence, share = history + votes.evidence(p), _prior(p, answered) if prior is None else prior
        found = skills(evidence, pseudo_counts=pseudo_counts)
        log_odds = votes.log_odds(found.weights(), share)
        before, p = p, expit(log_odds)
        has_converged = not p.size or float(np.abs(p - before, where=answered, out=np.zeros_like(p)).max()) <= tolerance
        if has_converged:
            break
    return Fit(log_odds, n, share, found, evidence, has_converged, step, _unlearned(n))


def without_own(log_odds: Floats, items: Integers, raters: Integers, verdicts: Integers, weights: Weights) -> Floats:
    """Log odds of each judgment's item as the others see it: the judgment's own part taken away.

    log_odds: (n_items, n_labels) of all answers. items, raters: (n_judgments,); verdicts: (n_judgments, n_labels).
    Returns (n_judgments, n_labels); where the judgment says nothing of a label, all the others are all there are.
    The skills were fitted with it: its small part in them stays, only its vote goes.
    """
    said = np.where(verdicts == YES, weights.yes[raters], np.where(verdicts == MISSING, 0.0, weights.no[raters]))
    others: Floats = log_odds[items] - said
    return others


def _prior(p: Floats, answered: npt.NDArray[np.bool_]) -> Floats:
    share: Floats = ((p * answered).sum(axis=0) + _PRIOR_WORTH / 2) / (answered.sum(axis=0) + _PRIOR_WORTH)
    return share


def _unlearned(n: Floats) -> tuple[str | None, ...]:
    most = n.max(axis=0, initial=0)
    return tuple(NO_ANSWER if top == 0 else NO_PAIR if top < 2 else None for top in most)
