import numpy as np
import pytest
from scipy import stats

from labeling.quality.known_answers import NO_PAGE, is_below, missed, page_score, score
from labeling.quality.repeats import NO_REPEAT, self_consistency

KNOWN = {"games": "yes", "news": "no", "self_harm": "no"}


def test_a_page_answered_as_known_scores_one():
    assert page_score(KNOWN, {"games": "yes", "news": "no", "self_harm": "no"}) == 1


def test_whoever_ticks_nothing_has_seen_half_of_a_page_with_one_label():
    assert page_score(KNOWN, {"games": "no", "news": "no", "self_harm": "no"}) == 0.5


def test_whoever_ticks_nothing_is_right_on_a_page_without_labels():
    assert page_score({"games": "no", "news": "no"}, {"games": "no", "news": "no"}) == 1


def test_unsure_counts_as_much_as_a_guess():
    assert page_score(KNOWN, {"games": "unsure", "news": "no", "self_harm": "no"}) == 0.75


def test_a_label_that_was_not_asked_or_is_not_known_does_not_count():
    assert page_score({"games": "yes", "news": "no"}, {"games": "yes", "self_harm": "yes"}) == 1
    assert page_score({"news": "no"}, {"games": "yes"}) is None


def test_what_was_missed_is_named_in_the_order_of_the_labels():
    assert missed(KNOWN, {"games": "unsure", "news": "yes", "self_harm": "no"}) == ["games", "news"]


def test_the_score_has_the_jeffreys_interval_of_its_pages():
    """Against scipy's own quantiles of Beta(x + 1/2, n - x + 1/2), whole pages and half ones."""
    for pages in ([1.0] * 7 + [0.0] * 3, [1.0] * 6 + [0.5] * 2 + [0.0] * 2):
        found = score(pages)
        assert (found.value, found.n) == (pytest.approx(sum(pages) / 10), 10)
        ends = stats.beta.ppf([0.025, 0.975], sum(pages) + 0.5, 10 - sum(pages) + 0.5)
        assert (found.low, found.high) == pytest.approx(tuple(ends), abs=1e-9)


def test_without_a_page_there_is_no_score_and_a_reason():
    found = score([])
    assert found.value is None
    assert found.reason == NO_PAGE


def test_nobody_is_below_the_bar_after_two_pages_or_four():
    assert not is_below([0.0, 0.0], 0.8)
    assert not is_below([0.0] * 4, 0.8)


def test_five_pages_missed_entirely_lie_below_the_bar():
    assert is_below([0.0] * 5, 0.8)


def test_a_score_a_little_below_the_bar_on_few_pages_is_no_reason():
    assert not is_below([1.0] * 7 + [0.0] * 3, 0.8)


def test_the_same_score_on_many_pages_is_one():
    assert is_below(([1.0] * 6 + [0.0] * 4) * 10, 0.8)


def test_repeated_looks_pause_somebody_exactly_on_the_bar_in_few_runs():
    """The number the pause level rests on: 2,000 runs of 200 pages gave 5 of 100; here 100 runs of 60 pages."""
    rng = np.random.default_rng(7)
    runs = (rng.random((100, 60)) < 0.8).astype(float)
    paused = sum(any(is_below(list(run[:n]), 0.8) for n in range(5, 61)) for run in runs)
    assert paused <= 10


# ---- repeats --------------------------------------------------------------------------------------------------------
def test_ten_pages_answered_alike_are_wholly_consistent_with_an_interval():
    answers = np.array([[1], [0]] * 5)
    same, kappa = self_consistency(answers, answers)[0]
    assert (same.value, same.n) == (1, 10)
    assert same.low == pytest.approx(0.783, abs=1e-3)
    assert kappa.value is None
    assert kappa.reason == "10 of 20 pages asked twice"


def test_pi_of_one_person_is_scotts():
    """40 yes-yes, 40 no-no, 10 each way: observed .8, chance .5, pi = .6; alpha corrects by 1/(2n) of the rest."""
    first = np.array([[1]] * 50 + [[0]] * 50)
    again = np.array([[1]] * 40 + [[0]] * 10 + [[0]] * 40 + [[1]] * 10)
    same, kappa = self_consistency(first, again)[0]
    assert same.value == 0.8
    assert kappa.value == pytest.approx(0.6 + 0.4 / 200)


def test_an_unsure_or_unasked_label_does_not_count_for_that_label_alone():
    first, again = np.array([[1, -1], [0, 1]]), np.array([[1, 1], [1, 1]])
    games, news = self_consistency(first, again)
    assert (games.same.value, games.same.n) == (0.5, 2)
    assert (news.same.value, news.same.n) == (1, 1)


def test_without_a_repeat_consistency_is_undefined():
    nothing = np.zeros((0, 2), dtype=int)
    assert [one.same.reason for one in self_consistency(nothing, nothing)] == [NO_REPEAT, NO_REPEAT]


def test_other_codes_and_shapes_are_refused():
    with pytest.raises(ValueError, match="one row a page"):
        self_consistency(np.zeros((2, 1), dtype=int), np.zeros((1, 1), dtype=int))
    with pytest.raises(ValueError, match="verdicts are"):
        self_consistency(np.full((1, 1), 2), np.zeros((1, 1), dtype=int))
