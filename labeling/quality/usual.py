"""The usual rater of a label, from how many of a page's answers say yes: what the others say of a page without one."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from .cells import Cells, Floats, Integers
from .skills import Evidence, skills

_STEPS, _TOLERANCE = 500, 1e-6


class Usual(NamedTuple):
    """share: of pages on which the label holds. sensitivity, specificity: of its average rater. All inside (0, 1)."""

    share: float
    sensitivity: float
    specificity: float

    def p_yes(self, n: Floats | Integers, k: Floats | Integers) -> Floats:
        """P(yes) of pages with k yes among n answers of usual raters: inside (0, 1); without an answer, the share."""
        yes, no = self.sensitivity / (1 - self.specificity), (1 - self.sensitivity) / self.specificity
        p: Floats = expit(logit(self.share) + k * np.log(yes) + (n - k) * np.log(no))
        return p


def usual_rater(cells: Cells) -> Usual:
    """One rater for all of a label, and how often the label holds, from pages answered twice or more.

    Without such pages it is the average rater of `skills` before anything is known, and the share of all answers that
    say yes.
    Source: Dawid & Skene 1979 with one pair of error rates for all raters; expectation maximisation.
    """
    twice = cells.answered_twice()
    n, k, pages = (part.astype(np.float64) for part in (twice.n, twice.k, twice.count))
    p = np.divide(k, n, out=np.zeros_like(n), where=n > 0)
    found = _rates(n, k, pages, p)
    if not twice.n_items:
        return found._replace(share=(cells.n_yes + 0.5) / (cells.n_answers + 1))
    for _ in range(_STEPS):
        before, p = p, found.p_yes(n, k)
        found = _rates(n, k, pages, p)
        if np.abs(p - before).max(initial=0) < _TOLERANCE:
            break
    return found


def _rates(n: Floats, k: Floats, pages: Floats, p: Floats) -> Usual:
    counts = (pages * p) @ n, (pages * p) @ k, (pages * (1 - p)) @ n, (pages * (1 - p)) @ (n - k)
    pooled = skills(Evidence(*(np.array([[part]]) for part in counts)))
    share = (float(pages @ p) + 0.5) / (float(pages.sum()) + 1)
    return Usual(share, float(pooled.usual_sensitivity[0]), float(pooled.usual_specificity[0]))
