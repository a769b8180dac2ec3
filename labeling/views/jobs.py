"""Is anything stuck? Running, waiting and failed work, each with its last sign of life."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from labeling import jobs
from labeling.models import Heartbeat, Job, Project
from labeling.refusals import Refused
from labeling.web import PersonRequest, page, page_or_fragment

NAMES = {
    "import": "Import of pages",
    "judgment_import": "Import of answers",
    "train": "Training",
    "batch": "Choice of a batch",
    "score": "Scoring",
    "freeze": "Freezing a release",
    "ask_new_labels": "Asking about new labels",
    "ask_again": "Asking again about drawn pages",
    "release": "Release",
    "export": "Export",
    "draw": "Sample",
    "recount": "Counting answers again",
    "refit": "Learning how far answers are believed",
    "summaries": "Counting for the dashboards",
    "conduct": "Counting weeks of people",
    "doubts": "Ranking doubtful pages",
    "accept": "Accepting what all agree on",
    "rejudge": "Drawing pages to judge again",
    "expectations": "Expected exposure",
}
FINISHED_SHOWN = 20


@require_GET
@page("job.status")
def job_list(request: PersonRequest, project: Project) -> HttpResponse:
    mine = Job.objects.visible_to(request.user).filter(project=project).select_related("created_by", "import_run")
    groups = [
        ("Running", list(mine.filter(state=Job.State.RUNNING).order_by("started_at"))),
        ("Waiting", list(mine.filter(state=Job.State.QUEUED).order_by("created_at")[:100])),
        ("Failed", list(mine.filter(state=Job.State.FAILED).order_by("-finished_at")[:FINISHED_SHOWN])),
        (
            "Finished",
            list(
                mine.filter(state__in=[Job.State.DONE, Job.State.CANCELLED]).order_by("-finished_at")[:FINISHED_SHOWN]
            ),
        ),
    ]
    context = {
        "groups": [(title, [_row(job) for job in found]) for title, found in groups if found],
        "is_busy": any(found for title, found in groups[:2]),
        "words": _words(*(len(found) for _, found in groups[:3])),
        "worker": Heartbeat.objects.filter(process="worker").first(),
        "now": timezone.now(),
    }
    return page_or_fragment(request, "labeling/jobs.html", "labeling/_jobs.html", context)


@require_POST
@page("import.cancel")
def cancel(request: PersonRequest, project: Project, job_id: Any) -> HttpResponse:
    return _tell(request, project, job_id, jobs.cancel, "Cancelled. What was done before is kept.")


@require_POST
@page("import.cancel")
def retry(request: PersonRequest, project: Project, job_id: Any) -> HttpResponse:
    return _tell(request, project, job_id, jobs.retry, "Waiting to be tried again.")


def _tell(request: PersonRequest, project: Project, job_id: Any, act: Any, sentence: str) -> HttpResponse:
    job = get_object_or_404(Job.objects.visible_to(request.user), project=project, pk=job_id)
    try:
        act(job, by=request.user)
        messages.success(request, sentence)
    except Refused as refused:
        messages.error(request, refused.sentence)
    return redirect("labeling:jobs", project.slug)


def _row(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "name": NAMES.get(job.kind, job.kind.replace("_", " ").capitalize()),
        "run": getattr(job, "import_run", None),
        "may_cancel": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "may_retry": job.state in (Job.State.FAILED, Job.State.CANCELLED),
    }


def _words(running: int, waiting: int, failed: int) -> str:
    if failed:
        return f"{failed} {'job' if failed == 1 else 'jobs'} failed. Read why, then try again."
    if running or waiting:
        return f"{running} running, {waiting} waiting. Nothing is stuck."
    return "Nothing is running, nothing is stuck."
