"""What the rules for doubtful pages come to, as typed and as in force, shown before anything is saved."""

from collections.abc import Mapping
from typing import Any

from labeling import overlap_forecasts, phrases
from labeling.models import Project
from labeling.overlap_forecasts import DRAWN, ORDINARY, Outlook
from labeling.quality.intervals import Estimate

KINDS = ((ORDINARY, "Ordinary pages"), (DRAWN, "Pages of evaluation samples"))
NOT_TIMED = "not known: no answer or decision was timed yet"


def outlook(project: Project, typed: Mapping[str, Any]) -> dict[str, Any]:
    """For the settings page. `typed`: settings by name, of which those of overlap count."""
    then = overlap_forecasts.with_rules(project, typed)
    kinds = [
        _kind(title, overlap_forecasts.of(project, stream=stream), overlap_forecasts.of(then, stream=stream))
        for stream, title in KINDS
    ]
    known = [kind for kind in kinds if kind["rows"]]
    return {
        "kinds": kinds,
        "heading": known[0]["sentence"] if known else "What it comes to cannot be told yet",
    }


def _kind(title: str, now: Outlook | str, then: Outlook | str) -> dict[str, Any]:
    if isinstance(then, str):
        return {"title": title, "why": then, "rows": []}
    before = now if isinstance(now, Outlook) else None
    return {
        "title": title,
        "sentence": _sentence(then),
        "n_pages": f"{then.n_pages:,}",
        "why_not_now": now if isinstance(now, str) else "",
        "rows": [(name, said(before) if before else "", said(then)) for name, said in MEASURES.items()],
        "labels": [
            (name, phrases.share(float(before.forecast.label_errors[place])) if before else "",
             phrases.share(float(then.forecast.label_errors[place])))
            for place, name in enumerate(then.names)
        ],
    }  # fmt: skip


def _sentence(found: Outlook) -> str:
    answers, decisions = round(1000 * found.answers), round(1000 * (found.forecast.adjudicated.value or 0))
    wrong = 1000 * (found.forecast.wrong.value or 0)
    return (
        f"As typed, 1,000 pages take about {phrases.counted(answers, 'answer')} and "
        f"{phrases.counted(decisions, 'decision')}, and keep about {phrases.counted(round(wrong), 'wrong label')}"
    )


def _answers(found: Outlook) -> str:
    return _ranged(found.forecast.judgments, more=found.answers - float(found.forecast.n_judgments.mean()))


def _decisions(found: Outlook) -> str:
    return _ranged(found.forecast.adjudicated)


def _wrong(found: Outlook) -> str:
    return _ranged(found.forecast.wrong)


def _hours(found: Outlook) -> str:
    return NOT_TIMED if found.hours is None else phrases.counted(round(found.hours), "hour")


def _ranged(found: Estimate, *, more: float = 0.0) -> str:
    """For 1,000 pages, with the interval over pages."""
    if found.value is None:
        return found.reason or "cannot tell yet"
    value = f"{1000 * (found.value + more):,.0f}"
    if found.low is None or found.high is None:
        return value
    return f"{value} ({1000 * (found.low + more):,.0f} to {1000 * (found.high + more):,.0f})"


MEASURES = {
    "Answers": _answers,
    "Pages a person decides": _decisions,
    "Wrong labels that stay": _wrong,
    "People’s time": _hours,
}
