import numpy as np
import pytest

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.mixing import compose
from active_learning.strategies.registry import STRATEGIES
from tests.active_learning.strategies.pools import pool

DEFAULT = STRATEGIES["label_margin_div_rand"]
QUICK = STRATEGIES["label_margin"]


def rng(seed=1):
    return np.random.default_rng(seed)


def batch(strategy=DEFAULT, n=50, *, n_pool=400, seed=1, drawn=range(0, 400, 40), **given):
    X, classifier = pool(n_pool)
    return compose(strategy, classifier, X, n, rng=rng(seed), drawn=np.array(drawn, dtype=np.int64), **given)


def test_ranks_count_from_one():
    assert [pick.rank for pick in batch()] == list(range(1, 51))


def test_what_chance_drew_is_in_the_batch_once_and_the_strategy_fills_the_rest():
    picks = batch()
    assert [pick.index for pick in picks if pick.stream == "random"] == list(range(0, 400, 40))
    assert {(pick.label, pick.score) for pick in picks if pick.stream == "random"} == {("", None)}
    assert len({pick.index for pick in picks}) == 50


def test_limits_do_not_bend_the_random_draw():
    all_one_domain = BatchLimits(domains=np.zeros(400), max_per_domain=1)
    assert len(batch(STRATEGIES["random"], 50, drawn=range(50), limits=all_one_domain)) == 50


def test_chosen_pages_respect_what_chance_took_first():
    all_one_domain = BatchLimits(domains=np.zeros(400), max_per_domain=3)
    assert {pick.stream for pick in batch(limits=all_one_domain)} == {"random"}


def test_a_small_batch_keeps_its_share_on_average():
    n_random = [QUICK.n_by_chance(2, 0.2, rng(seed)) for seed in range(400)]
    assert set(n_random) == {0, 1} and np.mean(n_random) == pytest.approx(0.4, abs=0.1)


def test_with_modals_signature_a_strategy_draws_its_share_from_the_pool():
    """Of 60 rows, 10 a call: row 0 is the surest of all, so only chance ever takes it."""
    _, classifier = pool(60)
    classifier.decisions[0] = 100
    X = pool(60)[0]
    taken = [0 in QUICK(classifier, X, 10, rng=rng(seed), random_share=0.5) for seed in range(300)]
    assert np.mean(taken) == pytest.approx(5 / 60, abs=0.05)


def test_random_picks_stand_anywhere_in_the_order():
    ranks = [pick.rank for seed in range(30) for pick in batch(QUICK, seed=seed) if pick.stream == "random"]
    assert np.mean(ranks) == pytest.approx(25.5, abs=3)


@pytest.mark.parametrize(("share", "n_drawn"), [(0.0, 0), (1.0, 50)])
def test_the_share_can_be_nothing_or_all(share, n_drawn):
    assert QUICK.n_by_chance(50, share, rng()) == n_drawn
    assert {pick.stream == "random" for pick in batch(drawn=range(n_drawn))} == {n_drawn > 0}


def test_without_a_way_to_choose_chance_draws_everything():
    assert STRATEGIES["random"].n_by_chance(50, 0.2, rng()) == 50


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="random_share"):
        QUICK.n_by_chance(50, share, rng())


@pytest.mark.parametrize("wrong", [{"n": -1}, {"n": 9}])
def test_a_batch_smaller_than_what_was_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match=r"n_instances|10 rows are drawn"):
        batch(**wrong)


def test_a_label_s_pick_carries_its_label_and_margin():
    X, classifier = pool(400)
    for pick in compose(DEFAULT, classifier, X, 50, rng=rng(), drawn=np.arange(0)):
        k = classifier.labels.index(pick.label)
        assert pick.score == pytest.approx(abs(float(classifier.decisions[pick.index, k])))
