"""What every strategy in the registry promises, whatever it looks for."""

import numpy as np
import pytest

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.mixing import compose
from active_learning.strategies.names import DEFAULT_STRATEGY, STRATEGY_NAMES
from active_learning.strategies.registry import STRATEGIES, strategy_named
from tests.active_learning.strategies.pools import LABELS, pool, scored

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)


def rng(seed=1):
    return np.random.default_rng(seed)


def assert_distinct_rows(indices, n_chosen, n_pool):
    assert len(indices) == len(set(indices.tolist())) == n_chosen
    assert ((indices >= 0) & (indices < n_pool)).all()


@every_strategy
@pytest.mark.parametrize("n", [0, 1, 2, 30, 200])
def test_as_many_distinct_rows_as_asked_for(strategy, n):
    X, classifier = pool(200)
    assert_distinct_rows(strategy(classifier, X, n, rng=rng()), n, 200)


@every_strategy
def test_asked_for_more_than_there_is_the_whole_pool_comes(strategy):
    X, classifier = pool(7)
    assert_distinct_rows(strategy(classifier, X, 50, rng=rng()), 7, 7)


@every_strategy
def test_an_empty_pool_gives_nothing(strategy):
    X, classifier = pool(5)
    nobody = np.zeros(5, dtype=bool)
    assert len(strategy(classifier, X, 3, rng=rng(), candidates=nobody)) == 0


@every_strategy
def test_the_same_seed_gives_the_same_rows_whatever_numpys_global_state(strategy):
    X, classifier = pool(200)
    np.random.seed(1)
    first = strategy(classifier, X, 30, rng=rng(4))
    np.random.seed(2)
    assert strategy(classifier, X, 30, rng=rng(4)).tolist() == first.tolist()


@every_strategy
def test_when_all_pages_are_alike_chance_decides(strategy):
    X, _ = pool(200)
    X.data[:] = 1
    classifier = scored(np.zeros((200, 3)))
    first, second = (strategy(classifier, X, 20, rng=rng(seed)) for seed in (1, 2))
    assert_distinct_rows(first, 20, 200)
    assert set(first.tolist()) != set(second.tolist())


@every_strategy
def test_rows_without_any_feature_can_be_chosen(strategy):
    X, classifier = pool(50)
    assert_distinct_rows(strategy(classifier, X * 0, 10, rng=rng()), 10, 50)


@every_strategy
@pytest.mark.parametrize("without_model", [("self_harm",), LABELS])
def test_labels_without_a_model_do_not_stop_it(strategy, without_model):
    X, classifier = pool(200, without_model=without_model)
    assert_distinct_rows(strategy(classifier, X, 30, rng=rng()), 30, 200)


@every_strategy
def test_only_candidates_are_chosen(strategy):
    X, classifier = pool(200)
    odd = np.arange(200) % 2 == 1
    indices = strategy(classifier, X, 100, rng=rng(), candidates=odd)
    assert sorted(indices.tolist()) == np.flatnonzero(odd).tolist()


@every_strategy
def test_the_pool_and_its_scores_are_left_as_they_were(strategy):
    X, classifier = pool(100)
    before = X.copy(), classifier.p_label.copy(), classifier.decisions.copy()
    strategy(classifier, X, 30, rng=rng())
    assert (X != before[0]).nnz == 0
    np.testing.assert_array_equal(classifier.p_label, before[1])
    np.testing.assert_array_equal(classifier.decisions, before[2])


@every_strategy
def test_no_domain_gets_more_chosen_pages_than_its_cap(strategy):
    X, classifier = pool(200)
    domains = np.arange(200) % 20
    limits = BatchLimits(domains=domains, max_per_domain=2)
    picks = compose(strategy, classifier, X, 60, rng=rng(), drawn=np.arange(0), limits=limits)
    assert max(np.bincount([domains[pick.index] for pick in picks]), default=0) <= 2
    if strategy.name != "random":
        assert len(picks) == 40


@every_strategy
def test_scores_of_another_pool_are_refused(strategy):
    X, _ = pool(10)
    _, classifier = pool(11)
    with pytest.raises(ValueError, match="pool of 11"):
        strategy(classifier, X, 3, rng=rng())


@every_strategy
def test_every_pick_says_why(strategy):
    X, classifier = pool(100)
    for pick in compose(strategy, classifier, X, 30, rng=rng(), drawn=np.arange(6)):
        assert pick.reason
        assert pick.stream in ({"random"} if pick.index < 6 else {"uncertainty", "diversity"})


def test_names_and_registry_are_the_same_list():
    assert tuple(STRATEGIES) == STRATEGY_NAMES
    assert DEFAULT_STRATEGY in STRATEGIES


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=f"no strategy 'best'; choose one of {DEFAULT_STRATEGY}"):
        strategy_named("best")
