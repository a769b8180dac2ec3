"""What we rely on in modAL, so that another version of it fails here and not in a batch."""

from importlib.metadata import version

import numpy as np
import pytest

from active_learning.strategies.modal_adapter import FUNCTIONS, _View, as_query_strategy, ranked
from active_learning.strategies.registry import STRATEGIES
from tests.active_learning.strategies.pools import pool

UTILITIES = {
    "modal_min_confidence": lambda p, yes: -p.min(axis=1),
    "modal_avg_confidence": lambda p, yes: p.mean(axis=1),
    "modal_max_score": lambda p, yes: (p * (yes - 0.5)).max(axis=1),
    "modal_avg_score": lambda p, yes: (p * (yes - 0.5)).mean(axis=1),
    "modal_uncertainty": lambda p, yes: 1 - p.max(axis=1),
    "modal_margin": lambda p, yes: np.sort(p, axis=1)[:, -2] - np.sort(p, axis=1)[:, -1],
    "modal_entropy": lambda p, yes: -(p / p.sum(1, keepdims=True) * np.log(p / p.sum(1, keepdims=True))).sum(1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_ranks_as_its_definition_says(name):
    _, classifier = pool(80)
    view = _View(classifier, np.arange(80), np.arange(3))
    found = ranked(FUNCTIONS[name], view, np.arange(80), 10)
    utility = UTILITIES[name](classifier.p_label, classifier.p_label >= 0.5)
    assert [position for position, _ in found] == np.argsort(-utility)[:10].tolist()


def test_this_is_the_version_whose_functions_were_read():
    assert version("modAL-python") == "0.4.2.1"


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("name", ["label_margin_div_rand", "random", "modal_min_confidence"])
def test_a_strategy_serves_modals_own_active_learner(name, n):
    from modAL.models import ActiveLearner

    X, classifier = pool(60)
    learner = ActiveLearner(estimator=classifier, query_strategy=as_query_strategy(STRATEGIES[name]))
    indices, rows = learner.query(X, n_instances=n, rng=np.random.default_rng(1))
    assert indices.tolist() == STRATEGIES[name](classifier, X, n, rng=np.random.default_rng(1)).tolist()
    assert (rows != X[indices]).nnz == 0


def test_modal_takes_the_stored_scores_and_never_scores_the_pool_itself():
    X, classifier = pool(60)
    assert classifier.predict_proba(X) is classifier.p_label
    assert classifier.predict(X).tolist() == (classifier.p_label >= 0.5).astype(int).tolist()
    with pytest.raises(ValueError, match="pool of 60"):
        classifier.predict_proba(X[:10])
