"""What the figures of the overview and the agreement page show: the rows their fragments draw."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from labeling import pace, phrases, plots, standing
from labeling.quality.intervals import Estimate
from labeling.repeats import Consistency
from labeling.reports import LabelReport, Report

YES_OF_A_PAGE = ("one", "two", "three or more")  # as bars, from left to right
DAYS_SHOWN = 28
BARS_HEIGHT = 120
TICKS_OF_SHARES = [(plots.Scale(0.0, 1.0).percent(value), f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]
NEAR_THE_EDGE = 75  # percent of the width: a word centred there would leave the card
# Why there is no forecast, in words.
NO_FORECAST: dict[pace.Unknown, str] = {
    "too little work": "When the rest is in cannot be told yet: two whole weeks with answers are needed.",
    "too far away": "When the rest is in cannot be told: at the pace of these weeks it may take more than five years.",
}


def forest(report: Report, *, names_people: bool) -> dict[str, Any]:
    """Alpha per label on bands, the surest first; beside it alpha without those who tick most, if that says more."""
    found = report.ticks_most if report.ticks_most is not None and report.ticks_most.matters else None
    without = {label.key: label.alpha for label in found.without.labels} if found else {}
    axis = plots.Forest.of([label.alpha for label in report.labels] + list(without.values()))
    people = phrases.counted(report.n_people, "person", "people")
    left_out = phrases.listed(found.codes) if found and names_people else "them"
    return {
        "heading": standing.agreement_finding(report),
        "caption": f"Krippendorff’s alpha with 95 % interval over pages, {people}.",
        "left_out": left_out if found else "",
        "axis": axis,
        "rows": [_forest_row(label, axis, without.get(label.key)) for label in report.by_lower_end],
    }


def _forest_row(label: LabelReport, axis: plots.Forest, without: Estimate | None) -> dict[str, Any]:
    alpha = label.alpha
    return {
        "key": label.key,
        "name": label.name,
        "mark": axis.interval(alpha),
        "mark_without": axis.interval(without) if without else None,
        "value": phrases.number(alpha.value) if alpha.value is not None and alpha.low is not None else "",
        "value_without": phrases.number(without.value) if without and without.value is not None else "",
        "words": phrases.estimate(alpha),
        "words_without": phrases.estimate(without) if without else "",
        "too_few": phrases.too_few(alpha),
        "reading": reading_in_words(label),
        "ac1": phrases.estimate(label.ac1),
        "positive": phrases.estimate(label.positive_agreement),
        "negative": phrases.estimate(label.negative_agreement),
        "prevalence": phrases.estimate(label.prevalence),
        "n_items": label.n_items,
        "n_positive": label.n_positive,
        "warning": alpha.reason if alpha.value is not None and alpha.reason else "",
    }


def reading_in_words(label: LabelReport) -> str:
    if label.reading == "cannot tell yet":
        return f"cannot tell yet: {phrases.counted(label.positives_needed, 'more positive page')} needed"
    return "revise the guideline" if label.reading == "revise" else str(label.reading)


def matrix(report: Report, *, most: int) -> dict[str, Any]:
    """The lower triangle of kappa between the busiest people, those who agree most first."""
    shown = report.busiest(most)
    odd = set(report.ticks_most.raters if report.ticks_most else ())
    codes = report.votes.codes
    pairs = {(row, column): report.pair(row, column) for place, row in enumerate(shown) for column in shown[:place]}
    rows = [
        {"code": codes[row], "odd": row in odd, "cells": [_cell(pairs[row, column]) for column in shown[:place]]}
        for place, row in enumerate(shown)
        if place
    ]
    numbers = sorted(pairs.items(), key=lambda pair: -(pair[1].value if pair[1].value is not None else -2))
    return {
        "heading": standing.pairs_finding(report, shown),
        "n_labels": len(report.votes.keys),
        "n_shown": len(shown),
        "rows": rows,
        "columns": [{"code": codes[rater], "odd": rater in odd} for rater in shown[:-1]],
        "say": _ticks_in_words(report, shown),
        "say_columns": max(len(shown) - 3, 0),
        "numbers": [
            {"pair": f"{codes[column]}, {codes[row]}", "words": phrases.estimate(found), "n": found.n}
            for (row, column), found in numbers
        ],
    }


def _cell(found: Estimate) -> dict[str, Any]:
    known = found.value is not None
    return {
        "class": plots.heat_class(found.value) if found.value is not None else "hx",
        "value": phrases.number(found.value) if known and found.value is not None else "",
        "n": found.n,
    }


def _ticks_in_words(report: Report, shown: list[int]) -> dict[str, str] | None:
    found = report.ticks_most
    odd = [float(report.ticks[rater]) for rater in shown if found and rater in found.raters]
    rest = [float(report.ticks[rater]) for rater in shown if not (found and rater in found.raters)]
    if not odd or not rest:
        return None
    return {
        "odd": phrases.listed([phrases.number(n, places=1) for n in sorted(odd)]),
        "rest": f"{phrases.number(min(rest), places=1)} to {phrases.number(max(rest), places=1)}",
        "n_rest": phrases.count(len(rest)),
    }


def paradoxes(report: Report) -> list[dict[str, Any]]:
    """Labels on which AC1 and alpha say different things, each with its pooled table."""
    found = []
    for label in report.labels:
        if label.is_paradox:
            table = label.two_by_two
            table["one"] *= 2  # either of the two may be the one who says yes
            whole = sum(table.values()) or 1
            found.append(
                {"name": label.name, "ac1": phrases.estimate(label.ac1), "alpha": phrases.estimate(label.alpha)}
                | {name: phrases.share(part / whole) for name, part in table.items()}
            )
    return found


def balance(report: Report) -> dict[str, Any]:
    """Pages with one, two, three yes: small multiples on one scale, the commonest label first.

    No more bars than one page has answers: where everyone judged alone, two yes cannot be.
    """
    labels = sorted(report.labels, key=lambda label: -sum(label.pages_with_yes()))
    most = report.answers_per_page[1]
    counts = [label.pages_with_yes(min(most, len(YES_OF_A_PAGE))) for label in labels]
    drawn = plots.minis(counts)
    some_yes = sum(sum(row) for row in counts)
    rare = most == 3 and some_yes and sum(row[-1] for row in counts) / some_yes < 0.2
    return {
        "heading": "Three yes of three are rare" if rare else "How often people say yes",
        "caption": f"Pages with {phrases.listed(YES_OF_A_PAGE[:most])} yes; one scale.",
        "columns": YES_OF_A_PAGE[:most],
        "rows": [
            {"name": label.name, "bars": bars, "counts": row, "prevalence": phrases.estimate(label.prevalence),
             "words": ", ".join(f"{n:,} with {name} yes" for n, name in zip(row, YES_OF_A_PAGE, strict=False))}
            for label, bars, row in zip(labels, drawn, counts, strict=True)
        ],
    }  # fmt: skip


def progress(report: Report, *, waiting: int, today: date) -> dict[str, Any]:
    """Answers given here by week, towards all that are asked for here; imported ones cost nobody's time."""
    weeks = pace.by_week(report.answers_by_day, today=today)
    if not weeks:
        return {"heading": "When all answers will be in", "why": _nobody_yet(report, waiting=waiting)}
    given = weeks[-1][1]
    drawn = pace.burn_up(weeks, goal=given + waiting, rng=np.random.default_rng(len(weeks)))
    heading, note = _outlook(drawn, given=given, goal=given + waiting, today=today)
    return {
        "heading": heading,
        "caption": f"Answers given here, by week.{_left_out(report.n_answers - given)}",
        "note": note,
        "plot": drawn,
        "given": f"{given:,}",
        "goal": f"{given + waiting:,}",
        "anchor": "e" if drawn.forecast and float(drawn.forecast.finish_x) > NEAR_THE_EDGE else "m",
        "rows": [(week, f"{total:,}") for week, total in weeks],
    }


