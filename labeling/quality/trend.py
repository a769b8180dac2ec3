"""Trend: one number of one label, week by week, from cells that say which week they are of."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

from .agreement import nominal_alpha
from .cells import Cells
from .intervals import Estimate


class Week(NamedTuple):
    """monday: the day the week begins. estimate: of the items of that week alone."""

    monday: date
    estimate: Estimate


def by_week(
    rows: Iterable[tuple[date, int, int, int]], *, measure: Callable[[Cells], Estimate] = nominal_alpha
) -> list[Week]:
    """Agreement of every week that has an item, in order; weeks without one are not there: a gap, never a 0.

    rows: (monday, n, k, count), as the database groups them; rows of one week and cell add up.
    measure: any estimate from cells; where a week leaves it undefined the reason stands in its place.
    """
    cells: defaultdict[date, list[tuple[int, int, int]]] = defaultdict(list)
    for monday, n, k, count in rows:
        cells[monday].append((n, k, count))
    return [Week(monday, measure(Cells.from_rows(cells[monday]))) for monday in sorted(cells)]
