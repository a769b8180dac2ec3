"""A small pool with scores, made up where the numbers do not matter."""

import numpy as np
from scipy import sparse
from scipy.special import expit

from active_learning.strategies.contract import CachedClassifier

LABELS = ("adult", "gambling", "self_harm")


def pool(n=200, *, seed=0, without_model=(), **given):
    rng = np.random.default_rng(seed)
    decisions = rng.normal(size=(n, len(LABELS)))
    return sparse.random(n, 50, density=0.2, format="csr", dtype=np.float32, random_state=seed), scored(
        decisions, without_model=without_model, **given
    )


def scored(decisions, *, without_model=(), positives=(90, 20, 0), **given):
    decisions = decisions.astype(np.float32)
    for label in without_model:
        decisions[:, LABELS.index(label)] = np.nan
    return CachedClassifier(expit(decisions), decisions, labels=LABELS, positives=np.array(positives), **given)
