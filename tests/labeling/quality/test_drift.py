import math

import numpy as np
import pytest

from labeling.quality.drift import cusum, expected_disagreement, on_any_label, own_level


def judged(rng, n, p):
    """n judgments of items of unequal difficulty, and whether each disagreed with chance p + its difficulty."""
    difficulty = rng.choice([0.1, 0.3], n)
    return difficulty, (rng.random(n) < difficulty + p).astype(int)


def test_the_evidence_is_the_log_likelihood_ratio_and_never_negative():
    found = cusum(np.array([0.3, 0.3, 0.1]), np.array([0, 1, 1]))
    assert found.path == pytest.approx([0, math.log(0.5 / 0.3), math.log(0.5 / 0.3) + math.log(3)])
    assert found.alarms == ()


def test_after_an_alarm_the_evidence_starts_again():
    found = cusum(np.full(12, 0.1), np.ones(12, dtype=int))
    assert found.alarms == (4, 9)  # five disagreements in a row: 5 log 3 = 5.49
    assert found.path[5] == pytest.approx(math.log(3))


def test_a_false_alarm_comes_about_once_in_many_hundred_judgments():
    """One in 1,600 judgments on real streams; simulated here, where nothing changes, 200,000 judgments."""
    alarms = len(cusum(*judged(np.random.default_rng(1), 200_000, 0.0)).alarms)
    assert 1000 < 200_000 / alarms < 3000


def test_a_rise_of_25_points_is_found_within_a_few_dozen_judgments():
    """Median 26 judgments, nine in ten within 49, none missed on real streams; 400 simulated people here."""
    rng = np.random.default_rng(2)
    found = [cusum(*judged(rng, 300, 0.25)).alarms for _ in range(400)]
    assert all(found)
    delay = [alarms[0] + 1 for alarms in found]
    assert np.median(delay) <= 30
    assert np.quantile(delay, 0.9) <= 55


def test_hard_items_are_no_drift():
    rng = np.random.default_rng(3)
    expected, disagreed = np.full(400, 0.45), (rng.random(400) < 0.45).astype(int)
    assert cusum(expected, disagreed).alarms == ()
    assert cusum(np.full(400, 0.2), disagreed).alarms  # what the same answers look like when difficulty is left out


def test_expected_disagreement_is_the_error_rate_where_the_others_are_sure_and_half_where_they_are_not():
    found = expected_disagreement(np.array([[1.0], [0.0], [0.5]]), np.array([0.8]), np.array([0.9]))
    assert found.ravel() == pytest.approx([0.2, 0.1, 0.55])


def test_a_judgment_differs_when_any_of_its_labels_does():
    p_others = np.array([[0.9, 0.1], [0.9, 0.1]])
    expected, differs = on_any_label(np.full((2, 2), 0.2), np.array([[1, 1], [1, -1]]), p_others)
    assert expected == pytest.approx([1 - 0.64, 0.2])
    assert differs.tolist() == [1, 0]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="does not match"):
        cusum(np.zeros(2), np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="lies in"):
        cusum(np.array([1.2]), np.array([1]))
    with pytest.raises(ValueError, match="watched"):
        cusum(np.array([0.2]), np.array([1]), rise=0.0)
    assert cusum(np.zeros(0), np.zeros(0, dtype=int)).alarms == ()


def test_somebody_who_never_differed_is_watched_from_there_and_not_from_what_others_do():
    """Ordinary people differ on 7 of 10 of these pages; this one on none of 60, then on 4 of 10: an alarm, though 4 is
    less than 7."""
    expected = np.full(120, 0.7)
    disagreed = np.array([0] * 60 + [1, 0, 1, 0, 0, 1, 0, 1, 0, 0] * 6)
    assert cusum(expected, disagreed).alarms == ()
    own = own_level(expected, disagreed)
    assert own[0] == pytest.approx(7 / 60)
    assert cusum(own, disagreed).alarms[0] < 80


def test_harder_pages_stay_harder_at_ones_own_level():
    own = own_level(np.array([0.2, 0.8] * 40), np.array([0, 1] * 40))
    assert own[0] < own[1] and own[:50].mean() == pytest.approx(0.5)


def test_nobody_has_a_level_before_the_first_answer():
    assert own_level(np.empty(0), np.empty(0, dtype=int)).size == 0
