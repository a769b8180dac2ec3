"""Numbers into the geometry of server-side SVG: percents and classes as text, nothing else. The templates draw.

x is in percent of the plot's width, so that figures are fluid and words keep their size; y is in pixels from the top.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from labeling.quality.intervals import Estimate
from labeling.quality.readings import RELIABLE, TENTATIVE

HEAT_STEPS = (0.06, 0.20, 0.36, 0.50, 0.70)  # kappa from which the next darker field is used
MINI_HEIGHT = 50
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to percents of the width (or, turned round, of the height)."""

    low: float
    high: float

    def percent(self, value: float) -> str:
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.1f}"


# ---- a dot and its interval -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Interval:
    low: str
    value: str
    high: str


@dataclass(frozen=True, slots=True)
class Forest:
    """The shared scale of a forest: from the lowest interval end, at most 0, to 1, with the two bands."""

    scale: Scale

    @classmethod
    def of(cls, estimates: Sequence[Estimate]) -> "Forest":
        lowest = min([0.0, *(found.low for found in estimates if found.low is not None)])
        return cls(Scale(np.floor(lowest * 10) / 10, 1.0))

    def interval(self, found: Estimate) -> Interval | None:
        """None where no interval is known: then no point is drawn either."""
        if found.value is None or found.low is None or found.high is None:
            return None
        return Interval(*(self.scale.percent(end) for end in (found.low, found.value, found.high)))

    @property
    def zero(self) -> str:
        return self.scale.percent(0)

    @property
    def tentative(self) -> str:
        return self.scale.percent(TENTATIVE)

    @property
    def reliable(self) -> str:
        return self.scale.percent(RELIABLE)

    @property
    def tentative_width(self) -> str:
        return f"{float(self.reliable) - float(self.tentative):.1f}"

    @property
    def reliable_width(self) -> str:
        return f"{100 - float(self.reliable):.1f}"

    @property
    def tentative_middle(self) -> str:
        return f"{(float(self.reliable) + float(self.tentative)) / 2:.1f}"

    @property
    def reliable_middle(self) -> str:
        return f"{(float(self.reliable) + 100) / 2:.1f}"

    @property
    def ticks(self) -> list[tuple[str, str]]:
        """Where the axis is marked, and with what."""
        words = ((0, "0"), (0.2, "0.2"), (0.4, "0.4"), (TENTATIVE, "0.667"), (RELIABLE, "0.8"), (1, "1"))
        return [(self.scale.percent(value), word) for value, word in words]


def heat_class(kappa: float) -> str:
    return f"h{sum(kappa >= step for step in HEAT_STEPS)}"


# ---- small multiples ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    width: str
    y: str
    height: str
    value: int
    middle: str
    text_y: str


def minis(counts: Sequence[Sequence[int]], *, height: int = MINI_HEIGHT) -> list[list[Bar]]:
    """One small bar chart a row, all on one scale from zero: room for the number stays above the highest bar."""
    most = max((n for row in counts for n in row), default=0) or 1
    return [_bars(row, most=most, height=height, gap=3.0, room=13) for row in counts]


def bars(counts: Sequence[int], *, height: int) -> list[Bar]:
    """One bar chart from zero."""
    return _bars(
        counts, most=max(counts, default=0) or 1, height=height, gap=min(1.0, 30 / max(len(counts), 1)), room=14
    )


def _bars(counts: Sequence[int], *, most: int, height: int, gap: float, room: int) -> list[Bar]:
    step = 100 / max(len(counts), 1)
    drawn = []
    for place, n in enumerate(counts):
        tall = (height - room) * n / most
        x, width = place * step + gap / 2, step - gap
        top = height - tall
        drawn.append(
            Bar(f"{x:.2f}", f"{width:.2f}", f"{top:.1f}", f"{tall:.1f}", n, f"{x + width / 2:.2f}", f"{top - 3:.1f}")
        )
    return drawn


# ---- work over time -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class BurnUp:
    """Work done by week as a line from zero, the goal, and where the fan of forecasts may cross it."""

    done: str  # points of the polyline in a box of 100 x 100
    last_x: str
    last_y: str
    goal_y: str
    fan_9: str
    fan_5: str
    middle: str
    weeks: list[tuple[date, int]]
    marks: list[tuple[str, str]]  # y in percent, number
    finish: date | None
    finish_from: date | None
    finish_to: date | None
    finish_x: str


