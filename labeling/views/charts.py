"""The overview's figures about work: progress with its forecast, and throughput. Each with its rows as a table and as a
file. Those about agreement are in figures.py, those about cost and queue in costs.py and queue_health.py."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from labeling import pace, phrases, plots
from labeling.daily_counts import ALL
from labeling.models import DailyCount, Project
from labeling.project_counts import Counts
from labeling.views.csv_files import Csv
from labeling.views.shown import Shown

BARS_HEIGHT = 120
BY_DAY_WEEKS = 12  # over more weeks than these work is drawn by week
NEAR_THE_EDGE = 75  # percent of the width: a word centred there would leave the card
# Why there is no forecast, in words.
NO_FORECAST: dict[pace.Unknown, str] = {
    "too little work": "Cannot tell yet when the rest is done: two whole weeks with work are needed.",
    "too far away": "Cannot tell when the rest is done: at the pace of these weeks it may take more than five years.",
}

PROGRESS_HEAD = ["week", "done_by_its_end", "goal", "percent_of_forecasts_done_by_then"]


# ---- progress -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Work:
    """What a burn-up is about."""

    name: str  # in the middle of a sentence
    one: str
    done_word: str
    by_day: dict[date, int]
    left: int

    @property
    def done(self) -> int:
        return sum(self.by_day.values())

    @property
    def goal(self) -> int:
        return self.done + self.left


def work_of(days: Iterable[DailyCount], counts: Counts) -> Work:
    """Answers while some are waited for; decisions once all are in and people disagree somewhere."""
    whole = [row for row in days if row.stream == ALL]
    decided = {row.day: row.decisions for row in whole if row.decisions}
    if not counts.n_waiting and (counts.n_disputed or decided):
        return Work("disputed pages", "decision", "decided", decided, counts.n_disputed)
    given = {row.day: row.answers for row in whole if row.answers}
    return Work("answers", "answer", "given", given, counts.n_waiting)


def progress(project: Project, days: Sequence[DailyCount], counts: Counts, *, today: date) -> dict[str, Any]:
    """Work done here by week, towards all that is asked for here; imported answers cost nobody's time."""
    work = work_of(days, counts)
    is_deciding = work.one == "decision"
    if not work.by_day:
        heading = "When all disputes will be settled" if is_deciding else "When all answers will be in"
        return {"heading": heading, "why": _no_decision(counts) if is_deciding else _no_answer(counts)}
    # Reckoned anew once a day: the fan does not tremble from one look to the next.
    rng = np.random.default_rng([project.pk, today.toordinal()])
    drawn = pace.burn_up(work.by_day, goal=work.goal, today=today, rng=rng)
    heading, note = _outlook(work, drawn, today=today)
    left_out = _left_out(counts.n_imported) if not is_deciding else ""
    return {
        "heading": heading,
        "caption": f"{'Pages decided' if is_deciding else 'Answers given here'}, by week.{left_out}",
        "note": note,
        "plot": drawn,
        "given": f"{work.done:,}",
        "done_word": work.done_word,
        "goal": f"{work.goal:,}",
        "what": work.name,
        "anchor": "e" if drawn.forecast and float(drawn.forecast.finish_x) > NEAR_THE_EDGE else "m",
        "rows": [(week, f"{total:,}") for week, total in drawn.weeks],
        "futures": _futures(drawn),
        "csv": (PROGRESS_HEAD, _progress_rows(drawn, work)),
    }


def _futures(drawn: pace.BurnUp) -> list[tuple[int, date]]:
    """By when so many of 100 forecasts have ended."""
    end = drawn.forecast
    return [(5, end.earliest), (25, end.early), (50, end.finish), (75, end.late), (95, end.latest)] if end else []


def _progress_rows(drawn: pace.BurnUp, work: Work) -> list[list[Any]]:
    done = [[week.isoformat(), total, work.goal, ""] for week, total in drawn.weeks]
    return done + [[day.isoformat(), work.goal, work.goal, percent] for percent, day in _futures(drawn)]


def _outlook(work: Work, drawn: pace.BurnUp, *, today: date) -> tuple[str, str]:
    """What the burn-up says as a heading, and in a sentence how sure that is or why it cannot be told."""
    is_deciding = work.one == "decision"
    if end := drawn.forecast:
        earliest, finish, latest = (day_in_words(day, today=today) for day in (end.earliest, end.finish, end.latest))
        between = f"between {earliest} and {latest}" if earliest != latest else f"by {finish}"
        note = f"9 in 10 forecasts end {between}; 5 in 10 in the darker part."
        what = "All disputes may be settled" if is_deciding else "All answers may be in"
        return f"{what} by about {finish}", note
    if work.done >= work.goal:
        return "All disputes are settled" if is_deciding else "All answers asked for are in", ""
    what = "disputed pages are decided" if is_deciding else "answers are in"
    return f"{work.done:,} of {work.goal:,} {what}", NO_FORECAST[drawn.unknown] if drawn.unknown else ""


