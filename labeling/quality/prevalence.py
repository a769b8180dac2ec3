"""How many of all pages a label holds on, from pages that were drawn by chance with known probabilities."""

import numpy as np

from .cells import MISSING, Floats, Integers
from .intervals import LEVEL, Estimate, jeffreys_interval, undefined

FEWEST_DRAWN = 100  # below, a label of 2 % and one of none look alike
NOT_ENOUGH = f"fewer than {FEWEST_DRAWN} pages drawn by chance were answered"


def prevalences(
    holds: Floats, weights: Floats, samples: Integers, *, level: float = LEVEL, fewest: int = FEWEST_DRAWN
) -> tuple[Estimate, ...]:
    """Share of yes among all pages, of each label, from several samples of the same pages.

    holds: (n_rows, n_labels) share of yes of one drawn page, in [0, 1]; -1 where nobody answered. weights: (n_rows,)
    one over the chance of being drawn, > 0. samples: (n_rows,) which sample it came in by.
    Within a sample the Hajek estimator; samples are weighed by the pages each is worth, (sum w)^2 / sum w^2, and the
    Jeffreys interval is that of as many pages. n: drawn pages with an answer; below `fewest` undefined.
    Source: Hajek 1971; effective sample size of Kish 1965, section 8.2.
    """
    found = []
    for label in range(holds.shape[1]):
        here = holds[:, label] != MISSING
        n = int(here.sum())
        if n < fewest:
            found.append(undefined(NOT_ENOUGH, n=n, level=level))
            continue
        yes = worth = 0.0
        for sample in np.unique(samples[here]):
            mine = here & (samples == sample)
            w, y = weights[mine], holds[mine, label]
            size = float(w.sum() ** 2 / (w**2).sum())
            yes, worth = yes + size * float((w * y).sum() / w.sum()), worth + size
        low, high = jeffreys_interval(min(yes, worth), worth, level=level)
        found.append(Estimate(min(yes / worth, 1.0), low, high, level=level, n=n))
    return tuple(found)
