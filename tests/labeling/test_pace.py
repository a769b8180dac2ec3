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
    """The burn-up of so many answers a week, this week's last, looked at after more weeks without any."""
    by_day = {MONDAY + WEEK * place: n for place, n in enumerate(per_week)}
    weeks = pace.by_week(by_day, today=max(by_day) + WEEK * idle_weeks)
    return pace.burn_up(weeks, goal=sum(per_week) + waiting, rng=np.random.default_rng(1))


def test_weeks_without_work_are_weeks_too():
    assert pace.by_week({day(0): 3, day(15): 4}, today=day(15)) == [(day(0), 3), (day(7), 3), (day(14), 7)]


def test_the_weeks_reach_to_today_though_work_has_stopped():
    assert pace.by_week({day(2): 3}, today=day(20)) == [(day(0), 3), (day(7), 3), (day(14), 3)]


def test_an_answer_from_a_clock_that_is_ahead_is_not_lost():
    assert pace.by_week({day(0): 3, day(7): 1}, today=day(6)) == [(day(0), 3), (day(7), 4)]


def test_there_is_no_forecast_before_two_whole_weeks_of_work():
    plot = burn_up(50, 50, waiting=900)
    assert (plot.forecast, plot.unknown) == (None, "too little work")


def test_weeks_without_work_are_not_weeks_of_work():
    assert burn_up(50, waiting=900, idle_weeks=9).unknown == "too little work"


def test_steady_work_is_forecast_without_doubt():
    forecast = burn_up(100, 100, 100, 100, waiting=600).forecast
    assert forecast.earliest == forecast.finish == forecast.latest == MONDAY + WEEK * 10


def test_uneven_work_gives_a_wide_fan():
    forecast = burn_up(200, 10, 150, 20, 90, waiting=1530).forecast
    assert forecast.earliest < forecast.finish < forecast.latest


@pytest.mark.parametrize("idle_weeks", [1, 5, 20])
def test_a_forecast_never_lies_in_the_past(idle_weeks):
    """Three good weeks, then nothing: the end is reckoned from today, and the idle weeks count."""
    plot = burn_up(100, 100, 100, waiting=10, idle_weeks=idle_weeks)
    assert plot.forecast.earliest > MONDAY + WEEK * (2 + idle_weeks)


def test_idle_weeks_push_the_end_away():
    busy, stopped = (burn_up(100, 100, 100, waiting=600, idle_weeks=n).forecast for n in (1, 8))
    assert stopped.finish - busy.finish > WEEK * 7


def test_an_end_that_is_years_away_is_told_apart_from_too_little_work():
    plot = burn_up(5, 5, 5, waiting=100_000)
    assert (plot.forecast, plot.unknown) == (None, "too far away")


def test_finished_work_has_no_forecast_and_needs_none():
    plot = burn_up(100, 100, 100, waiting=0)
    assert (plot.forecast, plot.unknown) == (None, None)