def by_week(by_day: Mapping[date, int]) -> list[tuple[date, int]]:
    """Running totals by the end of each week since work began: [(Monday, done so far)], weeks without work too."""
    if not by_day:
        return []
    monday = min(by_day) - timedelta(days=min(by_day).weekday())
    n_weeks = (max(by_day) - monday).days // 7 + 1
    added = [0] * n_weeks
    for day, n in by_day.items():
        added[(day - monday).days // 7] += n
    return [(monday + WEEK * place, int(total)) for place, total in enumerate(np.cumsum(added))]


def burn_up(weeks: list[tuple[date, int]], *, goal: int, rng: np.random.Generator) -> BurnUp:
    """The burn-up of weeks (at least one) towards a goal, with a forecast once two whole weeks of work are known.

    The fan repeats past weeks drawn at random: half of the futures end inside the dark part, 9 in 10 inside the light.
    """
    done = weeks[-1][1]
    added = np.diff([0, *(total for _, total in weeks)])[:-1]  # the last week is not over
    ends = _weeks_left(added, goal - done, rng=rng) if done < goal and (added > 0).sum() >= 2 else None
    width = len(weeks) + (ends[4] if ends else 0)
    scale, height = Scale(0, max(width, 1)), max(goal, done) * 1.08
    x = [float(scale.percent(place)) for place in range(len(weeks) + 1)]
    y = [_down(total, height) for total in (0, *(total for _, total in weeks))]
    last = (x[-1], y[-1])
    top = _down(goal, height)
    crossing = [float(scale.percent(len(weeks) + n)) for n in ends] if ends else []
    step = _round_step(height)
    return BurnUp(
        done=" ".join(f"{left:.2f},{down:.2f}" for left, down in zip(x, y, strict=True)),
        last_x=f"{last[0]:.1f}",
        last_y=f"{last[1]:.1f}",
        goal_y=f"{top:.2f}",
        fan_9=_fan(last, crossing[0], crossing[4], top) if ends else "",
        fan_5=_fan(last, crossing[1], crossing[3], top) if ends else "",
        middle=f"{last[0]:.2f},{last[1]:.2f} {crossing[2]:.2f},{top:.2f}" if ends else "",
        weeks=weeks,
        marks=[(f"{_down(n, height):.2f}", f"{n:,}") for n in range(0, int(height) + 1, step)],
        finish=weeks[-1][0] + WEEK * (ends[2] + 1) if ends else None,
        finish_from=weeks[-1][0] + WEEK * (ends[0] + 1) if ends else None,
        finish_to=weeks[-1][0] + WEEK * (ends[4] + 1) if ends else None,
        finish_x=f"{crossing[2]:.1f}" if ends else "",
    )


def _weeks_left(added: np.ndarray, remaining: int, *, rng: np.random.Generator) -> list[int] | None:
    """Weeks until the rest is done in 5, 25, 50, 75 and 95 of 100 futures; None when it is years away."""
    longest = 260
    futures = rng.choice(added, size=(1000, longest)).cumsum(axis=1)
    reached = np.where(futures[:, -1] >= remaining, (futures >= remaining).argmax(axis=1) + 1, longest)
    ends = [int(n) for n in np.quantile(reached, [0.05, 0.25, 0.5, 0.75, 0.95], method="higher")]
    return ends if ends[4] < longest else None


def _fan(tip: tuple[float, float], left: float, right: float, top: float) -> str:
    return f"M{tip[0]:.2f},{tip[1]:.2f}L{left:.2f},{top:.2f}L{right:.2f},{top:.2f}Z"


def _down(value: float, height: float) -> float:
    return 100 - 100 * value / (height or 1)


def _round_step(height: float) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives about four marks."""
    rough = max(height / 4, 1)
    power = 10 ** int(np.floor(np.log10(rough)))
    return int(next(power * lead for lead in (1, 2, 5, 10) if power * lead >= rough))
