"""Durable work. A job is a row; the Celery message only says "look".

Written in the caller's transaction, nudged on commit (which may fail without harm), claimed by one conditional UPDATE
that raises the fence, kept alive by a heartbeat, swept from the database alone (sweeping.py). Every write a job makes
about itself carries its fence, so that a copy that was thought dead cannot write after its successor.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, models, transaction
from django.db.models import F
from django.db.models.functions import Now

from labeling.heartbeats import beating
from labeling.models import Event, Job, Project
from labeling.refusals import Refused
from labeling.uninterrupted import uninterrupted

log = logging.getLogger(__name__)
State = Job.State
Handler = Callable[["Claim"], "dict[str, Any] | None"]
_handlers: dict[str, Handler] = {}

RUN = "labeling.tasks.run_job"
ENQUEUE_ROUNDS = 2


class FenceLost(Exception):
    """Another worker claimed this job since, or it was cancelled: stop without writing."""


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind: called with a Claim, it returns the result, JSON-able."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def newest(project: Project, kind: str) -> Job | None:
    """The last job of a kind that was written for a project, whatever became of it."""
    return Job.objects.filter(project=project, kind=kind).order_by("-created_at").first()


def enqueue(
    kind: str, *, project: Any = None, params: dict[str, Any] | None = None, by: Any = None, exclusive: str = ""
) -> Job:
    """Write the job in the caller's transaction and nudge a worker on commit.

    With `exclusive`, at most one runs and one waits per key: a further call returns the one that waits, whatever its
    params. Who asked for other ones must look.
    """
    job = _written(exclusive, kind=kind, project=project, params=params or {}, created_by=by)
    transaction.on_commit(partial(nudge, job.pk))
    return job


def _written(exclusive: str, **row: Any) -> Job:
    """A new row, or the one that waits under the same key. A worker may take that one just when we look for it: then
    there is room for a new row after all."""
    for _ in range(ENQUEUE_ROUNDS):
        with suppress(IntegrityError):
            return _write(exclusive=exclusive, **row)
        twin = Job.objects.filter(exclusive=exclusive, state=State.QUEUED).exclude(exclusive="").first()
        if twin is not None:
            return twin
    return _write(exclusive=exclusive, **row)


@transaction.atomic
def _write(**row: Any) -> Job:
    job = Job.objects.create(**row, message="Waiting")
    Event.record(f"job.queued.{job.kind}", by=job.created_by, project=job.project, about=job)
    return job


def nudge(job_id: Any) -> bool:
    """Tell a worker to look. False when the broker is away: the sweep will say it again."""
    try:
        current_app.send_task(RUN, args=[str(job_id)], retry=False)
    except Exception as away:  # noqa: BLE001  (any transport error: the row is safe, and the caller must not fail for it)
        log.warning("broker is away, job %s waits for the sweep: %s", job_id, away)
        return False
    Job.objects.filter(pk=job_id).update(nudged_at=Now())
    return True


@dataclass
class Claim:
    """A worker's hold on one job: parameters in, progress out, all writes fenced."""

    job: Job
    fence: int
    lost: threading.Event = field(default_factory=threading.Event)

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.job.params)

    @property
    def project(self) -> Project:
        """The project the job belongs to; every kind but the installation's own has one."""
        if self.job.project is None:
            raise Refused("This job belongs to no project.")
        return self.job.project

    def _mine(self) -> models.QuerySet[Job]:
        return Job.objects.filter(pk=self.job.pk, fence=self.fence, state=State.RUNNING)

    def progress(self, share: float | None = None, message: str | None = None) -> None:
        """Say how far it is (0..1, or None for "no idea"). Raises FenceLost when the job is no longer ours."""
        changes: dict[str, Any] = {"heartbeat_at": Now(), "progress": share}
        if message is not None:
            changes["message"] = message[:500]
        if not self._mine().update(**changes):
            raise FenceLost
        self.check()

    def check(self) -> None:
        if self.lost.is_set():
            raise FenceLost

    def guard(self) -> None:
        """Inside a transaction, best just before its end: make sure the job is still ours, so that a zombie's write is
        rolled back. Beats too, and locks the row until the commit: early in a long transaction it would hold up the
        heartbeat, and the sweep would take a living worker for dead."""
        if not self.beat():
            raise FenceLost

    def beat(self) -> bool:
        return bool(self._mine().update(heartbeat_at=Now()))


def claim(job_id: Any) -> Claim | None:
    """Take a waiting job by one conditional UPDATE. None when someone has it, it is over, or its key is running."""
    try:
        with transaction.atomic():
            taken = Job.objects.filter(pk=job_id, state=State.QUEUED).update(
                state=State.RUNNING,
                attempt=F("attempt") + 1,
                fence=F("fence") + 1,
                heartbeat_at=Now(),
                started_at=Now(),
                message="Running",
            )
    except IntegrityError:  # one_running_job_per_key: its twin still runs; the sweep nudges this one later
        return None
    if not taken:
        return None
    job = Job.objects.select_related("project", "created_by").get(pk=job_id)
    return Claim(job, job.fence)


def run(job_id: Any) -> str:
    """Claim the job and do it; says what came of it. A second delivery is harmless: only one worker can claim it."""
    held: Claim | None = None
    try:
        with uninterrupted():
            held = claim(job_id)
        return "not ours" if held is None else _carry_out(held)
    except Exception:
        raise
    except BaseException:  # this process was asked to end
        if held is not None:
            with uninterrupted():
                _hand_back(held, "It was stopped", costs_an_attempt=False)
        raise


