"""Work over time: done by week, and the burn-up with its forecast as the geometry of an SVG (see plots.py)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from labeling.plots import Scale
from labeling.quality import forecast

DAY, WEEK = timedelta(days=1), timedelta(days=7)
Unknown = Literal["too little work", "too far away"]  # why there is no forecast


@dataclass(frozen=True, slots=True)
class Forecast:
    """The fan of futures up to the goal, and the days by which 5, 25, 50, 75 and 95 of 100 of them have reached it."""

    fan_9: str
    fan_5: str
    middle: str
    finish_x: str
    earliest: date
    early: date
    finish: date
    late: date
    latest: date


@dataclass(frozen=True, slots=True)
class BurnUp:
    """Work done by week as a line from zero, the goal, and the forecast or why there is none."""

    done: str  # points of the polyline in a box of 100 x 100
    last_x: str
    last_y: str
    goal_y: str
    weeks: list[tuple[date, int]]
    marks: list[tuple[str, str]]  # y in percent, number
    forecast: Forecast | None
    unknown: Unknown | None


def by_week(by_day: Mapping[date, int], *, today: date) -> list[tuple[date, int]]:
    """Running totals by the end of each week since work began: [(Monday, done so far)], weeks without work too.

    The last week is today's: work that stopped long ago must not look like work that goes on.
    """
    if not by_day:
        return []
    monday = monday_of(min(by_day))
    n_weeks = (max(today, *by_day) - monday).days // 7 + 1
    added = [0] * n_weeks
    for day, n in by_day.items():
        added[(day - monday).days // 7] += n
    return [(monday + WEEK * place, int(total)) for place, total in enumerate(np.cumsum(added))]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def whole_weeks(by_day: Mapping[date, int], *, today: date) -> list[int]:
    """Work of each seven days back from yesterday to the first day of work, the latest last. Today is not over."""
    if not by_day:
        return []
    n_weeks = max((today - min(by_day)).days // 7, 0)
    weeks = [0] * n_weeks
    for day, n in by_day.items():
        back = (today - DAY - day).days // 7
        if 0 <= back < n_weeks:
            weeks[n_weeks - 1 - back] += n
    return weeks


def burn_up(by_day: Mapping[date, int], *, goal: int, today: date, rng: np.random.Generator) -> BurnUp:
    """The burn-up of work (a day of it at least) towards a goal, with a forecast where one can be made."""
    weeks = by_week(by_day, today=today)
    first, now = weeks[0][0], max(today, *by_day) + DAY
    done = weeks[-1][1]
    recent = whole_weeks(by_day, today=today)
    ends = forecast.weeks_left(recent, goal - done, rng=rng) if done < goal else None
    days = [_after(today, weeks_left) for weeks_left in ends] if ends and math.isfinite(ends.latest) else None
    scale, height = Scale(0, ((days[-1] if days else now) - first).days), max(goal, done) * 1.08
    steps = [(first, 0), *((min(monday + WEEK, now), total) for monday, total in weeks)]
    points = [(_percent(scale, day - first), _down(total, height)) for day, total in steps]
    return BurnUp(
        done=" ".join(f"{x:.2f},{y:.2f}" for x, y in points),
        last_x=f"{points[-1][0]:.1f}",
        last_y=f"{points[-1][1]:.1f}",
        goal_y=f"{_down(goal, height):.2f}",
        weeks=weeks,
        marks=[(f"{_down(n, height):.2f}", f"{n:,}") for n in range(0, int(height) + 1, _round_step(height))],
        forecast=_fan_of(days, [_percent(scale, day - first) for day in days], points[-1], _down(goal, height))
        if days else None,
        unknown=None if days or done >= goal else "too far away" if ends else "too little work",
    )  # fmt: skip


def _after(today: date, weeks: float) -> date:
    return today + timedelta(days=max(math.ceil(7 * weeks), 1))


def _fan_of(days: list[date], crossing: list[float], tip: tuple[float, float], top: float) -> Forecast:
    return Forecast(
        fan_9=_fan(tip, crossing[0], crossing[4], top),
        fan_5=_fan(tip, crossing[1], crossing[3], top),
        middle=f"{tip[0]:.2f},{tip[1]:.2f} {crossing[2]:.2f},{top:.2f}",
        finish_x=f"{crossing[2]:.1f}",
        earliest=days[0], early=days[1], finish=days[2], late=days[3], latest=days[4],
    )  # fmt: skip


def _fan(tip: tuple[float, float], left: float, right: float, top: float) -> str:
    return f"M{tip[0]:.2f},{tip[1]:.2f}L{left:.2f},{top:.2f}L{right:.2f},{top:.2f}Z"


def _percent(scale: Scale, since: timedelta) -> float:
    return float(scale.percent(since.days))


def _down(value: float, height: float) -> float:
    return 100 - 100 * value / (height or 1)


def _round_step(height: float) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives about four marks."""
    rough = max(height / 4, 1)
    power = 10 ** int(np.floor(np.log10(rough)))
    return int(next(power * lead for lead in (1, 2, 5, 10) if power * lead >= rough))
