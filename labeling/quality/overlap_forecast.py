"""What a policy of adaptive overlap would come to, before it is switched on: played through from answers there are."""

from dataclasses import dataclass

import numpy as np

from .cells import Floats, Integers
from .intervals import Estimate, mean, proportion
from .overlap import Mask, Policy, any_label
from .skills import TEMPERATURE, Skills, calibrated, expected_error, expected_harm

NO_PAGE = "no page was played through"


@dataclass(frozen=True, eq=False, slots=True)
class Pilot:
    """Items after the first `policy.start` judgments of each.

    log_odds: (n_items, n_labels) before the temperature, n_items >= 1. said_yes, said_no: same shape, whether anybody
    did. skills: of the raters, n_raters >= 1. Raises ValueError when shapes do not match, or without item or rater.
    """

    log_odds: Floats
    said_yes: Mask
    said_no: Mask
    skills: Skills

    def __post_init__(self) -> None:
        if self.log_odds.ndim != 2 or not self.log_odds.shape == self.said_yes.shape == self.said_no.shape:
            raise ValueError(f"log odds {self.log_odds.shape} do not match answers {self.said_yes.shape}")
        if self.skills.sensitivity.shape[1:] != self.log_odds.shape[1:]:
            raise ValueError(f"log odds {self.log_odds.shape} and skills are of different labels")
        if not len(self.log_odds) or not len(self.skills.sensitivity):
            raise ValueError("a forecast needs a pilot with an item and a rater")


@dataclass(frozen=True, eq=False, slots=True)
class Forecast:
    """Of each item of the pilot: judgments (n_items,), is_adjudicated (n_items,), error (n_items, n_labels), the
    expected error of each label, 0 where a person decides."""

    n_judgments: Integers
    is_adjudicated: Mask
    error: Floats

    @property
    def judgments(self) -> Estimate:
        """Judgments an item; its interval, like the others, is that of the items alone and takes the model for true."""
        n = self.n_judgments
        return mean(n.size, float(n.sum()), float((n**2).sum()), nothing=NO_PAGE)

    @property
    def adjudicated(self) -> Estimate:
        """Share of items that end with a person."""
        return proportion(int(self.is_adjudicated.sum()), self.is_adjudicated.size)

    @property
    def wrong(self) -> Estimate:
        """Expected wrong labels an item."""
        wrong = self.error.sum(axis=1)
        return mean(wrong.size, float(wrong.sum()), float((wrong**2).sum()), nothing=NO_PAGE)

    @property
    def label_errors(self) -> Floats:
        """(n_labels,): expected error of each label, the mean over items."""
        error: Floats = self.error.mean(axis=0)
        return error


def forecast(
    pilot: Pilot, policy: Policy, *, rng: np.random.Generator, temperature: float | Floats = TEMPERATURE,
    confirm_yes: Mask | None = None, budget: float | None = None, decides_splits: bool = False,
) -> Forecast:  # fmt: skip
    """Expected error and cost of a policy.

    One of the pilot's raters, drawn anew, gives each further judgment; truths are drawn from the calibrated
    probabilities, answers from truths and skills; raters count as known. confirm_yes: (n_labels,) labels of which every
    yes goes to a person. budget: judgments an item on the average at most, spent on the open items of the largest
    expected harm; None: every open item gets one. decides_splits: a person decides whatever people differ on in the
    end, also where the probabilities are clear.
    It supposes that people err independently once the truth is fixed. Where some items are hard for everybody, more of
    them stay open than it says: the temperature makes up for a part.
    Raises ValueError when the policy is of other labels.
    """
    if policy.stop.shape != pilot.log_odds.shape[1:]:
        raise ValueError(f"log odds {pilot.log_odds.shape} do not match {policy.stop.size} labels")
    log_odds, weights = pilot.log_odds.copy(), pilot.skills.weights()
    said_yes, said_no = pilot.said_yes.copy(), pilot.said_no.copy()
    truth = rng.random(log_odds.shape) < calibrated(log_odds, temperature)
    n = np.full(len(log_odds), policy.start)
    left = np.inf if budget is None else int(budget * len(n)) - int(n.sum())
    confirmed = np.zeros(log_odds.shape[1], dtype=bool) if confirm_yes is None else confirm_yes
    while True:
        p = calibrated(log_odds, temperature)
        error = expected_error(p)
        goes_to_a_person = any_label(said_yes & confirmed)
        is_open = any_label(error >= policy.stop) & ~goes_to_a_person
        more = np.flatnonzero(is_open & (n < policy.most))
        if more.size > left:
            harm = expected_harm(p[more], policy.severity)
            more = more[np.argsort(-harm, kind="stable")[: max(int(left), 0)]]
        if not more.size:
            break
        raters = rng.integers(len(pilot.skills.sensitivity), size=more.size)
        p_yes = np.where(truth[more], pilot.skills.sensitivity[raters], 1 - pilot.skills.specificity[raters])
        says_yes = rng.random(p_yes.shape) < p_yes
        log_odds[more] += np.where(says_yes, weights.yes[raters], weights.no[raters])
        said_yes[more] |= says_yes
        said_no[more] |= ~says_yes
        n[more] += 1
        left -= more.size
    decided = is_open | goes_to_a_person | (any_label(said_yes & said_no) & decides_splits)
    return Forecast(n, decided, np.where(decided[:, None], 0.0, error))
