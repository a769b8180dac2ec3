"""The first page of a project: how things stand in one sentence, what to do next, and the pictures behind it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling import permissions, phrases, reports, standing
from labeling.models import Judgment, Project
from labeling.standing import Obstacle, Standing
from labeling.views import figures
from labeling.views.annotate import progress
from labeling.views.languages import speak_to
from labeling.web import PersonRequest, page

PEOPLE_SHOWN = 7

# What removes each obstacle: the words on the button, the page it leads to, and who may go there.
STEPS: dict[Obstacle, tuple[str, str, str]] = {
    "import": ("Import a list", "labeling:import", "item.import"),
    "queue": ("Choose pages to ask about", "labeling:items", "item.list"),
    "answer": ("Invite annotators", "labeling:members", "member.add_remove_role"),
    "people": ("Review", "labeling:agreement", "agreement.read_per_annotator"),
    "decide": ("Adjudicate", "labeling:adjudicate", "adjudication.list"),
    "label": ("Open the weakest label", "labeling:agreement", "agreement.read_project"),
    "sample": ("Draw a gold sample", "labeling:samples", "sample.draw"),
    "freeze": ("Freeze a release", "labeling:releases", "release.cut"),
    "evaluate": ("See the release", "labeling:releases", "release.list_read"),
}


@require_GET
@page("dashboard.project")
def overview(request: PersonRequest, project: Project) -> HttpResponse:
    if not _may(request, project, "agreement.read_project"):
        return _own_figures(request, project)
    report = reports.of_project(project)
    now = standing.of_project(project, report)
    names_people = _may(request, project, "agreement.read_per_annotator")
    context = {
        "now": now,
        "headline": standing.headline(now, report),
        "finding": standing.about_people(report.ticks_most, report.votes.names) if report.ticks_most else "",
        "step": _next_step(request, project, now, report, names_people=names_people),
        "also_decide": now.n_disputed and _may(request, project, "adjudication.list"),
        "steps": steps(now, report),
    }
    if report.n_answers:
        today = timezone.now().date()
        context |= {
            "forest": figures.forest(report, names_people=names_people),
            "matrix": figures.matrix(report, most=PEOPLE_SHOWN) if names_people else None,
            "progress_plot": figures.progress(report, waiting=now.n_waiting, today=today),
            "throughput": figures.throughput(report, today=today),
            "balance": figures.balance(report),
        }
    return render(request, "labeling/overview.html", context)


def _own_figures(request: PersonRequest, project: Project) -> HttpResponse:
    """What an annotator sees: their own pages, and the way to the next one."""
    speak_to(request)
    answered = Judgment.objects.current().filter(rater__user=request.user, rater__project=project).count()
    context = {"own": progress(request.user, project), "answered": answered}
    return render(request, "labeling/overview_own.html", context)


def _next_step(
    request: PersonRequest, project: Project, now: Standing, report: reports.Report, *, names_people: bool
) -> dict[str, str] | None:
    """The one button: what removes the biggest obstacle, if this person may do it."""
    found = standing.obstacle(now, report, names_people=names_people)
    words, name, action = STEPS[found]
    if not _may(request, project, action):
        return None
    if found == "people" and report.ticks_most is not None:
        words = f"Review {phrases.listed(report.ticks_most.codes)}"
    return {"words": words, "url": reverse(name, args=[project.slug]), "obstacle": found}


def steps(now: Standing, report: reports.Report) -> list[dict[str, Any]]:
    """From import to gate: each step's count, how far it is, and a few words."""
    seconds = report.median_seconds
    refused = f"{phrases.counted(now.n_refused, 'row')} refused" if now.n_refused else "no row refused"
    return [
        _step("Imported", phrases.counted(now.n_pages, "page"), 1 if now.n_pages else 0, refused),
        _step("Answered", f"{now.n_answers:,} of {now.n_answers_wanted:,}", _share(now.n_answers, now.n_answers_wanted),
              f"median {seconds:.0f} s a page" if seconds else "no times are known"),
        _step("Disputed", phrases.counted(now.n_contested, "page"),
              _share(now.n_contested, now.n_contested + now.n_agreed),
              f"{now.n_agreed:,} without a dispute"),
        _step("Decided", f"{now.n_decided:,} of {now.n_contested:,}", _share(now.n_decided, now.n_contested),
              f"{phrases.counted(now.n_disputed, 'page')} {'is' if now.n_disputed == 1 else 'are'} open"),
        _step("Gold", now.release or "none yet", 1 if now.release else 0,
              "the newest release" if now.release else
              f"{phrases.counted(now.n_samples, 'sample')} drawn" if now.n_samples else "no sample is drawn yet"),
        _step("Gate", "cannot tell yet", 0, "no model is judged yet" if now.release else "needs a first release"),
    ]  # fmt: skip


def _step(name: str, value: str, share: float, words: str) -> dict[str, Any]:
    return {"name": name, "value": value, "percent": f"{100 * share:.0f}", "part": 0 < share < 1, "words": words}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _may(request: PersonRequest, project: Project, action: str) -> bool:
    return permissions.may(request.user, action, project, roles=request.roles)
