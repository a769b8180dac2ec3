import numpy as np
import pytest

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.uncertainty import choose_by_margin, choose_by_margin_alone, quotas
from tests.active_learning.strategies.pools import pool, scored


def rng(seed=1):
    return np.random.default_rng(seed)


def choose(choose_with, rows, classifier, n, **given):
    everything = np.ones(rows.shape[0], dtype=bool)
    return choose_with(classifier, rows, n, rng=rng(), candidates=everything, limits=BatchLimits(), **given)


@pytest.mark.parametrize("seed", range(20))
def test_quotas_fill_the_batch_and_round_each_share_by_less_than_one(seed):
    positives = np.array([0, 3, 15, 99])
    shares = (positives + 1.0) ** -0.5
    parts = quotas(positives, 80, rng(seed))
    assert parts.sum() == 80
    assert (np.abs(parts - 80 * shares / shares.sum()) < 1).all()


def test_a_share_below_one_pick_is_met_on_average():
    positives = np.array([9_999, 0])
    mean = np.mean([quotas(positives, 10, rng(seed))[0] for seed in range(2_000)])
    assert mean == pytest.approx(10 * 0.01 / 1.01, abs=0.02)


def test_the_rare_label_gets_the_larger_part():
    X, classifier = pool(500, positives=(99, 24, 0))
    chosen = [choice.label for choice in choose(choose_by_margin, X, classifier, 65)]
    assert chosen.count("self_harm") == pytest.approx(50, abs=1)
    assert chosen.count("gambling") == pytest.approx(10, abs=1)
    assert chosen.count("adult") == pytest.approx(5, abs=1)


def test_without_spread_each_label_gets_its_nearest_pages():
    X, classifier = pool(300, without_model=("adult", "gambling"))
    chosen = choose(choose_by_margin_alone, X, classifier, 10)
    nearest = np.argsort(np.abs(classifier.decisions[:, 2]))[:10]
    assert [choice.index for choice in chosen] == nearest.tolist()


def test_with_spread_they_come_from_five_times_as_many():
    X, classifier = pool(300, without_model=("adult", "gambling"))
    shortlist = np.argsort(np.abs(classifier.decisions[:, 2]))[:50]
    assert {choice.index for choice in choose(choose_by_margin, X, classifier, 10)} <= set(shortlist.tolist())


def test_the_margin_is_measured_from_the_labels_own_line():
    X, classifier = pool(300, without_model=("adult", "gambling"), lines=np.array([0, 0, 1.5]))
    chosen = choose(choose_by_margin_alone, X, classifier, 5)
    assert [classifier.decisions[choice.index, 2] for choice in chosen] == pytest.approx([1.5] * 5, abs=0.2)


def test_a_reason_names_the_label_as_people_know_it():
    X, classifier = pool(300, without_model=("adult", "gambling"), names=("Adult", "Gambling", "Self-Harm"))
    assert choose(choose_by_margin, X, classifier, 1)[0].reason == "near the line for Self-Harm"


def test_while_nothing_is_above_the_line_the_likeliest_pages_come_and_are_called_so():
    decisions = -np.abs(np.random.default_rng(1).normal(size=(100, 3))) - 1
    X, _ = pool(100)
    classifier = scored(decisions, without_model=("adult", "gambling"))
    choice = choose(choose_by_margin_alone, X, classifier, 1)[0]
    assert choice.reason == "among the likeliest for self_harm"
    assert choice.index == np.argmax(decisions[:, 2])


def test_without_any_model_the_pages_are_spread():
    X, classifier = pool(100, without_model=("adult", "gambling", "self_harm"))
    assert {choice.stream for choice in choose(choose_by_margin, X, classifier, 10)} == {"diversity"}