def _outlook(drawn: pace.BurnUp, *, given: int, goal: int, today: date) -> tuple[str, str]:
    """What the burn-up says as a heading, and in a sentence how sure that is or why it cannot be told."""
    if drawn.forecast:
        earliest, finish, latest = (
            _day(day, today=today) for day in (drawn.forecast.earliest, drawn.forecast.finish, drawn.forecast.latest)
        )
        between = f"between {earliest} and {latest}" if earliest != latest else f"by {finish}"
        note = f"9 in 10 forecasts end {between}; 5 in 10 in the darker part."
        return f"All answers may be in by about {finish}", note
    if given >= goal:
        return "All answers asked for are in", ""
    return f"{given:,} of {goal:,} answers are in", NO_FORECAST[drawn.unknown] if drawn.unknown else ""


def _left_out(n_imported: int) -> str:
    if not n_imported:
        return ""
    return f" {phrases.counted(n_imported, 'imported one')} {'is' if n_imported == 1 else 'are'} left out."


def _nobody_yet(report: Report, *, waiting: int) -> str:
    """Why nothing can be said about work over time: what is known came from a file."""
    n = phrases.counted(report.n_answers, "answer")
    known = f"the {n} known so far {'was' if report.n_answers == 1 else 'were'} imported"
    if not waiting:
        return f"Cannot tell yet: nobody is asked for answers here, and {known}. Queue pages to begin."
    first = f"the first of {waiting:,} answers" if waiting > 1 else "the one answer"
    return f"Cannot tell yet: {first} asked for here is still to come, and {known}."


def throughput(report: Report, *, today: date) -> dict[str, Any]:
    """Answers given here on each of the last 28 days."""
    by_day = report.answers_by_day
    if not by_day:
        return {"heading": "Answers a day", "why": "Cannot tell yet: no answer has been given here so far."}
    days = [today - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    counts = [by_day.get(day, 0) for day in days]
    worked = [n for n in counts if n]
    if not worked:
        last = _day(max(by_day), today=today)
        return {"heading": "No answer in four weeks", "why": f"The last answer was given on {last}."}
    return {
        "heading": f"{phrases.counted(sum(worked), 'answer')} in four weeks, on {phrases.counted(len(worked), 'day')}",
        "caption": f"Answers given here, by day, to {_day(today, today=today)}.",
        "rows": [
            {"day": day, "n": f"{n:,}", "bar": bar, "is_most": n == max(counts)}
            for day, n, bar in zip(days, counts, plots.bars(counts, height=BARS_HEIGHT), strict=True)
        ],
        "most": f"{max(counts):,}",
        "first": _day(days[0], today=today),
        "last": _day(today, today=today),
    }


def _day(day: date, *, today: date) -> str:
    """ "3 October" on one line; with its year when that is another one."""
    return f"{day.day}\u00a0{day:%B}" + (f"\u00a0{day.year}" if day.year != today.year else "")


# ---- one person -----------------------------------------------------------------------------------------------------
def consistency_rows(found: Consistency | None) -> list[dict[str, str]]:
    """How a person agrees with themself, label by label."""
    if found is None:
        return []
    return [
        {
            "name": label.name,
            "same": phrases.estimate(label.found.same),
            "kappa": phrases.estimate(label.found.kappa),
            "n": f"{label.found.same.n:,}",
        }
        for label in found.labels
    ]
