"""A training run: asked for, fitted in a job, scored over the pool. The last whole run serves until the next is."""

import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from active_learning import dataset, measuring, scoring
from active_learning.dataset import Dataset
from active_learning.learner import artifacts
from active_learning.learner.estimator import DEFAULT_SETTINGS, NO, YES, FitSettings
from active_learning.learner.features import DEFAULT_RECIPE
from active_learning.learner.learn import learn_and_hold_out
from active_learning.learner.model import LinearModel
from active_learning.models import LearnerSettings, TrainingRun
from labeling import expectations, jobs, schemas
from labeling.models import Event, Job, Project, SchemaVersion, User
from labeling.refusals import Refused

KIND = "train"
SEED_BITS = 53  # a JSON number keeps it


# ---- asking for one -------------------------------------------------------------------------------------------------
@transaction.atomic
def request(project: Project, *, by: User | None, reason: str = "button", seed: int | None = None) -> TrainingRun:
    """The next run of the project and its job, in one transaction. While one waits already, that one is given back.

    Raises Refused when another seed is asked for than that of the run that waits.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    labels_of(project)
    job = jobs.enqueue(KIND, project=project, by=by, exclusive=f"{KIND}:{project.pk}")
    waiting = TrainingRun.objects.filter(job=job).first()
    if waiting is not None:
        _refuse_another_seed(waiting, seed)
        return waiting
    return TrainingRun.objects.create(
        project=project, job=job, number=next_number(project.training_runs.all()), reason=reason, created_by=by,
        seed=secrets.randbits(SEED_BITS) if seed is None else seed, n_judgments=dataset.votes_in(project),
    )  # fmt: skip


def _refuse_another_seed(waiting: TrainingRun, seed: int | None) -> None:
    if seed not in (None, waiting.seed):
        raise Refused(
            f"Run {waiting.number} waits already, with the seed {waiting.seed}. Let it start, then ask for {seed}, or "
            "leave the seed out to get the run that waits."
        )


def labels_of(project: Project) -> tuple[str, ...]:
    """The labels a model answers. Raises Refused when the project asks none."""
    try:
        labels = schemas.in_force(project).keys
    except SchemaVersion.DoesNotExist:
        labels = ()
    if not labels:
        raise Refused("This project asks no label yet; publish a version with labels first.")
    return labels


def next_number(numbered: QuerySet[Any]) -> int:
    last: int | None = numbered.aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def current(project: Project) -> TrainingRun | None:
    """The run that serves: the newest whose scores are whole."""
    return project.training_runs.filter(scored_at__isnull=False).order_by("-number").first()


# ---- when one is due ------------------------------------------------------------------------------------------------
def request_due() -> list[TrainingRun]:
    """Ask for a run wherever the number of new answers or the clock says so; the scheduler polls this."""
    asked = []
    for learner in _with_triggers():
        if reason := reason_due(learner):
            with suppress(Refused):  # a project that asks no label any more keeps no other from its run
                asked.append(request(learner.project, by=None, reason=reason))
    return asked


def _with_triggers() -> QuerySet[LearnerSettings]:
    waiting = Job.objects.unfinished().filter(kind=KIND).values("project")
    learners = LearnerSettings.objects.filter(project__archived_at=None).exclude(project__in=waiting)
    return learners.exclude(retrain_every=0, retrain_hours=0).select_related("project").order_by("project")


def reason_due(learner: LearnerSettings) -> str:
    """Why this project trains now: "count", "schedule", or "" for not now."""
    last = learner.project.training_runs.order_by("-number").first()
    if learner.retrain_every and new_votes(learner.project, last) >= learner.retrain_every:
        return "count"
    hours = timedelta(hours=learner.retrain_hours)
    is_over = last is None or last.created_at + hours <= timezone.now()
    return "schedule" if learner.retrain_hours and is_over and dataset.votes_in(learner.project) else ""


def new_votes(project: Project, last: TrainingRun | None) -> int:
    """Answers since that run read them; all of them when there is none."""
    return dataset.votes_in(project) - (last.n_judgments if last else 0)


# ---- the job --------------------------------------------------------------------------------------------------------
def carry_out(claim: jobs.Claim) -> dict[str, Any]:
    """Handler of the job "train": fit, keep the model, score the pool. Goes on where a killed worker stopped."""
    run = TrainingRun.objects.select_related("project").get(job=claim.job)
    if run.scored_at is None:
        scoring.score_pool(claim, run, model_of(run) if run.artifact_sha256 else fit(claim, run))
        _finish(claim, run)
    expectations.recompute_all(run.project, told=lambda _: claim.check())
    run.refresh_from_db()
    return {"run": run.number, "n_items": run.n_items, "n_scored": run.n_scored, "weights_sha256": run.weights_sha256}


def fit(claim: jobs.Claim, run: TrainingRun) -> LinearModel:
    """Fit the learner on what is answered now, keep its file, and write down everything needed to fit it again."""
    n_judgments = dataset.votes_in(run.project)
    data = dataset.read(run.project, labels_of(run.project))
    refuse_too_few(data)
    claim.progress(0.0, f"Learning from {len(data.pages):,} pages")
    learnt = learn_and_hold_out(
        data.X, data.targets, labels=data.labels, clusters=data.clusters, seed=run.seed, fair=data.fair
    )
    claim.progress(0.1, "Measuring on pages drawn at random")
    found = measuring.metrics(data, learnt, seed=run.seed)
    saved = artifacts.save(learnt.model, folder())
    with transaction.atomic():
        claim.guard()
        TrainingRun.objects.filter(pk=run.pk).update(
            n_items=len(data.pages), n_judgments=n_judgments, data_sha256=data.sha256, recipe=recipe(),
            code_version=settings.VERSION, labels=list(data.labels), metrics=found,
            weights_sha256=saved.weights_sha256, artifact_sha256=saved.artifact_sha256, artifact_name=saved.path.name,
            fitted_at=Now(),
        )  # fmt: skip
    run.refresh_from_db()
    return learnt.model


def refuse_too_few(data: Dataset, needed: FitSettings = DEFAULT_SETTINGS) -> None:
    if bool(((data.count(YES) >= needed.min_positives) & (data.count(NO) >= needed.min_negatives)).any()):
        return
    pages = "1 page is" if len(data.pages) == 1 else f"{len(data.pages):,} pages are"
    raise Refused(
        f"Needs at least {needed.min_positives} yes and {needed.min_negatives} no on one label; {pages} answered. "
        "Nothing was changed."
    )


def recipe() -> dict[str, Any]:
    needed = DEFAULT_SETTINGS
    fitted = {"C": needed.C, "min_positives": needed.min_positives, "min_negatives": needed.min_negatives}
    return {"features": DEFAULT_RECIPE.as_dict(), "features_sha256": DEFAULT_RECIPE.sha256, "fit": fitted}


def _finish(claim: jobs.Claim, run: TrainingRun) -> None:
    with transaction.atomic():
        claim.guard()
        TrainingRun.objects.filter(pk=run.pk).update(scored_at=Now())
        Event.record("training_run.ready", by=run.created_by, project=run.project, about=run,
                     number=run.number, weights_sha256=run.weights_sha256)  # fmt: skip


# ---- its file -------------------------------------------------------------------------------------------------------
def folder() -> Path:
    return Path(settings.BLOB_DIR) / "models"


def model_of(run: TrainingRun) -> LinearModel:
    """The fitted model, from its file. Raises Refused when the file is gone or is not the one on record."""
    try:
        return artifacts.load(folder() / run.artifact_name, artifact_sha256=run.artifact_sha256)
    except FileNotFoundError:
        raise Refused(
            f"The model file of run {run.number} is gone; put it back from a backup, or train again."
        ) from None
    except artifacts.UntrustedArtifact as wrong:
        raise Refused(str(wrong)) from None
