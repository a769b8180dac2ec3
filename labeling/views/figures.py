"""What the figures of the overview and the agreement page show: the rows their fragments draw."""

from collections.abc import Mapping
from typing import Any

from labeling import phrases, plots, standing
from labeling.label_reports import LabelReport
from labeling.pair_sums import FEWEST_IN_COMMON
from labeling.quality.intervals import Estimate, undefined
from labeling.repeats import Consistency
from labeling.reports import Report
from labeling.sums import Question
from labeling.views.csv_files import Csv, ends

YES_OF_A_PAGE = ("one", "two", "three or more")  # as bars, from left to right
BALANCE_HEAD = [
    "label", "pages_one_yes", "pages_two_yes", "pages_three_or_more_yes", "share_of_answers", "share_of_answers_low",
    "share_of_answers_high", "share_of_pages", "share_of_pages_low", "share_of_pages_high", "reason",
]  # fmt: skip
NOT_LEARNED = "cannot tell yet: no pages drawn by chance were counted"
TICKS_OF_SHARES = [(plots.Scale(0.0, 1.0).percent(value), f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]


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


def matrix(report: Report, *, most: int, key: str | None = None) -> dict[str, Any]:
    """The lower triangle of kappa between the busiest people, those who agree most first; on one label or pooled."""
    shown = report.busiest(most, key=key)
    odd = set(report.ticks_most.raters if report.ticks_most else ())
    codes, ids = report.votes.codes, report.votes.rater_ids
    pairs = {
        (row, column): report.pair(row, column, key) for place, row in enumerate(shown) for column in shown[:place]
    }
    rows = [
        {
            "code": codes[row],
            "odd": row in odd,
            "cells": [
                _cell(pairs[row, column]) | _who(codes[column], ids[column], codes[row], ids[row])
                for column in shown[:place]
            ],
        }
        for place, row in enumerate(shown)
        if place
    ]
    numbers = sorted(pairs.items(), key=lambda pair: -(pair[1].value if pair[1].value is not None else -2))
    return {
        "heading": standing.pairs_finding(report, shown) if key is None else "Who agrees with whom",
        "over": _over(report, key),
        "n_shown": len(shown),
        "n_people": report.n_people,
        "rows": rows,
        "columns": [{"code": codes[rater], "odd": rater in odd} for rater in shown[:-1]],
        "say": _ticks_in_words(report, shown) if key is None else None,
        "say_columns": max(len(shown) - 3, 0),
        "numbers": [
            {"pair": f"{codes[column]}, {codes[row]}", "words": phrases.estimate(found), "n": found.n}
            for (row, column), found in numbers
        ],
    }


def _over(report: Report, key: str | None) -> str:
    if key is None:
        return f"over all {len(report.votes.keys)} labels"
    return f"on {report.votes.names[report.votes.keys.index(key)]}"


def _who(first: str, first_id: int, second: str, second_id: int) -> dict[str, Any]:
    return {"pair": f"{first} and {second}", "first": first_id, "second": second_id}


def _cell(found: Estimate) -> dict[str, Any]:
    known = found.value is not None and found.n >= FEWEST_IN_COMMON
    return {
        "class": plots.heat_class(found.value) if known and found.value is not None else "hx",
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


def balance(report: Report, of_all: Mapping[Question, Estimate]) -> dict[str, Any]:
    """Pages with one, two, three yes: small multiples on one scale, the commonest label first.

    No more bars than one page has answers: where everyone judged alone, two yes cannot be. `of_all`: the share of all
    pages on which a label holds, by pages drawn by chance; pages that were chosen say nothing of the others.
    """
    labels = sorted(report.labels, key=lambda label: -sum(label.pages_with_yes()))
    most = report.answers_per_page[1]
    counts = [label.pages_with_yes(min(most, len(YES_OF_A_PAGE))) for label in labels]
    drawn = plots.minis(counts)
    some_yes = sum(sum(row) for row in counts)
    rare = most == 3 and some_yes and sum(row[-1] for row in counts) / some_yes < 0.2
    shares = _shares(report, of_all)
    return {
        "heading": "Three yes of three are rare" if rare else "How often people say yes",
        "caption": f"Pages with {phrases.listed(YES_OF_A_PAGE[:most])} yes; one scale.",
        "columns": YES_OF_A_PAGE[:most],
        "is_known": any(share.value is not None for share in shares.values()),
        "rows": [
            {"name": label.name, "bars": bars, "counts": row, "answers": phrases.percents(label.prevalence),
             "pages": phrases.share_of_pages(shares[label.key]),
             "words": ", ".join(f"{n:,} with {name} yes" for n, name in zip(row, YES_OF_A_PAGE, strict=False))}
            for label, bars, row in zip(labels, drawn, counts, strict=True)
        ],
    }  # fmt: skip


def balance_csv(report: Report, of_all: Mapping[Question, Estimate]) -> Csv:
    """Every label: pages by how many said yes, the share of answers and the share of all pages."""
    shares = _shares(report, of_all)
    rows = [
        [label.key, *label.pages_with_yes(len(YES_OF_A_PAGE)), *ends(label.prevalence), *ends(shares[label.key]),
         shares[label.key].reason]
        for label in report.labels
    ]  # fmt: skip
    return BALANCE_HEAD, rows


def _shares(report: Report, of_all: Mapping[Question, Estimate]) -> dict[str, Estimate]:
    """A label that asks something else than when this was estimated has none."""
    questions = dict(zip(report.votes.keys, report.votes.questions, strict=True))
    return {label.key: of_all.get(questions[label.key], undefined(NOT_LEARNED)) for label in report.labels}


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
