"""The arm is the smallest numbers of the frame, and its rates are the frame's, whatever a strategy asks beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from active_learning.strategies import random_arm


def mask(n, *rows):
    return np.isin(np.arange(n), rows)


# ---- which rows join ------------------------------------------------------------------------------------------------
def test_the_next_rows_by_their_number_join_until_enough_were_never_asked():
    u = np.array([50, 10, 40, 20, 30])
    rows = random_arm.extension(u, drawn=mask(5, 1), asked=mask(5, 1, 3), n_new=1)
    assert rows.tolist() == [3, 4], "row 3 was asked before and costs nothing, row 4 is the new one"


def test_asked_rows_right_behind_the_last_new_one_join_too():
    u = np.arange(6)
    rows = random_arm.extension(u, drawn=mask(6), asked=mask(6, 1, 2, 4), n_new=1)
    assert rows.tolist() == [0, 1, 2]


def test_where_too_few_are_left_the_whole_frame_joins_and_for_no_new_row_none():
    u = np.arange(4)
    assert random_arm.extension(u, drawn=mask(4, 0), asked=mask(4, 0, 2), n_new=9).tolist() == [1, 2, 3]
    assert random_arm.extension(u, drawn=mask(4), asked=mask(4, 0), n_new=0).tolist() == []


steps = st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 29), max_size=6)), max_size=6)


@given(seed=st.integers(0, 2**32 - 1), steps=steps)
def test_after_any_batches_the_arm_is_the_smallest_numbers_of_the_frame(seed, steps):
    u = np.random.default_rng(seed).permutation(30)
    drawn, asked = mask(30), mask(30)
    for n_new, chosen in steps:
        rows = random_arm.extension(u, drawn=drawn, asked=asked, n_new=n_new)
        assert (~asked[rows]).sum() == min(n_new, (~asked).sum())
        drawn[rows] = asked[rows] = asked[chosen] = True
        assert sorted(u[drawn]) == list(range(drawn.sum()))
        assert (random_arm.standing(u, drawn=drawn) == drawn).all()


def test_a_page_that_comes_later_ends_the_arm_until_it_is_drawn():
    u = np.array([1, 2, 3, 4, 5])
    assert random_arm.standing(u, drawn=mask(5, 0, 2, 3)).tolist() == [True, False, False, False, False]
    assert random_arm.extension(u, drawn=mask(5, 0, 2, 3), asked=mask(5, 0, 2, 3), n_new=1).tolist() == [1]
    assert random_arm.standing(u, drawn=mask(5, 0, 1, 2, 3)).sum() == 4


# ---- which answers count --------------------------------------------------------------------------------------------
def test_all_answers_count_once_every_row_is_answered():
    new = mask(6, 0, 3, 4)
    assert random_arm.counted(answered=np.ones(6, dtype=bool), new=new).all()


def test_rows_asked_before_wait_for_the_new_ones():
    """9 new rows, none answered yet, and 10 that were asked before: 1 of 10 is granted."""
    answered, new = np.arange(19) >= 9, np.arange(19) < 9
    assert np.flatnonzero(random_arm.counted(answered=answered, new=new)).tolist() == [9]
    answered[:4] = True  # 4 of 9: with the one granted, half
    assert random_arm.counted(answered=answered, new=new).sum() == 4 + 5


def test_what_is_not_answered_never_counts():
    answered = mask(8, 1, 5)
    for new in (mask(8), np.ones(8, dtype=bool), mask(8, 0, 1)):
        assert not random_arm.counted(answered=answered, new=new)[~answered].any()


def test_an_empty_arm_counts_nothing():
    assert random_arm.counted(answered=np.zeros(0, dtype=bool), new=np.zeros(0, dtype=bool)).tolist() == []


# ---- the rate of a label --------------------------------------------------------------------------------------------
def by_permanent_numbers(u, drawn, asked, n_new, rng):
    return random_arm.extension(u, drawn=drawn, asked=asked, n_new=n_new)


def from_what_is_left(u, drawn, asked, n_new, rng):
    return rng.choice(np.flatnonzero(~asked), n_new, replace=False)


def mean_error(draw, *, n_projects=2000, n_pages=400, prevalence=0.1, n_batches=6, n_new=10, n_chosen=30):
    """(mean, standard error) of the arm's prevalence minus the frame's, while a strategy takes the likeliest pages."""
    errors = []
    for seed in range(n_projects):
        rng = np.random.default_rng(seed)
        yes = rng.random(n_pages) < prevalence
        score = yes + 0.7 * rng.normal(size=n_pages)
        u, drawn, asked = rng.permutation(n_pages), mask(n_pages), mask(n_pages)
        for _ in range(n_batches):
            rows = draw(u, drawn, asked, n_new, rng)
            drawn[rows] = asked[rows] = True
            likeliest = np.argsort(-np.where(asked, -np.inf, score))[:n_chosen]
            asked[likeliest] = True
        errors.append(yes[drawn].mean() - yes.mean())
    return np.mean(errors), np.std(errors) / np.sqrt(n_projects)


def test_the_arm_has_the_prevalence_of_the_frame_after_several_batches():
    bias, error = mean_error(by_permanent_numbers)
    assert error < 0.002 and abs(bias) < 3 * error


def test_what_a_strategy_left_over_does_not():
    """Why the arm is not drawn from the pages that are left: their prevalence is not the frame's."""
    bias, _ = mean_error(from_what_is_left)
    assert bias == pytest.approx(-0.05, abs=0.01)


def test_half_answered_the_counted_answers_still_have_the_prevalence_of_the_frame():
    """300 of 1,000 pages were asked before, most of them with the label; a quarter of the new ones is answered yet."""
    errors = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        yes = rng.random(1000) < 0.1
        asked = np.argsort(-(yes + 0.7 * rng.normal(size=1000))).argsort() < 300
        arm = random_arm.extension(rng.permutation(1000), drawn=mask(1000), asked=asked, n_new=80)
        answered = asked[arm] | (rng.random(len(arm)) < 0.25)
        kept = random_arm.counted(answered=answered, new=~asked[arm])
        errors.append(yes[arm][kept].mean() - yes.mean())
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(300) + 0.004  # the one answer granted
