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


def batch(strategy=DEFAULT, n=50, *, n_pool=400, seed=1, **given):
    X, classifier = pool(n_pool)
    return compose(strategy, classifier, X, n, rng=rng(seed), **{"random_share": 0.2, **given})


def test_ranks_count_from_one():
    assert [pick.rank for pick in batch()] == list(range(1, 51))


def test_the_random_share_is_drawn_with_the_probability_it_stores():
    drawn = [pick for pick in batch() if pick.stream == "random"]
    assert len(drawn) == 10
    assert {pick.probability for pick in drawn} == {10 / 400}
    assert {(pick.label, pick.score) for pick in drawn} == {("", None)}


def test_every_page_is_drawn_as_often_as_its_probability_says():
    n_batches = 600
    counts = np.zeros(60)
    for seed in range(n_batches):
        for pick in batch(QUICK, 10, n_pool=60, seed=seed, random_share=0.5):
            counts[pick.index] += pick.stream == "random"
    expected = n_batches * 5 / 60
    assert ((counts - expected) ** 2 / expected).sum() < 100  # chi-square with 59 degrees of freedom, p < 0.001


def test_limits_do_not_bend_the_random_draw():
    all_one_domain = BatchLimits(domains=np.zeros(400), max_per_domain=1)
    assert len(batch(STRATEGIES["random"], 50, limits=all_one_domain)) == 50


def test_chosen_pages_respect_what_chance_took_first():
    all_one_domain = BatchLimits(domains=np.zeros(400), max_per_domain=3)
    assert {pick.stream for pick in batch(limits=all_one_domain)} == {"random"}


def test_a_small_batch_keeps_its_share_on_average():
    n_random = [sum(pick.stream == "random" for pick in batch(QUICK, n=2, seed=seed, n_pool=40)) for seed in range(400)]
    assert np.mean(n_random) == pytest.approx(0.4, abs=0.1)


def test_random_picks_stand_anywhere_in_the_order():
    ranks = [pick.rank for seed in range(30) for pick in batch(QUICK, seed=seed) if pick.stream == "random"]
    assert np.mean(ranks) == pytest.approx(25.5, abs=3)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_can_be_nothing_or_all(share):
    assert {pick.stream == "random" for pick in batch(random_share=share)} == {share == 1.0}


@pytest.mark.parametrize("wrong", [{"random_share": -0.1}, {"random_share": 1.1}, {"random_share": np.nan}, {"n": -1}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"random_share|n_instances"):
        batch(**wrong)


def test_a_label_s_pick_carries_its_label_and_margin():
    X, classifier = pool(400)
    for pick in compose(DEFAULT, classifier, X, 50, rng=rng(), random_share=0.0):
        k = classifier.labels.index(pick.label)
        assert pick.score == pytest.approx(abs(float(classifier.decisions[pick.index, k])))
