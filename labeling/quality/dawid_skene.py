"""Dawid and Skene's model, two classes a label, all labels at once: who is right and how often, learned together.

The judgments of a project are one sparse matrix; a label adds only its ticks and what is missing of it. The expected
counts of a rater (skills.Evidence) from earlier items and from gold go into every step, so that a refit needs the
open items alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

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


class Marks(NamedTuple):
    """One kind of answer, only where it was given: most labels of most items have no tick, and cost nothing.

    at: (n_cells,) item * n_labels + label of the cells that hold any. by: (n_cells, n_raters * n_labels), how often.
    """

    at: npt.NDArray[np.int64]
    by: csr_array

    @classmethod
    def of(
        cls, items: Integers, raters: Integers, is_given: npt.NDArray[np.bool_], *, n_items: int, n_raters: int
    ) -> "Marks":
        judgment, label = np.nonzero(is_given)
        n_labels = is_given.shape[1]
        rows, columns = items[judgment].astype(np.int64) * n_labels + label, raters[judgment] * n_labels + label
        every = csr_array((np.ones(rows.size), (rows, columns)), shape=(n_items * n_labels, n_raters * n_labels))
        at = np.flatnonzero(np.diff(every.indptr))
        starts = np.append(every.indptr[at], every.nnz)
        return cls(at, csr_array((every.data, every.indices, starts), shape=(at.size, n_raters * n_labels)))

    def summed(self, of_cells: Floats) -> Floats:
        """(n_raters, n_labels): the sum over each rater's marks of what their cells hold."""
        total: Floats = (self.by.T @ of_cells.reshape(-1)[self.at]).reshape(-1, of_cells.shape[1])
        return total

    def add_to(self, of_cells: Floats, of_raters: Floats) -> None:
        """Add to each cell what its marks are worth by rater and label, in place."""
        of_cells.reshape(-1)[self.at] += self.by @ of_raters.reshape(-1)


@dataclass(frozen=True, eq=False, slots=True)
class Votes:
    """The judgments of many items, arranged for products.

    given: (n_items, n_raters), judgments. ticks: where yes was said. missing: where nothing was said of a label alone.
    """

    given: csr_array
    ticks: Marks
    missing: Marks
    n_answers: Floats  # (n_items, n_labels)
    n_yes: Floats
    answers_of: Floats  # (n_raters, n_labels)
    yes_of: Floats

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
        given = csr_array((np.ones(items.size), (items, raters)), shape=(n_items, n_raters))
        ticks, missing = (
            Marks.of(items, raters, verdicts == kind, n_items=n_items, n_raters=n_raters) for kind in (YES, MISSING)
        )
        everywhere, everybody = np.ones((n_items, verdicts.shape[1])), np.ones((n_raters, verdicts.shape[1]))
        n_answers, n_yes = given @ everybody, np.zeros_like(everywhere)
        missing.add_to(n_answers, -everybody)
        ticks.add_to(n_yes, everybody)
        answers_of = given.T @ everywhere - missing.summed(everywhere)
        return cls(given, ticks, missing, n_answers, n_yes, answers_of, ticks.summed(everywhere))

    @property
    def n_labels(self) -> int:
        return int(self.n_yes.shape[1])

    @property
    def n_raters(self) -> int:
        return int(self.given.shape[1])

    def log_odds(self, weights: Weights, prior: Floats) -> Floats:
        """(n_items, n_labels): the E-step, one product for all answers, corrected where they are yes or missing."""
        odds: Floats = self.given @ weights.no
        odds += logit(prior)
        self.ticks.add_to(odds, weights.yes - weights.no)
        self.missing.add_to(odds, -weights.no)
        return odds

    def evidence(self, p_yes: Floats) -> Evidence:
        """What each rater's answers show if label l of item i is a yes with probability p_yes[i, l] (0 or 1: gold)."""
        if p_yes.shape != self.n_yes.shape:
            raise ValueError(f"p_yes {p_yes.shape} does not match the items and labels {self.n_yes.shape}")
        on_yes = self.given.T @ p_yes - self.missing.summed(p_yes)
        on_yes = np.clip(on_yes, 0, self.answers_of)  # -1e-17 is not a count
        on_no, yes_on_yes = self.answers_of - on_yes, np.minimum(self.ticks.summed(p_yes), on_yes)
        return Evidence(on_yes, yes_on_yes, on_no, np.clip(on_no - self.yes_of + yes_on_yes, 0, on_no))


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
    unanswered = votes.n_answers == 0
    p = np.where(unanswered, 0.5, votes.n_yes / np.maximum(votes.n_answers, 1))
    for step in range(1, most_steps + 1):  # noqa: B007
        evidence, share = history + votes.evidence(p), _prior(p, unanswered) if prior is None else prior
        found = skills(evidence, pseudo_counts=pseudo_counts)
        log_odds = votes.log_odds(found.weights(), share)
        before, p = p, expit(log_odds)
        before -= p
        has_converged = max(float(before.max(initial=0)), -float(before.min(initial=0))) <= tolerance
        if has_converged:
            break
    return Fit(log_odds, votes.n_answers, share, found, evidence, has_converged, step, _unlearned(votes.n_answers))


def without_own(log_odds: Floats, items: Integers, raters: Integers, verdicts: Integers, weights: Weights) -> Floats:
    """Log odds of each judgment's item as the others see it: the judgment's own part taken away.

    log_odds: (n_items, n_labels) of all answers. items, raters: (n_judgments,); verdicts: (n_judgments, n_labels).
    Returns (n_judgments, n_labels); where the judgment says nothing of a label, all the others are all there are.
    The skills were fitted with it: its small part in them stays, only its vote goes.
    """
    said = np.where(verdicts == YES, weights.yes[raters], np.where(verdicts == MISSING, 0.0, weights.no[raters]))
    others: Floats = log_odds[items] - said
    return others


def _prior(p: Floats, unanswered: npt.NDArray[np.bool_]) -> Floats:
    total, n = p.sum(axis=0), len(p)
    if unanswered.any():
        total, n = total - np.where(unanswered, p, 0).sum(axis=0), n - unanswered.sum(axis=0)
    share: Floats = (total + _PRIOR_WORTH / 2) / (n + _PRIOR_WORTH)
    return share


def _unlearned(n: Floats) -> tuple[str | None, ...]:
    most = n.max(axis=0, initial=0)
    return tuple(NO_ANSWER if top == 0 else NO_PAIR if top < 2 else None for top in most)
