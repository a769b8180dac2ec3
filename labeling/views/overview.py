"""The first page of a project: how things stand in one sentence, what to do next, and the pictures behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling import daily_counts, fits, permissions, phrases, project_counts, reports, standing
from labeling.models import DailyCount, Judgment, Project
from labeling.project_counts import Counts
from labeling.standing import Obstacle
from labeling.views import agreement_parts, charts, costs, figures, queue_health
from labeling.views.annotate import progress
from labeling.views.csv_files import Csv, csv_file
from labeling.views.languages import speak_to
from labeling.views.shown import Shown
from labeling.web import PersonRequest, page

PEOPLE_SHOWN = 7
WEEKS_SHOWN = 8

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
    work = _work(request, project)
    now, report = work.counts, reports.of_project(project)
    names_people = permissions.sees_others(request.user, project, roles=request.roles)
    context = {
        "now": now,
        "counted_at": work.counted_at,
        "headline": standing.headline(now, report),
        "finding": standing.about_people(report.ticks_most, report.votes.names) if report.ticks_most else "",
        "step": _next_step(request, project, now, report, names_people=names_people),
        "also_decide": now.n_disputed and _may(request, project, "adjudication.list"),
        "steps": steps(now, charts.seconds_an_answer(work.days)),
        "shown": work.shown.choices(),
        "query": f"?stream={work.shown.stream}" if work.shown.stream else "",
        "queue_health": queue_health.queue_health(now, now=work.now),
    }
    if now.n_answers:
        of_stream = reports.of_project(project, stream=work.shown.stream) if work.shown.stream else report
        context |= {
            "forest": figures.forest(of_stream, names_people=names_people),
            "matrix": figures.matrix(of_stream, most=PEOPLE_SHOWN) if names_people else None,
            "progress_plot": work.progress(),
            "throughput": charts.throughput(work.days, work.shown),
            "cost": costs.cost(project, work.days, work.shown),
            "balance": figures.balance(of_stream, fits.prevalences(project)),
            "weeks": _trend(of_stream),
        }
    return render(request, "labeling/overview.html", context)


def _trend(report: reports.Report) -> dict[str, Any] | None:
    """Agreement on the weakest label, week by week, once there are two weeks to compare."""
    label = agreement_parts.chosen(report, "")
    weeks = agreement_parts.by_week(report, label, most=WEEKS_SHOWN) if label else None
    return weeks if weeks and len(weeks["rows"]) > 1 else None


@dataclass(frozen=True, slots=True)
class _Work:
    """What the figures about work are drawn from: read once, whichever of them are asked for."""

    project: Project
    shown: Shown
    now: datetime
    counts: Counts
    counted_at: datetime | None  # None: just now
    days: list[DailyCount]

    def progress(self) -> dict[str, Any]:
        return charts.progress(self.project, self.days, self.counts, today=self.shown.today)


def _work(request: PersonRequest, project: Project) -> _Work:
    now = timezone.now()
    counts, counted_at = project_counts.of_project(project)
    days = daily_counts.counted(project) if counted_at is None else daily_counts.kept(project)
    return _Work(project, Shown.asked(request.GET, today=now.date()), now, counts, counted_at, days)


FILES: dict[str, Callable[[_Work], Csv]] = {
    "progress": lambda work: work.progress().get("csv", (charts.PROGRESS_HEAD, [])),
    "days": lambda work: charts.days_csv(work.days, work.shown),
    "cost": lambda work: costs.cost(work.project, work.days, work.shown).get("csv", (costs.HEAD, [])),
    "queue": lambda work: queue_health.queue_health(work.counts, now=work.now)["csv"],
    "balance": lambda work: figures.balance_csv(
        reports.of_project(work.project, stream=work.shown.stream), fits.prevalences(work.project)
    ),
}


@require_GET
@page("agreement.read_project")
def overview_csv(request: PersonRequest, project: Project, figure: str) -> HttpResponse:
    """The numbers behind one figure, for the stream and the time that are shown."""
    if figure not in FILES:
        raise Http404
    return csv_file(f"{project.slug}-{figure}", *FILES[figure](_work(request, project)))


def _own_figures(request: PersonRequest, project: Project) -> HttpResponse:
    """What an annotator sees: their own pages, and the way to the next one."""
    speak_to(request)
    answered = Judgment.objects.current().filter(rater__user=request.user, rater__project=project).count()
    context = {"own": progress(request.user, project), "answered": answered}
    return render(request, "labeling/overview_own.html", context)


def _next_step(
    request: PersonRequest, project: Project, now: Counts, report: reports.Report, *, names_people: bool
) -> dict[str, str] | None:
    """The one button: what removes the biggest obstacle, if this person may do it."""
    found = standing.obstacle(now, report, names_people=names_people)
    words, name, action = STEPS[found]
    if not _may(request, project, action):
        return None
    if found == "people" and report.ticks_most is not None:
        words = f"Review {phrases.listed(report.ticks_most.codes)}"
    return {"words": words, "url": reverse(name, args=[project.slug]), "obstacle": found}


def steps(now: Counts, seconds: float | None) -> list[dict[str, Any]]:
    """From import to gate: each step's count, how far it is, and a few words."""
    refused = f"{phrases.counted(now.n_refused, 'row')} refused" if now.n_refused else "no row refused"
    return [
        _step("Imported", phrases.counted(now.n_pages, "page"), 1 if now.n_pages else 0, refused),
        _step("Answered", f"{now.n_answers:,} of {now.n_answers_wanted:,}", _share(now.n_answers, now.n_answers_wanted),
              f"{seconds:.0f} s an answer on average" if seconds else "no times are known"),
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
