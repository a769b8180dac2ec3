"""Anchoring: what it does to people's answers to be shown a model's suggestion.

What the model says is kept for every page that is given out, and a coin that nobody can foresee decides who is shown
it. The hidden half is therefore the base line: what the same people say on such pages when nothing is shown.

**Wrong is what others say who were shown nothing.** A suggestion counts as wrong on a label where the answers of other
people, given without a suggestion, have another majority, or where the page's answer is known. Neither the consensus
nor an adjudicator's decision will do, for both rest on the answer that is looked at: where everyone accepted a wrong
suggestion the consensus is that suggestion, and a page comes before an adjudicator because somebody did not accept it.
The reference here is the same whatever the person said, and of two answers to one page each is held against the other
only where the other was blind. Those others err too: the rates are "agreed with a suggestion that others contradict",
and among those suggestions are some that were right.

**Intervals** allow for answers that belong together: those of one person, and those to one page. The variance of a rate
counts pairs within a person and within a page (Cameron, Gelbach & Miller 2011, "Robust Inference With Multiway
Clustering"); by it n shrinks to the number of independent answers that would know as much, and the interval is Wilson's
at that number with Student's t for the smaller number of groups. The difference is Newcombe's (1998, "Interval
estimation for the difference between independent proportions", method 10). It takes the halves as independent though
the same people stand in both, who differ alike in both: that makes it longer. Simulated with 4 to 20 people who differ,
rates are covered 92 to 99 times in 100 and differences 96 times or more. With fewer than two people in a half, or ten
answers, nothing is said.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from .intervals import LEVEL, Estimate, undefined

YES, NO, UNSURE, NOTHING = 1, 0, -1, -2
FEWEST_ANSWERS = 10
FEWEST_PEOPLE = 2

Codes = npt.NDArray[np.int8]
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Halves:
    """One rate in both halves, and the first less the second."""

    shown: Estimate
    hidden: Estimate
    shift: Estimate


@dataclass(frozen=True, slots=True)
class Anchoring:
    """accepted: rate of verdicts equal to a wrong suggestion; accepted_yes, accepted_no: where it wrongly said that.

    yes_after_yes, yes_after_no: rate of yes where the suggestion says yes, or no: right or wrong, so without reference.
    """

    accepted: Halves
    accepted_yes: Halves
    accepted_no: Halves
    yes_after_yes: Halves
    yes_after_no: Halves


@dataclass(frozen=True, eq=False)
class Answers:
    """One row an answer. persons, items: (n,) indices; shown: (n,). The others: (n, n_labels) codes.

    suggested: YES, NO, or NOTHING where the model says nothing. verdicts: YES, NO, UNSURE, or NOTHING where not asked.
    reference: YES, NO, or NOTHING where others have said nothing or are divided. Raises ValueError for other shapes.
    """

    persons: Indices
    items: Indices
    shown: Mask
    suggested: Codes
    verdicts: Codes
    reference: Codes

    def __post_init__(self) -> None:
        n = len(self.persons)
        if self.items.shape != (n,) or self.shown.shape != (n,) or self.suggested.shape[:1] != (n,):
            raise ValueError("persons, items, shown and suggested must be about the same answers")
        if not self.suggested.shape == self.verdicts.shape == self.reference.shape:
            raise ValueError("suggested, verdicts and reference must have one shape")


def measure(answers: Answers, *, label: int | None = None, level: float = LEVEL) -> Anchoring:
    """The rates of one label, or pooled over all of them (a verdict is then the unit, a person and a page the group).

    An unsure verdict accepts nothing and is no yes.
    """
    columns = slice(None) if label is None else slice(label, label + 1)
    suggested, said, reference = (part[:, columns] for part in (answers.suggested, answers.verdicts, answers.reference))
    about = (suggested != NOTHING) & (said != NOTHING)
    is_wrong = about & (reference != NOTHING) & (reference != suggested)
    accepts, says_yes = said == suggested, said == YES

    def halves(where: Mask, outcome: Mask) -> Halves:
        return _halves(answers, where, outcome, level)

    return Anchoring(
        accepted=halves(is_wrong, accepts),
        accepted_yes=halves(is_wrong & (suggested == YES), accepts),
        accepted_no=halves(is_wrong & (suggested == NO), accepts),
        yes_after_yes=halves(about & (suggested == YES), says_yes),
        yes_after_no=halves(about & (suggested == NO), says_yes),
    )


def _halves(answers: Answers, where: Mask, outcome: Mask, level: float) -> Halves:
    shown = answers.shown[:, None]
    with_it, without = (_of_half(answers, where & half, outcome, level) for half in (shown, ~shown))
    return Halves(with_it, without, difference(with_it, without))


def _of_half(answers: Answers, where: Mask, outcome: Mask, level: float) -> Estimate:
    rows, _ = np.nonzero(where)
    return clustered_rate(outcome[where], persons=answers.persons[rows], items=answers.items[rows], level=level)


def clustered_rate(outcome: npt.NDArray[Any], *, persons: Indices, items: Indices, level: float = LEVEL) -> Estimate:
    """A rate over answers that belong together by person and by page, with its interval; n = answers.

    outcome: (n,) of True and False; persons, items: (n,) indices. Undefined with fewer than ten answers or two people.
    """
    y = outcome.astype(np.float64)
    n = len(y)
    if n < FEWEST_ANSWERS:
        return undefined(f"cannot tell yet: {FEWEST_ANSWERS - n} more such answers are needed", n=n, level=level)
    n_people, n_items = len(np.unique(persons)), len(np.unique(items))
    if n_people < FEWEST_PEOPLE or n_items < FEWEST_PEOPLE:
        return undefined("cannot tell yet: they come from one person or one page", n=n, level=level)
    rate = float(y.mean())
    n_alike = n / _design_effect(y, persons, items)
    t = float(stdtrit(min(n_people, n_items) - 1, (1 + level) / 2))
    low, high = _wilson(rate, n_alike, t)
    return Estimate(rate, low, high, level=level, n=n)


def _design_effect(y: npt.NDArray[np.float64], persons: Indices, items: Indices) -> float:
    """How much larger the variance of the mean is than that of independent answers; at least 1."""
    p = (y.sum() + 0.5) / (len(y) + 1)  # never 0 or 1: a rate that never varied hides what varies
    apart = y - y.mean()
    both = items * (int(persons.max()) + 1) + persons
    within = _squares(apart, persons) + _squares(apart, items) - _squares(apart, both)
    groups = min(len(np.unique(persons)), len(np.unique(items)))
    correction = groups / (groups - 1)
    return max(1.0, float(correction * within / (len(y) * p * (1 - p))))


def _squares(apart: npt.NDArray[np.float64], groups: Indices) -> float:
    _, dense = np.unique(groups, return_inverse=True)
    sums = np.bincount(dense, weights=apart)
    return float(sums @ sums)


def _wilson(rate: float, n: float, z: float) -> tuple[float, float]:
    """Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference"."""
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
    return min(max(centre - half, 0.0), rate), max(min(centre + half, 1.0), rate)


def difference(shown: Estimate, hidden: Estimate) -> Estimate:
    """The first rate less the second with Newcombe's interval; undefined where one of them is. n = answers of both."""
    n = shown.n + hidden.n
    missing = next((one.reason for one in (shown, hidden) if one.value is None), None)
    if missing is not None:
        return undefined(missing, n=n, level=shown.level)
    (a, a_low, a_high), (b, b_low, b_high) = (_parts(one) for one in (shown, hidden))
    below = float(np.hypot(a - a_low, b_high - b))
    above = float(np.hypot(a_high - a, b - b_low))
    return Estimate(a - b, max(a - b - below, -1.0), min(a - b + above, 1.0), level=shown.level, n=n)


def _parts(one: Estimate) -> tuple[float, float, float]:
    assert one.value is not None and one.low is not None and one.high is not None  # noqa: S101  both or none are there
    return one.value, one.low, one.high
