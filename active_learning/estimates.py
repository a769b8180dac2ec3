"""What the model that serves says of pages, for the care of whoever is to read them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from active_learning import scoring, training
from labeling.models import Project


def of(project: Project, items: NDArray[np.int64]) -> tuple[Sequence[str], NDArray[np.float32]] | None:
    """The labels of the newest whole run and (n, k) probabilities of these growing ids.

    NaN stands for a page it did not score and a label it has no model of.
    None without a run. Raises Refused when its scores are gone or damaged.
    """
    run = training.current(project)
    if run is None:
        return None
    log_odds, _ = scoring.log_odds_of(run, items)
    probabilities: NDArray[np.float32] = expit(log_odds)
    return run.labels, probabilities
