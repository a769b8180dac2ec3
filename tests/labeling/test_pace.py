"""Work over time: weeks up to today, a forecast only after two whole weeks of work, and never one that lies behind."""

from datetime import date, timedelta

import numpy as np
import pytest

from labeling import pace

MONDAY = date(2026, 9, 7)
WEEK = timedelta(days=7)


def day(n: int) -> date:
    return MONDAY + timedelta(days=n)


def burn_up(*per_week, waiting, idle_weeks=0):
    """The burn-up of so much work on the Mondays of weeks, looked at a week (and so many more) after the last."""
    by_day = {MONDAY + WEEK * place: n for place, n in enumerate(per_week)}
    today = MONDAY + WEEK * (len(per_week) + idle_weeks)
    return pace.burn_up(by_day, goal=sum(per_week) + waiting, today=today, rng=np.random.default_rng(1))


def test_weeks_without_work_are_weeks_too():
    assert pace.by_week({day(0): 3, day(15): 4}, today=day(15)) == [(day(0), 3), (day(7), 3), (day(14), 7)]


def test_the_weeks_reach_to_today_though_work_has_stopped():
    assert pace.by_week({day(2): 3}, today=day(20)) == [(day(0), 3), (day(7), 3), (day(14), 3)]


def test_an_answer_from_a_clock_that_is_ahead_is_not_lost():
    assert pace.by_week({day(0): 3, day(7): 1}, today=day(6)) == [(day(0), 3), (day(7), 4)]


def test_seven_days_back_from_yesterday_are_a_whole_week_and_today_is_none():
    work = {day(0): 1, day(3): 10, day(9): 100, day(10): 1000}
    assert pace.whole_weeks(work, today=day(10)) == [110]
    assert pace.whole_weeks(work, today=day(14)) == [11, 1100]
    assert pace.whole_weeks(work, today=day(0)) == []


def test_there_is_no_forecast_before_two_whole_weeks_of_work():
    plot = burn_up(50, waiting=900)
    assert (plot.forecast, plot.unknown) == (None, "too little work")


def test_weeks_without_work_are_not_weeks_of_work():
    assert burn_up(50, waiting=900, idle_weeks=9).unknown == "too little work"


def test_the_end_is_reckoned_at_the_pace_so_far():
    plot = burn_up(100, 100, 100, 100, waiting=600)
    expected = MONDAY + WEEK * 10
    assert abs(plot.forecast.finish - expected) < WEEK
    assert plot.forecast.earliest < plot.forecast.early < plot.forecast.finish
    assert plot.forecast.finish < plot.forecast.late < plot.forecast.latest


def test_the_fan_ends_on_the_goal_and_the_line_begins_at_zero():
    plot = burn_up(100, 100, 100, 100, waiting=600)
    assert plot.forecast.fan_9.endswith(f"100.00,{plot.goal_y}Z")
    assert plot.done.startswith("0.00,100.00 ")


@pytest.mark.parametrize("idle_weeks", [0, 2, 4])
def test_a_forecast_never_lies_in_the_past(idle_weeks):
    """Three good weeks, then nothing: the end is reckoned from today."""
    plot = burn_up(100, 100, 100, waiting=1, idle_weeks=idle_weeks)
    assert plot.forecast.earliest > MONDAY + WEEK * (3 + idle_weeks)


def test_idle_weeks_push_the_end_away():
    busy, stopped = (burn_up(*[100] * 6, waiting=100, idle_weeks=n).forecast for n in (0, 1))
    assert stopped.finish - busy.finish > WEEK


def test_an_end_that_is_years_away_is_told_apart_from_too_little_work():
    assert burn_up(5, 5, 5, waiting=100_000).unknown == "too far away"


def test_work_that_nobody_does_any_more_has_no_end():
    assert burn_up(100, 100, 100, waiting=10, idle_weeks=20).unknown == "too far away"


def test_finished_work_has_no_forecast_and_needs_none():
    plot = burn_up(100, 100, 100, waiting=0)
    assert (plot.forecast, plot.unknown) == (None, None)
