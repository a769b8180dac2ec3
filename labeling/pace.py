"""Work over time: answers by week, and the burn-up with its forecast as the geometry of an SVG (see plots.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from labeling.plots import Scale

WEEK = timedelta(days=7)
FEWEST_WEEKS = 2  # whole weeks with work, before anything is said about the weeks to come
LONGEST_WEEKS = 260  # five years: nobody plans further ahead
Unknown = Literal["too little work", "too far away"]  # why there is no forecast


@dataclass(frozen=True, slots=True)
class Forecast:
    """The fan of futures up to the goal, and the days by which 5, 50 and 95 of 100 of them have reached it."""

    fan_9: str
    fan_5: str
    middle: str
    finish_x: str
    earliest: date
    finish: date
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
    monday = min(by_day) - timedelta(days=min(by_day).weekday())
    n_weeks = (max(today, *by_day) - monday).days // 7 + 1
    added = [0] * n_weeks
    for day, n in by_day.items():
        added[(day - monday).days // 7] += n
    return [(monday + WEEK * place, int(total)) for place, total in enumerate(np.cumsum(added))]


def burn_up(weeks: list[tuple[date, int]], *, goal: int, rng: np.random.Generator) -> BurnUp:
    """The burn-up of weeks (at least one, the last not over yet) towards a goal, with a forecast where one can be made.

    The fan repeats past weeks drawn at random: half of the futures end inside the dark part, 9 in 10 inside the light.
    """
    done = weeks[-1][1]
    added = np.diff([0, *(total for _, total in weeks)])[:-1]  # the last week is not over
    is_enough = (added > 0).sum() >= FEWEST_WEEKS
    ends = _weeks_left(added, goal - done, rng=rng) if done < goal and is_enough else None
    scale, height = Scale(0, len(weeks) + (ends[4] if ends else 0)), max(goal, done) * 1.08
    x = [float(scale.percent(place)) for place in range(len(weeks) + 1)]
    y = [_down(total, height) for total in (0, *(total for _, total in weeks))]
    top = _down(goal, height)
    return BurnUp(
        done=" ".join(f"{left:.2f},{down:.2f}" for left, down in zip(x, y, strict=True)),
        last_x=f"{x[-1]:.1f}",
        last_y=f"{y[-1]:.1f}",
        goal_y=f"{top:.2f}",
        weeks=weeks,
        marks=[(f"{_down(n, height):.2f}", f"{n:,}") for n in range(0, int(height) + 1, _round_step(height))],
        forecast=_forecast(weeks, ends, scale, tip=(x[-1], y[-1]), top=top) if ends else None,
        unknown=None if ends or done >= goal else "too far away" if is_enough else "too little work",
    )


def _forecast(
    weeks: list[tuple[date, int]], ends: list[int], scale: Scale, *, tip: tuple[float, float], top: float
) -> Forecast:
    crossing = [float(scale.percent(len(weeks) + n)) for n in ends]
    over = weeks[-1][0] + WEEK  # the day after this week
    return Forecast(
        fan_9=_fan(tip, crossing[0], crossing[4], top),
        fan_5=_fan(tip, crossing[1], crossing[3], top),
        middle=f"{tip[0]:.2f},{tip[1]:.2f} {crossing[2]:.2f},{top:.2f}",
        finish_x=f"{crossing[2]:.1f}",
        earliest=over + WEEK * ends[0],
        finish=over + WEEK * ends[2],
        latest=over + WEEK * ends[4],
    )


def _weeks_left(added: npt.NDArray[np.int64], remaining: int, *, rng: np.random.Generator) -> list[int] | None:
    """Weeks after this one until the rest is done in 5, 25, 50, 75 and 95 of 100 futures; None when it is years away.

    added: (n_weeks,) answers of each whole past week, weeks without work among them, not all 0. A future repeats such
    weeks, drawn with replacement.
    """
    futures = rng.choice(added, size=(1000, LONGEST_WEEKS)).cumsum(axis=1)
    reached = np.where(futures[:, -1] >= remaining, (futures >= remaining).argmax(axis=1) + 1, LONGEST_WEEKS + 1)
    ends = [int(n) for n in np.quantile(reached, [0.05, 0.25, 0.5, 0.75, 0.95], method="higher")]
    return ends if ends[4] <= LONGEST_WEEKS else None


def _fan(tip: tuple[float, float], left: float, right: float, top: float) -> str:
    return f"M{tip[0]:.2f},{tip[1]:.2f}L{left:.2f},{top:.2f}L{right:.2f},{top:.2f}Z"


def _down(value: float, height: float) -> float:
    return 100 - 100 * value / (height or 1)


def _round_step(height: float) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives about four marks."""
    rough = max(height / 4, 1)
    power = 10 ** int(np.floor(np.log10(rough)))
    return int(next(power * lead for lead in (1, 2, 5, 10) if power * lead >= rough))
