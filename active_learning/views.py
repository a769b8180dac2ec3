"""The learning page, one batch, and the live fragment of their jobs."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from active_learning import batches, standing, training
from active_learning.forms import BatchForm
from active_learning.models import BatchItem
from active_learning.strategies.names import STRATEGY_TITLES
from labeling import permissions, schemas
from labeling.models import Job, Project, Stream
from labeling.refusals import Refused, Unacceptable
from labeling.web import PersonRequest, page

TITLES = {training.KIND: "Training", batches.KIND: "Choosing a batch"}
SHOWN = 10
BATCH_PAGE = 200


@require_GET
@page("model.read_metrics")
def learning(request: PersonRequest, project: Project) -> HttpResponse:
    return _learning_page(request, project, BatchForm.filled(project))


def _learning_page(request: PersonRequest, project: Project, form: BatchForm, *, status: int = 200) -> HttpResponse:
    run = training.current(project)
    points, reason = standing.curve(project)
    may = {name: _may(request, action, project) for name, action in ACTS.items()}
    context = {
        "standing": standing.standing(project, run),
        "run": run,
        "labels": standing.label_rows(project, run),
        "points": points,
        "curve": standing.picture(points),
        "no_curve": reason,
        "runs": [(row, standing.state_of(row)) for row in project.training_runs.select_related("job")[:SHOWN]],
        "batches": _batches(project) if may["read"] else [],
        "jobs": [_job(project, job) for job in _jobs(project)] if may["train"] else [],
        "form": form,
        "may": may,
    }
    return render(request, "active_learning/learning.html", context, status=status)


ACTS = {"train": "model.retrain_now", "choose": "batch.create", "read": "batch.read"}


def _may(request: PersonRequest, action: str, project: Project) -> bool:
    return permissions.may(request.user, action, project, roles=request.roles)


def _batches(project: Project) -> list[dict[str, Any]]:
    drawn = Count("batch_items", filter=Q(batch_items__selection__stream=Stream.RANDOM))
    found = project.batches.select_related("run").annotate(n_items=Count("batch_items"), n_random=drawn)
    return [{"batch": batch, "title": STRATEGY_TITLES.get(batch.strategy, batch.strategy)} for batch in found[:SHOWN]]


def _jobs(project: Project) -> list[Job]:
    """What runs or waits, and the last of each kind where it failed: that is what the person asks about."""
    found = []
    for kind in TITLES:
        of_kind = Job.objects.filter(project=project, kind=kind)
        under_way = list(of_kind.unfinished().order_by("created_at"))
        last = of_kind.order_by("-created_at").first()
        found += under_way or ([last] if last and last.state == Job.State.FAILED else [])
    return found


def _job(project: Project, job: Job) -> dict[str, Any]:
    """What the fragment of a job needs."""
    chosen = (job.result or {}).get("batch")
    learning_url = reverse("active_learning:learning", args=[project.slug])
    batch_url = reverse("active_learning:batch", args=[project.slug, chosen]) if chosen else ""
    return {
        "job": job,
        "title": TITLES[job.kind],
        "url": reverse("active_learning:job", args=[project.slug, job.pk]),
        "done_url": batch_url or learning_url,
        "done_action": "See the batch" if chosen else "See what it learnt",
    }


@require_GET
@page("model.retrain_now")
def job(request: PersonRequest, project: Project, job_id: uuid.UUID) -> HttpResponse:
    """Where the job stands, as the fragment that asks again by itself."""
    found = get_object_or_404(Job, pk=job_id, project=project, kind__in=TITLES)
    return render(request, "labeling/_job.html", _job(project, found))


@require_POST
@page("model.retrain_now")
def train(request: PersonRequest, project: Project) -> HttpResponse:
    try:
        run = training.request(project, by=request.user)
        messages.success(request, f"Run {run.number} will train in the background; the last model serves until then.")
    except Refused as refused:
        messages.error(request, refused.sentence)
    return redirect("active_learning:learning", project.slug)


@require_POST
@page("batch.create")
def choose(request: PersonRequest, project: Project) -> HttpResponse:
    form = BatchForm(request.POST)
    if not form.is_valid():
        return _learning_page(request, project, form, status=422)
    try:
        batches.select(project, by=request.user, **form.cleaned_data)
    except Unacceptable as refused:
        form.add_error(None, refused.sentence)
        return _learning_page(request, project, form, status=422)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "The pages are being chosen; people are given them as soon as they are.")
    return redirect("active_learning:learning", project.slug)


@require_GET
@page("batch.read")
def batch(request: PersonRequest, project: Project, number: int) -> HttpResponse:
    """Every page of one batch: rank, why it is there, and what the model thought of it."""
    found = get_object_or_404(project.batches.select_related("run", "created_by"), number=number)
    rows = BatchItem.objects.filter(batch=found).select_related("selection__item").order_by("rank")
    after = request.GET.get("after", "")
    first = int(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0
    names = {label.key: label.name for label in schemas.in_force(project).labels}
    shown = list(rows.filter(rank__gt=first)[: BATCH_PAGE + 1])
    context = {
        "batch": found,
        "title": STRATEGY_TITLES.get(found.strategy, found.strategy),
        "n_items": rows.count(),
        "n_random": rows.filter(selection__stream=Stream.RANDOM).count(),
        "rows": [_batch_row(row, names) for row in shown[:BATCH_PAGE]],
        "next_after": shown[BATCH_PAGE - 1].rank if len(shown) > BATCH_PAGE else None,
    }
    return render(request, "active_learning/batch.html", context)


def _batch_row(row: BatchItem, names: dict[str, str]) -> dict[str, Any]:
    """The three likeliest labels beside the one it was chosen for."""
    known = [(key, p) for key, p in row.scores.items() if p is not None]
    likeliest = sorted(known, key=lambda pair: (pair[0] != row.label, -pair[1]))[:3]
    return {
        "rank": row.rank,
        "selection": row.selection,
        "item": row.selection.item,
        "scores": [(names.get(key, key), f"{p:.2f}") for key, p in likeliest],
    }
