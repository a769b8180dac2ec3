"""What a settled page costs: answers, and minutes of people's time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from labeling import pace, phrases
from labeling.models import DailyCount, Project
from labeling.quality.intervals import Estimate, mean
from labeling.views.csv_files import ends
from labeling.views.shown import Shown

HEAD = ["week", "settled_pages", "answers_a_page", "low", "high", "minutes_a_page", "minutes_low", "minutes_high"]
NOTHING_SETTLED = "no page that was answered here alone is settled in this time"


def answers_a_page(rows: Sequence[DailyCount]) -> Estimate:
    n, total, squares = (sum(getattr(row, name) for row in rows) for name in
                         ("pages", "page_answers", "page_answers_squared"))  # fmt: skip
    return mean(n, total, squares, nothing=NOTHING_SETTLED)


def minutes_a_page(rows: Sequence[DailyCount]) -> Estimate:
    n, total, squares = (sum(getattr(row, name) for row in rows) for name in
                         ("timed_pages", "page_seconds", "page_seconds_squared"))  # fmt: skip
    return mean(n, total / 60, squares / 3600, nothing="the time it took is not known of any settled page")


def cost(project: Project, days: Sequence[DailyCount], shown: Shown) -> dict[str, Any]:
    """Answers and minutes of people's time that a settled page took, and the same by week."""
    rows = shown.rows(days)
    answers, minutes = answers_a_page(rows), minutes_a_page(rows)
    if answers.value is None:
        return {"heading": "What a settled page costs", "why": f"Cannot tell yet: {answers.reason}."}
    by_week: defaultdict[date, list[DailyCount]] = defaultdict(list)
    for row in rows:
        if row.pages:
            by_week[pace.monday_of(row.day)].append(row)
    weeks = [(week, answers_a_page(of_week), minutes_a_page(of_week)) for week, of_week in sorted(by_week.items())]
    time = (
        f" and {phrases.number(minutes.value, places=1)} minutes of people’s time" if minutes.value is not None else ""
    )
    return {
        "heading": f"A settled page takes {phrases.number(answers.value, places=1)} answers{time}",
        "caption": f"Pages answered here alone and settled in {shown.words}{shown.of_stream}"
        f"{'' if shown.stream else ', time to decide included'}; 95 % interval of the mean.",
        "facts": [
            ("Settled", phrases.counted(answers.n, "page")),
            ("Answers a page", mean_in_words(answers)),
            ("Minutes a page", mean_in_words(minutes)),
        ],
        "against_fixed": _against_fixed(project, answers),
        "weeks": [(week, f"{one.n:,}", mean_in_words(one), mean_in_words(two)) for week, one, two in weeks],
        "csv": (
            HEAD,
            [[week.isoformat(), one.n, *ends(one), *ends(two)] for week, one, two in weeks],
        ),
    }


def _against_fixed(project: Project, answers: Estimate) -> str:
    """Adaptive overlap beside asking as many people of every page, only where the interval supports the difference."""
    if not project.adaptive or answers.low is None or answers.high is None:
        return ""
    adaptive, most = "Further people are asked only where the answers leave doubt", project.overlap_most
    if answers.high >= most:
        return f"{adaptive}; whether that costs less than {most} answers to every page cannot be told yet."
    saved = " to ".join(f"{100 * (1 - end / most):.0f}" for end in (answers.high, answers.low))
    return f"{adaptive}: {saved} % fewer answers than {most} to every page."


def mean_in_words(found: Estimate) -> str:
    if found.value is None:
        return f"cannot tell yet: {found.reason}"
    value = phrases.number(found.value, places=1)
    if found.low is None or found.high is None:
        return f"{value}, no interval yet (n {found.n:,})"
    return f"{value} ({phrases.number(found.low, places=1)} to {phrases.number(found.high, places=1)})"