def _left_out(n_imported: int) -> str:
    if not n_imported:
        return ""
    return f" {phrases.counted(n_imported, 'imported one')} {'is' if n_imported == 1 else 'are'} left out."


def _no_answer(counts: Counts) -> str:
    """Why nothing can be said about work over time: what is known came from a file."""
    n = phrases.counted(counts.n_answers, "answer")
    known = f"the {n} known so far {'was' if counts.n_answers == 1 else 'were'} imported"
    if not counts.n_waiting:
        return f"Cannot tell yet: nobody is asked for answers here, and {known}. Queue pages to begin."
    first = f"the first of {counts.n_waiting:,} answers" if counts.n_waiting > 1 else "the one answer"
    return f"Cannot tell yet: {first} asked for here is still to come, and {known}."


def _no_decision(counts: Counts) -> str:
    pages = phrases.counted(counts.n_disputed, "page")
    return f"Cannot tell yet: {pages} {'is' if counts.n_disputed == 1 else 'are'} disputed, and none is decided."


# ---- throughput -----------------------------------------------------------------------------------------------------
def throughput(days: Sequence[DailyCount], shown: Shown) -> dict[str, Any]:
    """Answers given here on each day, or in each week of a longer time."""
    of_stream = [row for row in days if row.stream == shown.stream and row.answers]
    if not of_stream:
        where = " in this stream" if shown.stream else ""
        return {"heading": "Answers a day", "why": f"Cannot tell yet: no answer has been given here so far{where}."}
    worked = {row.day: row.answers for row in shown.rows(of_stream)}
    if not worked:
        last = day_in_words(max(row.day for row in of_stream), today=shown.today)
        return {"heading": f"No answer in {shown.words}", "why": f"The last answer was given on {last}."}
    by_week = shown.weeks is None or shown.weeks > BY_DAY_WEEKS
    places = _weeks(worked, shown) if by_week else _days(shown)
    totals = _totals(worked, pace.monday_of if by_week else lambda day: day)
    counts = [totals.get(place, 0) for place in places]
    unit = "week" if by_week else "day"
    return {
        "heading": f"{phrases.counted(sum(worked.values()), 'answer')} in {shown.words}, "
        f"on {phrases.counted(len(worked), 'day')}",
        "caption": f"Answers given here{shown.of_stream}, by {unit}.",
        "unit": unit,
        "column": "Week of" if by_week else "Day",
        "rows": [
            {"day": place, "n": f"{n:,}", "bar": bar, "is_most": n == max(counts)}
            for place, n, bar in zip(places, counts, plots.bars(counts, height=BARS_HEIGHT), strict=True)
        ],
        "most": f"{max(counts):,}",
        "first": day_in_words(places[0], today=shown.today),
        "last": day_in_words(places[-1], today=shown.today),
    }


def _days(shown: Shown) -> list[date]:
    return [shown.today - timedelta(days=back) for back in reversed(range(7 * (shown.weeks or 0)))]


def _weeks(worked: Mapping[date, int], shown: Shown) -> list[date]:
    first, last = pace.monday_of(shown.since or min(worked)), pace.monday_of(max(shown.today, *worked))
    return [first + pace.WEEK * place for place in range((last - first).days // 7 + 1)]


def _totals(worked: Mapping[date, int], place_of: Callable[[date], date]) -> dict[date, int]:
    totals: defaultdict[date, int] = defaultdict(int)
    for day, n in worked.items():
        totals[place_of(day)] += n
    return totals


DAYS_HEAD = [
    "day", "answers", "timed_answers", "active_seconds", "decisions", "settled_pages", "their_answers",
    "timed_settled_pages", "their_active_seconds",
]  # fmt: skip


def days_csv(days: Iterable[DailyCount], shown: Shown) -> Csv:
    """Everything that is kept of each day."""
    return DAYS_HEAD, [
        [row.day.isoformat(), row.answers, row.timed_answers, round(row.seconds, 1), row.decisions, row.pages,
         row.page_answers, row.timed_pages, round(row.page_seconds, 1)]
        for row in shown.rows(days)
    ]  # fmt: skip


def seconds_an_answer(days: Iterable[DailyCount]) -> float | None:
    whole = [row for row in days if row.stream == ALL]
    timed = sum(row.timed_answers for row in whole)
    return sum(row.seconds for row in whole) / timed if timed else None


def day_in_words(day: date, *, today: date) -> str:
    """ "3 October" on one line; with its year when that is another one."""
    return f"{day.day}\u00a0{day:%B}" + (f"\u00a0{day.year}" if day.year != today.year else "")
