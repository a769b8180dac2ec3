"""What a model says of pages it did not learn from: the yardstick for which recorded labels may be wrong."""

import numpy as np

from active_learning import dataset
from active_learning.learner.calibration import fit_sigmoid, held_out_decisions
from active_learning.learner.estimator import YES
from labeling import schemas
from labeling.doubts import ModelSays
from labeling.models import Project

SEED = 0  # of the folds: the same answers give the same ranking
FEWEST_PAGES = 50  # below, three models of two thirds of them know nothing


def of(project: Project) -> ModelSays | None:
    """P(yes) of each trainable answered page and label, by weights fitted without its site. None below 50 pages.

    NaN where a label has too few answers of either kind to be learned or calibrated.
    """
    data = dataset.read(project, schemas.in_force(project).keys)
    if len(data.public_ids) < FEWEST_PAGES or len(set(data.clusters)) < 2 or not data.count(YES).any():
        return None
    decisions = held_out_decisions(data.X, data.targets, data.clusters, seed=SEED)
    p = np.full(decisions.shape, np.nan)
    for column in range(decisions.shape[1]):
        sigmoid = fit_sigmoid(decisions[:, column], data.targets[:, column])
        if sigmoid is not None:
            p[:, column] = sigmoid.p(decisions[:, column])
    return ModelSays(data.labels, dict(zip(data.public_ids, range(len(p)), strict=True)), p)
