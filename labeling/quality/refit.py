"""A refit: raters and labels learned from all votes, corrected by what people decided, and no surer than they deserve.

Decided labels are known answers. They correct what is known of the raters, and fit the temperature; there the odds come
from a model that knows the answers of other pages alone, so that nothing is measured on what it was taught.
"""

from typing import NamedTuple

import numpy as np

from .calibration import (
    NOTHING_KNOWN,
    Bin,
    Temperature,
    calibration_error,
    fit_temperature,
    log_loss,
    reliability,
)
from .cells import MISSING, YES, Floats, Integers, check_verdicts
from .dawid_skene import Fit, Votes, fit
from .intervals import Estimate, undefined
from .skills import PSEUDO_COUNTS, Evidence, Skills, calibrated, expected_error, skills

FOLDS = 2
_SMALLEST = 1e-6  # no share of yes is 0 or 1


class Calibration(NamedTuple):
    """How the probabilities fare on decided labels: points of a plot, mean log loss, distance from the diagonal."""

    bins: tuple[Bin, ...]
    log_loss: Estimate
    error: Estimate


class Refit(NamedTuple):
    """log_odds: (n_items, n_labels), from the votes alone, before the temperature. prior: (n_labels,) share of yes.

    evidence, skills: of the raters, decisions and history counted. fit: the model before any decision was known.
    """

    fit: Fit
    evidence: Evidence
    skills: Skills
    prior: Floats
    log_odds: Floats
    temperature: Temperature
    calibration: Calibration

    def p(self) -> Floats:
        """(n_items, n_labels): calibrated P(yes), strictly inside (0, 1)."""
        return calibrated(self.log_odds, self.temperature.value)

    def mean_errors(self) -> tuple[Estimate, ...]:
        """Of each label: how likely the likelier answer is wrong, on a mean page that has one; without an interval."""
        error, answered = expected_error(self.p()), self.fit.n_answers > 0
        n = answered.sum(axis=0)
        total = np.where(answered, error, 0.0).sum(axis=0)
        return tuple(
            Estimate(float(total[label] / of), None, None, n=int(of)) if of else undefined("nobody answered it")
            for label, of in enumerate(n)
        )


def refit(
    items: Integers, raters: Integers, verdicts: Integers, truth: Integers, *, n_raters: int,
    history: Evidence | None = None, pseudo_counts: float = PSEUDO_COUNTS,
) -> Refit:  # fmt: skip
    """Learn from one row for each current judgment, and from what was decided.

    items, raters: (n_judgments,) indices from 0. verdicts: (n_judgments, n_labels): 1 yes, 0 no, -1 unsure or missing.
    truth: (n_items, n_labels): 1 and 0 where a person decided, else -1. history: evidence on the same raters and labels
    from pages that are not among these. Raises ValueError when shapes, codes or indices are wrong.
    """
    check_verdicts(items, verdicts)
    if truth.ndim != 2 or truth.shape[1:] != verdicts.shape[1:]:
        raise ValueError(f"truth {truth.shape} does not match verdicts {verdicts.shape}")
    votes = Votes.of(items, raters, verdicts, n_items=len(truth), n_raters=n_raters)
    truth = np.where(votes.n_answers > 0, truth, MISSING)  # what nobody answered measures no answer
    found = fit(votes, history=history, pseudo_counts=pseudo_counts)
    decided = np.flatnonzero((truth != MISSING).any(axis=1))
    known = _Decided.of(items, raters, verdicts, truth, decided, n_raters=n_raters)
    odds = known.odds_from_others(found, pseudo_counts=pseudo_counts)
    temperature = fit_temperature(odds, known.truth)
    evidence, prior = known.corrected(found)
    learned = skills(evidence, pseudo_counts=pseudo_counts)
    log_odds = votes.log_odds(learned.weights(), prior) if decided.size else found.log_odds
    p = calibrated(odds, temperature.value)
    return Refit(found, evidence, learned, prior, log_odds, temperature, _calibration(p, known.truth))


def _calibration(p: Floats, truth: Integers) -> Calibration:
    if not (truth != MISSING).any():
        return Calibration((), undefined(NOTHING_KNOWN), undefined(NOTHING_KNOWN))
    return Calibration(reliability(p, truth), log_loss(p, truth), calibration_error(p, truth))


class _Decided(NamedTuple):
    """The pages on which something was decided, by themselves: few beside all, so that what they add costs little."""

    items: Integers  # (n_rows,) index into rows of `truth`
    raters: Integers
    verdicts: Integers
    truth: Integers  # (n_decided, n_labels)
    at: Integers  # (n_decided,) their place among all items
    n_raters: int

    @classmethod
    def of(
        cls, items: Integers, raters: Integers, verdicts: Integers, truth: Integers, decided: Integers, *, n_raters: int
    ) -> "_Decided":
        place = np.full(len(truth), -1)
        place[decided] = np.arange(decided.size)
        rows = np.flatnonzero(place[items] >= 0) if items.size else np.zeros(0, dtype=np.int64)
        return cls(place[items[rows]], raters[rows], verdicts[rows], truth[decided], decided, n_raters)

    def where(self, chosen: Integers) -> "_Decided":
        """Some of the pages: indices in growing order."""
        place = np.full(len(self.truth), -1)
        place[chosen] = np.arange(chosen.size)
        rows = place[self.items] >= 0
        return _Decided(
            place[self.items[rows]], self.raters[rows], self.verdicts[rows], self.truth[chosen], self.at[chosen],
            self.n_raters,
        )  # fmt: skip

    @property
    def votes(self) -> Votes:
        return Votes.of(self.items, self.raters, self.verdicts, n_items=len(self.truth), n_raters=self.n_raters)

    def corrected(self, found: Fit) -> tuple[Evidence, Floats]:
        """Evidence and share of yes, with what was decided here in place of what the model supposed."""
        if not self.truth.size:
            return found.evidence, found.prior
        supposed = found.p(1.0)[self.at]
        settled = np.where(self.truth == MISSING, supposed, self.truth == YES)
        votes = self.votes
        before, after = votes.evidence(supposed), votes.evidence(settled)
        answered = (found.n_answers > 0).sum(axis=0)
        here = found.n_answers[self.at] > 0
        moved = np.where(here, settled - supposed, 0.0).sum(axis=0) / np.maximum(answered, 1)
        return _moved(found.evidence, before, after), np.clip(found.prior + moved, _SMALLEST, 1 - _SMALLEST)

    def odds_from_others(self, found: Fit, *, pseudo_counts: float) -> Floats:
        """(n_decided, n_labels) log odds of these pages, each from a model that knows the decisions on others alone."""
        odds = np.zeros(self.truth.shape)
        every = np.arange(len(self.truth))
        for fold in range(FOLDS):
            inside = every[every % FOLDS == fold]
            evidence, prior = self.where(every[every % FOLDS != fold]).corrected(found)
            weights = skills(evidence, pseudo_counts=pseudo_counts).weights()
            odds[inside] = self.where(inside).votes.log_odds(weights, prior)
        return odds


def _moved(evidence: Evidence, before: Evidence, after: Evidence) -> Evidence:
    on_yes = np.maximum(evidence.on_yes - before.on_yes + after.on_yes, 0)
    on_no = np.maximum(evidence.on_no - before.on_no + after.on_no, 0)
    yes_on_yes = np.clip(evidence.yes_on_yes - before.yes_on_yes + after.yes_on_yes, 0, on_yes)
    return Evidence(on_yes, yes_on_yes, on_no, np.clip(evidence.no_on_no - before.no_on_no + after.no_on_no, 0, on_no))
