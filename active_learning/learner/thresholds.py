"""Where a probability becomes a yes: one operating point per label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.learner.estimator import NO, YES

MIN_POSITIVES = 20  # below this the best threshold of the sample says little about the next one
FALLBACK = 0.5


def f1_threshold(p_label: NDArray[Any], answers: NDArray[np.int8]) -> float | None:
    """The threshold on held-out probabilities with the highest F1, or None with fewer than 20 positives.

    p_label: (n_rows,) in [0, 1], NaN = no held-out value; answers: (n_rows,) of 1, 0 and -1 = not asked.
    Returns the middle of the gap between the last probability called yes and the next one, strictly inside (0, 1).
    Ties in F1 go to the higher threshold: fewer pages are called yes for the same score.
    """
    usable = ~np.isnan(p_label) & np.isin(answers, (YES, NO))
    p, yes = p_label[usable].astype(np.float64), answers[usable] == YES
    if yes.sum() < MIN_POSITIVES:
        return None
    order = np.argsort(-p, kind="stable")
    p, yes = p[order], yes[order]
    cut_here = np.append(p[:-1] != p[1:], True)  # a threshold cannot part equal probabilities
    called = np.arange(1, len(p) + 1)
    f1 = np.where(cut_here, 2 * np.cumsum(yes) / (called + yes.sum()), -1.0)
    best = int(np.argmax(f1))
    below = p[best + 1] if best + 1 < len(p) else 0.0
    return float(np.clip((p[best] + below) / 2, 1e-6, 1 - 1e-6))
