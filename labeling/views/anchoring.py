"""What suggestions do to people's answers, as the page of quality shows it."""

from typing import Any

from labeling import anchoring, phrases
from labeling.models import Project
from labeling.plots import Forest, Scale
from labeling.quality.anchoring import Anchoring, Halves
from labeling.quality.intervals import Estimate

AXIS = Forest(Scale(0.0, 1.0))
TICKS = ((0.0, "0"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %"))


def section(project: Project) -> dict[str, Any] | None:
    """None where no model ever said anything of a page that was given out."""
    if not anchoring.has_any(project):
        return {"is_waiting": True} if project.suggests else None
    report = anchoring.report(project)
    return {
        "heading": anchoring.heading(report.pooled),
        "sentence": anchoring.sentence(report.pooled),
        "measured_against": anchoring.MEASURED_AGAINST,
        "counts": (f"{report.n_shown:,}", f"{report.n_hidden:,}"),
        "ticks": [(AXIS.scale.percent(value), words) for value, words in TICKS],
        "rows": [_row(name, halves) for name, halves in _kinds(report.pooled)],
        "numbers": [_numbers("All labels", kind, halves) for kind, halves in _kinds(report.pooled)]
        + [
            _numbers(label.name, kind, halves)
            for label in report.labels
            for kind, halves in _kinds(label.found)
            if halves.shown.n or halves.hidden.n
        ],
        "alphas": [
            {"name": label.name, "shown": _alpha(label.alpha_shown), "hidden": _alpha(label.alpha_hidden)}
            for label in report.labels
        ],
    }


def _kinds(found: Anchoring) -> list[tuple[str, Halves]]:
    return [
        ("agreed, wrong", found.accepted),
        ("wrong yes", found.accepted_yes),
        ("wrong no", found.accepted_no),
        ("yes after its yes", found.yes_after_yes),
        ("yes after its no", found.yes_after_no),
    ]


def _row(name: str, halves: Halves) -> dict[str, Any]:
    shown, hidden = AXIS.interval(halves.shown), AXIS.interval(halves.hidden)
    return {
        "name": name,
        "shown": shown,
        "hidden": hidden,
        "words": f"shown {phrases.percents(halves.shown)}, hidden {phrases.percents(halves.hidden)}",
        "shift": phrases.points(halves.shift).split(" (")[0] if halves.shift.value is not None else "",
        "too_few": halves.shift.reason or "",
    }


def _numbers(label: str, kind: str, halves: Halves) -> dict[str, Any]:
    return {
        "label": label,
        "kind": kind,
        "shown": _share(halves.shown),
        "n_shown": halves.shown.n,
        "hidden": _share(halves.hidden),
        "n_hidden": halves.hidden.n,
        "shift": phrases.points(halves.shift) if halves.shift.value is not None else "too few",
    }


def _share(found: Estimate) -> str:
    return phrases.percents(found) if found.value is not None else phrases.too_few(found)


def _alpha(found: Estimate) -> str:
    return phrases.estimate(found)
