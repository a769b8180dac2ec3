"""What the model that serves says of pages: for the care of whoever is to read them, and as a suggestion to them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from active_learning import scoring, training
from labeling.models import Project
from labeling.suggestions import Opinion


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


def opinion(project: Project, item: int) -> Opinion | None:
    """What it makes of one page: yes or no by the threshold of each label it has a model of.

    None without a run, and for a page it did not score. Raises Refused when its scores are gone or damaged.
    """
    run = training.current(project)
    if run is None:
        return None
    log_odds, scored = scoring.log_odds_of(run, np.array([item], dtype=np.int64))
    if not scored[0]:
        return None
    lines = logit([run.metrics["labels"][label]["threshold"] for label in run.labels])
    says = {
        label: bool(row >= line)
        for label, row, line in zip(run.labels, log_odds[0], lines, strict=True)
        if not np.isnan(row)
    }
    return Opinion(run.number, run.fitted_at or run.scored_at or run.created_at, says)
