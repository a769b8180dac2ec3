"""How far answers are believed: what the last fit learned, whether its probabilities came true, and learning anew."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from labeling import fits, jobs, permissions, phrases, refits, schemas
from labeling.models import ConsensusFit, Job, Project
from labeling.plots import Scale, bars
from labeling.quality.intervals import Estimate
from labeling.views.csv_files import csv_file, ends
from labeling.web import PersonRequest, page

AXIS = Scale(0.0, 1.0)
MARKS = (0, 0.25, 0.5, 0.75, 1)
BARS_HEIGHT = 56
BINS_HEAD = ["low", "high", "decided_labels", "mean_probability", "share_yes", "share_yes_low", "share_yes_high"]
LABELS_HEAD = ["label", "share_of_pages", "share_low", "share_high", "finds", "leaves_alone", "expected_error", "n"]


@require_GET
@page("agreement.read_project")
def consensus(request: PersonRequest, project: Project) -> HttpResponse:
    """The last fit; who manages the project may ask for another."""
    made = fits.newest(project)
    job = jobs.newest(project, refits.KIND)
    context = {
        "made": made,
        "headline": _headline(made),
        "basis": _basis(made) if made else "",
        "plot": _plot(made) if made and made.n_decisions and made.calibration.get("bins") else None,
        "labels": _labels(project, made) if made else [],
        "is_learning": job is not None and job.state in {Job.State.QUEUED, Job.State.RUNNING},
        "failed": job.message if job is not None and job.state == Job.State.FAILED else "",
        "is_due": made is not None and refits.is_due(project),
        "may_refit": permissions.may(request.user, "project.update_settings", project, roles=request.roles),
    }
    return render(request, "labeling/consensus.html", context)


@require_POST
@page("project.update_settings")
def refit(request: PersonRequest, project: Project) -> HttpResponse:
    refits.request(project, by=request.user)
    messages.success(request, "What people know is being learned again; you may leave this page.")
    return redirect("labeling:consensus", project.slug)


@require_GET
@page("agreement.read_project")
def calibration_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Decided labels by the probability they were given without that decision, and what was decided."""
    rows = [
        [one["low"], one["high"], one["n"], _cell(one["mean_p"]), *ends(Estimate(**one["share_yes"]))]
        for one in _bins(fits.newest(project))
    ]
    return csv_file(f"{project.slug}-calibration", BINS_HEAD, rows)


@require_GET
@page("agreement.read_project")
def learned_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """What was learned of each label."""
    made = fits.newest(project)
    rows = [
        [row["label"], *ends(Estimate(**row["prevalence"])), row["sensitivity"], row["specificity"],
         _cell(row["expected_error"]["value"]), row["expected_error"]["n"]]
        for row in (made.labels if made else [])
    ]  # fmt: skip
    return csv_file(f"{project.slug}-learned", LABELS_HEAD, rows)


# ---- in words -------------------------------------------------------------------------------------------------------
def _headline(made: ConsensusFit | None) -> str:
    if made is None:
        return "Nothing was learned yet of how far answers can be believed"
    if not made.n_decisions:
        return "No decision says yet whether the probabilities hold"
    off = [one for one in _bins(made) if _is_off(one)]
    if not off:
        return "Decisions do not contradict the probabilities"
    one = max(off, key=lambda one: one["n"])
    how = "more" if one["share_yes"]["value"] > one["mean_p"] else "fewer"
    return (
        f"Where answers say {100 * one['low']:.0f} to {100 * one['high']:.0f} %, people decided yes {how} often: "
        f"{phrases.percents(Estimate(**one['share_yes']))}"
    )


def _is_off(one: dict[str, Any]) -> bool:
    """For certain: the mean probability lies outside the interval of what was decided."""
    said = one["share_yes"]
    return one["mean_p"] is not None and said["low"] is not None and not said["low"] <= one["mean_p"] <= said["high"]


def _basis(made: ConsensusFit) -> str:
    answers, decisions = phrases.counted(made.n_judgments, "answer"), phrases.counted(made.n_decisions, "decision")
    pages = phrases.counted(made.n_items, "page")
    if made.temperature_reason:
        cooled = f"Log odds are divided by the usual {made.temperature:.1f}: {made.temperature_reason}."
    else:
        decided = phrases.counted(made.temperature_n, "decided label")
        cooled = f"Log odds are divided by {made.temperature:.1f}, as {decided} have taught; 1 leaves them as they are."
    return f"Learned from {answers} to {pages} and {decisions}. {cooled}"


def _labels(project: Project, made: ConsensusFit) -> list[dict[str, str]]:
    schema = schemas.in_force_if_any(project)
    names = {label.key: label.name for label in schema.labels} if schema else {}
    return [
        {
            "name": names.get(row["label"], row["label"]),
            "share": phrases.share_of_pages(Estimate(**row["prevalence"])),
            "finds": phrases.share(row["sensitivity"]),
            "leaves": phrases.share(row["specificity"]),
            "wrong": _error(Estimate(**row["expected_error"])),
            "reason": row["reason"] or "",
        }
        for row in made.labels
    ]


def _error(found: Estimate) -> str:
    return phrases.share(found.value) if found.value is not None else found.reason or "cannot tell yet"


# ---- the plot -------------------------------------------------------------------------------------------------------
def _bins(made: ConsensusFit | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.calibration.get("bins", []) if made else []
    return found


def _plot(made: ConsensusFit) -> dict[str, Any]:
    """Dots with intervals beside the diagonal; below, on the same x, how many decided labels each rests on."""
    found = _bins(made)
    drawn = bars([one["n"] for one in found], height=BARS_HEIGHT)
    loss = Estimate(**made.calibration["log_loss"])
    return {
        "dots": [_dot(one) for one in found if one["n"]],
        "counts": [
            {"bar": bar, "n": f"{one['n']:,}" if one["n"] else ""} for bar, one in zip(drawn, found, strict=True)
        ],
        "marks": [(AXIS.percent(value), AXIS.percent(1 - value), f"{value:g}") for value in MARKS],
        "rows": [_row(one) for one in found],
        "n": f"{sum(one['n'] for one in found):,}",
        "loss": phrases.estimate(loss),
        "height": BARS_HEIGHT,
    }


def _dot(one: dict[str, Any]) -> dict[str, str]:
    said = one["share_yes"]
    return {"x": AXIS.percent(one["mean_p"]), "y": AXIS.percent(1 - said["value"]),
            "low": AXIS.percent(1 - said["low"]), "high": AXIS.percent(1 - said["high"])}  # fmt: skip


def _row(one: dict[str, Any]) -> dict[str, str]:
    return {
        "range": f"{100 * one['low']:.0f} to {100 * one['high']:.0f} %",
        "mean": phrases.share(one["mean_p"]) if one["mean_p"] is not None else "none",
        "yes": phrases.percents(Estimate(**one["share_yes"])) if one["n"] else "none was decided",
        "n": f"{one['n']:,}",
    }


def _cell(value: float | None) -> float | str:
    return "" if value is None else value
