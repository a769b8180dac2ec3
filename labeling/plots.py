"""Numbers into the geometry of server-side SVG: percents and classes as text, nothing else. The templates draw.

x is in percent of the plot's width, so that figures are fluid and words keep their size; y is in pixels from the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling.quality.intervals import Estimate
from labeling.quality.readings import RELIABLE, TENTATIVE

HEAT_STEPS = (0.06, 0.20, 0.36, 0.50, 0.70)  # kappa from which the next darker field is used
MINI_HEIGHT = 50


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
