"""Agreement on one label taken apart: week by week, and without each person."""

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils import formats

from labeling import phrases, plots
from labeling.label_reports import LabelReport, of_cells
from labeling.quality.cells import Cells
from labeling.quality.contrast import change
from labeling.quality.intervals import Estimate
from labeling.reports import Report
from labeling.views.csv_files import Csv, ends

PEOPLE_SHOWN = 20
WEEKS_HEAD = ["label", "week", "alpha", "alpha_low", "alpha_high", "n_items", "reason"]
WITHOUT_HEAD = ["person", "label", "rise", "rise_low", "rise_high", "n_items", "reason"]


def chosen(report: Report, asked: str) -> LabelReport | None:
    """The label asked for; else the one read by the lowest lower end, the first where nothing can be told."""
    known = {label.key: label for label in report.labels}
    if asked in known:
        return known[asked]
    told = [label for label in report.by_lower_end if label.alpha.low is not None]
    return told[-1] if told else next(iter(report.labels), None)


# ---- week by week ---------------------------------------------------------------------------------------------------
def by_week(report: Report, label: LabelReport, *, most: int | None = None) -> dict[str, Any]:
    """Alpha on the pages of each week, the newest last; `most`: of so many last weeks."""
    weeks = report.weeks(label.key)
    if most is not None:
        weeks = weeks[-most:]
    axis = plots.Forest.of([week.estimate for week in weeks])
    return {
        "id": "weeks",
        "heading": _trend_heading(report, label),
        "caption": f"Krippendorff’s alpha on {label.name}, pages by the week of their last answer, 95 % interval.",
        "who": "Week of",
        "axis": axis,
        "rows": [_row(_day(week.monday), week.estimate, axis) for week in weeks],
    }


def _trend_heading(report: Report, label: LabelReport) -> str:
    """A finding only where the interval of the difference lies on one side of 0."""
    question = report.votes.questions[report.votes.keys.index(label.key)]
    rows = sorted(report.rows.get(question, ()))
    mondays = sorted({row[0] for row in rows})
    if len(mondays) < 2:
        return f"Agreement on {label.name}, week by week"
    middle = mondays[len(mondays) // 2]
    first, second = (
        of_cells(label.key, label.name, Cells.from_rows(row[1:] for row in rows if (row[0] >= middle) is late)).alpha
        for late in (False, True)
    )
    moved = change(first, second)
    if moved.low is not None and moved.high is not None and (moved.low > 0 or moved.high < 0):
        word = "rose" if moved.low > 0 else "fell"
        return f"Agreement on {label.name} {word} since the week of {_day(middle)}: by {phrases.estimate(moved)}"
    return f"Agreement on {label.name}, week by week: no change can be told"


def weeks_csv(report: Report) -> Csv:
    """Every label and week."""
    rows = (
        [label.key, week.monday.isoformat(), *_parts(week.estimate)]
        for label in report.labels
        for week in report.weeks(label.key)
    )
    return WEEKS_HEAD, rows


# ---- without one person ---------------------------------------------------------------------------------------------
def without_each(report: Report, label: LabelReport) -> dict[str, Any]:
    """By how much alpha rises without one person's answers; those with most answers, by their names."""
    place, codes = report.labels.index(label), report.votes.codes
    people = sorted(report.busiest(PEOPLE_SHOWN), key=lambda rater: codes[rater])
    rises = {rater: found[place] for rater, found in report.rises_without(people).items()}
    axis = _Around([rises[rater] for rater in people])
    lift = [codes[rater] for rater in people if _is_above_0(rises[rater])]
    few = report.n_people - len(people)
    return {
        "id": "without",
        "heading": f"Agreement on {label.name} is higher without {phrases.listed(lift)}"
        if lift
        else f"Nobody lowers agreement on {label.name} for certain",
        "caption": f"By how much alpha on {label.name} rises when one person’s answers are left out, 95 % interval."
        + (f" {phrases.counted(few, 'person', 'people')} with fewer answers not drawn." if few > 0 else ""),
        "who": "Without",
        "axis": axis,
        "rows": [_row(codes[rater], rises[rater], axis) for rater in people],
    }


def without_csv(report: Report) -> Csv:
    """Everybody and every label."""
    people = [rater for rater, n in enumerate(report.answers_per_rater) if n]
    rows = (
        [report.votes.codes[rater], label.key, *_parts(rise)]
        for rater, rises in sorted(report.rises_without(people).items())
        for label, rise in zip(report.labels, rises, strict=True)
    )
    return WITHOUT_HEAD, rows


def _is_above_0(found: Estimate) -> bool:
    return found.low is not None and found.low > 0


class _Around:
    """A scale around 0 that holds every interval, marked at its ends and at 0."""

    def __init__(self, found: Iterable[Estimate]) -> None:
        ends = [abs(end) for one in found for end in (one.low, one.high) if end is not None]
        self.reach = math.ceil(20 * max([0.05, *ends])) / 20  # so that its marks are short numbers
        self.scale = plots.Scale(-self.reach, self.reach)
        self.zero = self.scale.percent(0)
        marks = (-self.reach / 2, 0, self.reach / 2)
        self.ticks = [(self.scale.percent(value), f"{value:+.2g}" if value else "0") for value in marks]

    def interval(self, found: Estimate) -> plots.Interval | None:
        if found.value is None or found.low is None or found.high is None:
            return None
        return plots.Interval(*(self.scale.percent(end) for end in (found.low, found.value, found.high)))


# ---- rows -----------------------------------------------------------------------------------------------------------
def _row(name: str, found: Estimate, axis: Any) -> dict[str, Any]:
    return {
        "name": name,
        "mark": axis.interval(found),
        "value": phrases.number(found.value) if found.value is not None and found.low is not None else "",
        "words": phrases.estimate(found),
        "n": found.n,
        "too_few": phrases.too_few(found),
    }


def _parts(found: Estimate) -> list[Any]:
    return [*ends(found), found.n, found.reason or ""]


def _day(day: date) -> str:
    return formats.date_format(day)