def _carry_out(held: Claim) -> str:
    """Do the job and write how it ended. Raises nothing but a request to end, or what the database says of that."""
    handler = _handlers.get(held.job.kind)
    if handler is None:
        return _finish(held, State.FAILED, message=f"This installation does not know how to do “{held.job.kind}”.")
    try:
        # Wrapped, because COPY raises the driver's own errors.
        with beating(held.beat, lost=held.lost, name=str(held.job.pk)), connection.wrap_database_errors:
            result = handler(held)
    except FenceLost:
        return "fence lost"
    except Refused as refused:
        return _finish(held, State.FAILED, message=refused.sentence)
    except (OperationalError, InterfaceError) as trouble:  # restarted, cut off, locked, deadlocked: not the job's fault
        log.warning("job %s (%s) was interrupted: %s", held.job.pk, held.job.kind, trouble)
        return _hand_back(held, "The database interrupted it")
    except Exception as error:
        log.exception("job %s (%s) failed", held.job.pk, held.job.kind)
        return _finish(held, State.FAILED, message=f"Stopped by an unexpected error ({type(error).__name__}).")
    return _finish(held, State.DONE, message="Done", result=result or {})


def _finish(held: Claim, state: str, *, message: str, result: dict[str, Any] | None = None) -> str:
    changes: dict[str, Any] = {"result": result, "heartbeat_at": Now()}
    if state == State.DONE:
        changes["progress"] = 1.0
    with uninterrupted():
        ended = _end(held._mine(), held.job, state, message, **changes)
    if not ended:
        return "fence lost"
    if held.job.exclusive:
        twins = Job.objects.filter(exclusive=held.job.exclusive, state=State.QUEUED)
        for waiting in twins.values_list("pk", flat=True):
            nudge(waiting)
    return state


@transaction.atomic
def _end(held: models.QuerySet[Job], job: Job, state: str, message: str, **changes: Any) -> bool:
    """Write the job's end and its line in the audit trail, if it is still among `held`."""
    ours = held.update(state=state, message=message[:500], finished_at=Now(), **changes)
    if ours:
        Event.record(
            f"job.{state}.{job.kind}", by=job.created_by, project=job.project, about=job, message=message[:500]
        )
    return bool(ours)


def _hand_back(held: Claim, trouble: str, *, costs_an_attempt: bool = True) -> str:
    """Give a claimed job back at once. When the database is still away the sweep finds it, by its missing heartbeat."""
    connection.close()  # in whatever state it is; the next query opens another
    try:
        if connection.closed_in_transaction:  # told to end between a transaction's beginning and its block
            connection.connect()
        return give_back(held._mine(), trouble=trouble, costs_an_attempt=costs_an_attempt) or "fence lost"
    except (OperationalError, InterfaceError) as still:
        log.warning("job %s is left to the sweep: %s", held.job.pk, still)
        return "left to the sweep"


@transaction.atomic
def give_back(held: models.QuerySet[Job], *, trouble: str, costs_an_attempt: bool = True) -> str:
    """Let the job that is among `held` wait again; the sweep nudges it, which leaves what troubled it time to pass.

    It is over instead when its attempts are spent, or when another waits to do the same. Returns its new state, or ""
    when it is no longer among `held`.
    """
    job = held.select_for_update().first()
    if job is None:
        return ""
    tries = settings.JOB_MAX_ATTEMPTS
    if costs_an_attempt and job.attempt >= tries:
        _end(held, job, State.FAILED, f"{trouble} {tries} times. Look at its log and its memory, then retry.")
        return State.FAILED
    try:
        with transaction.atomic():
            held.update(
                state=State.QUEUED,
                attempt=F("attempt") - (0 if costs_an_attempt else 1),
                fence=F("fence") + 1,
                message=f"{trouble}; waiting to go on",
                nudged_at=None,
            )
    except IntegrityError:  # one_waiting_job_per_key: this copy has nothing left to do
        _end(held, job, State.CANCELLED, f"{trouble}; a newer job does the same.")
        return State.CANCELLED
    return State.QUEUED


@transaction.atomic
def cancel(job: Job, *, by: Any) -> None:
    """Stop a job: a waiting one at once, a running one at its next progress call."""
    changed = (
        Job.objects.unfinished().filter(pk=job.pk).update(state=State.CANCELLED, finished_at=Now(), message="Cancelled")
    )
    if not changed:
        raise Refused("This job is already over; there is nothing to cancel.")
    Event.record(f"job.cancelled.{job.kind}", by=by, project=job.project, about=job)


@transaction.atomic
def retry(job: Job, *, by: Any) -> None:
    """Queue a failed or cancelled job again, with a full count of attempts."""
    try:
        with transaction.atomic():
            changed = Job.objects.filter(pk=job.pk, state__in=[State.FAILED, State.CANCELLED]).update(
                state=State.QUEUED, attempt=0, finished_at=None, message="Waiting", progress=None, nudged_at=None
            )
    except IntegrityError:  # one_waiting_job_per_key
        raise Refused("Another job waits to do the same; this one need not be tried again.") from None
    if not changed:
        raise Refused("Only a failed or cancelled job can be tried again.")
    Event.record(f"job.retried.{job.kind}", by=by, project=job.project, about=job)
    transaction.on_commit(partial(nudge, job.pk))
