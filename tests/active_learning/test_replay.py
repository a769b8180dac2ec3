"""The replay that says how many labels a strategy saves, on a slice of the real URLs."""

import numpy as np
import pytest

from benchmarks import active_learning_replay as replay
from tests.active_learning.real_urls import SLICE


@pytest.fixture(scope="module")
def urls():
    return replay.read(SLICE)


def curve(urls, strategy, *, seed=0, **given):
    options = {"start": 40, "batch": 20, "labels": 80, **given}
    arguments = replay.parse(
        [str(SLICE), *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
    )
    pool, test = replay.split(urls, 300, 100, np.random.default_rng(seed))
    return replay.replay(pool, test, strategy, arguments, seed)


def test_both_strategies_start_with_the_same_labels_and_ask_for_whole_batches(urls):
    active, random = curve(urls, "label_margin_div_rand"), curve(urls, "random")
    assert [point["n_labels"] for point in active] == [point["n_labels"] for point in random] == [40, 60, 80]
    assert active[0] == random[0] and active[1] != random[1]


def test_a_replay_repeats_itself(urls):
    assert curve(urls, "label_margin_div_rand", labels=60) == curve(urls, "label_margin_div_rand", labels=60)
