import numpy as np
import pytest

from active_learning.learner.thresholds import f1_threshold


def f1_at(threshold, p, answers):
    called = p >= threshold
    return 2 * (called & (answers == 1)).sum() / (called.sum() + (answers == 1).sum())


def test_the_threshold_parts_what_can_be_parted():
    p = np.array([0.9] * 20 + [0.1] * 80)
    assert f1_threshold(p, np.array([1] * 20 + [0] * 80, dtype=np.int8)) == pytest.approx(0.5)


def test_no_other_threshold_has_a_higher_f1():
    rng = np.random.default_rng(2)
    p = rng.random(300).round(2)
    answers = (rng.random(300) < p**2).astype(np.int8)
    found = f1_at(f1_threshold(p, answers), p, answers)
    assert found == pytest.approx(max(f1_at(t, p, answers) for t in np.arange(0.005, 1, 0.01)))


def test_nineteen_positives_are_too_few_to_choose():
    answers = np.array([1] * 19 + [0] * 80, dtype=np.int8)
    assert f1_threshold(np.linspace(0.9, 0.1, 99), answers) is None


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_threshold_stays_strictly_between_0_and_1(value):
    assert 0 < f1_threshold(np.full(40, value), np.ones(40, dtype=np.int8)) < 1
