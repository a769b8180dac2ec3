"""Durable work. A job is a row; the Celery message only says "look".

Written in the caller's transaction, nudged on commit (which may fail without harm), claimed by one conditional UPDATE
that raises the fence, kept alive by a heartbeat, swept from the database alone. Every write a job makes about itself
carries its fence, so that a copy that was thought dead cannot write after its successor.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from labeling.models import Event, Job, Project
from labeling.refusals import Refused

log = logging.getLogger(__name__)
State = Job.State
Handler = Callable[["Claim"], "dict[str, Any] | None"]
_handlers: dict[str, Handler] = {}

RUN = "labeling.tasks.run_job"


class FenceLost(Exception):
    """Another worker claimed this job since, or it was cancelled: stop without writing."""


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind: called with a Claim, it returns the result, JSON-able."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def enqueue(
    kind: str, *, project: Any = None, params: dict[str, Any] | None = None, by: Any = None, exclusive: str = ""
) -> Job:
    """Write the job in the caller's transaction and nudge a worker on commit.

    With `exclusive`, at most one runs and one waits per key: a further call returns the one that waits.
    """
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind, project=project, params=params or {}, created_by=by, exclusive=exclusive, message="Waiting"
            )
            Event.record(f"job.queued.{kind}", by=by, project=project, about=job)
    except IntegrityError:
        waiting = Job.objects.filter(exclusive=exclusive, state=State.QUEUED).first() if exclusive else None
        if waiting is None:
            raise
        job = waiting
    transaction.on_commit(partial(nudge, job.pk))
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
    held = claim(job_id)
    if held is None:
        return "not ours"
    handler = _handlers.get(held.job.kind)
    if handler is None:
        return _finish(held, State.FAILED, message=f"This installation does not know how to do “{held.job.kind}”.")
    stop = _start_heartbeat(held)
    try:
        result = handler(held)
    except FenceLost:
        return "fence lost"
    except Refused as refused:
        return _finish(held, State.FAILED, message=refused.sentence)
    except Exception as error:
        log.exception("job %s (%s) failed", held.job.pk, held.job.kind)
        return _finish(held, State.FAILED, message=f"Stopped by an unexpected error ({type(error).__name__}).")
    finally:
        stop()
    return _finish(held, State.DONE, message="Done", result=result or {})


def _finish(held: Claim, state: str, *, message: str, result: dict[str, Any] | None = None) -> str:
    with transaction.atomic():
        ours = held._mine().update(
            state=state,
            message=message[:500],
            result=result,
            finished_at=Now(),
            heartbeat_at=Now(),
            **({"progress": 1.0} if state == State.DONE else {}),
        )
        if ours:
            Event.record(f"job.{state}.{held.job.kind}", by=held.job.created_by, project=held.job.project,
                         about=held.job, message=message[:500])  # fmt: skip
    if ours and held.job.exclusive:
        for waiting in Job.objects.filter(exclusive=held.job.exclusive, state=State.QUEUED).values_list(
            "pk", flat=True
        ):
            nudge(waiting)
    return state if ours else "fence lost"


def _start_heartbeat(held: Claim) -> Callable[[], None]:
    """Beat from a thread of its own, with a connection of its own, until stopped or until the fence is lost."""
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    if not held.beat():
                        held.lost.set()
                        return
                except Exception as trouble:  # noqa: BLE001  (the database may be away for a while: keep trying)
                    log.warning("heartbeat of job %s: %s", held.job.pk, trouble)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{held.job.pk}", daemon=True)
    thread.start()

    def stop() -> None:
        done.set()
        thread.join(timeout=5)

    return stop


def cancel(job: Job, *, by: Any) -> None:
    """Stop a job: a waiting one at once, a running one at its next progress call."""
    changed = Job.objects.filter(pk=job.pk, state__in=[State.QUEUED, State.RUNNING]).update(
        state=State.CANCELLED, finished_at=Now(), message="Cancelled"
    )
    if not changed:
        raise Refused("This job is already over; there is nothing to cancel.")
    Event.record(f"job.cancelled.{job.kind}", by=by, project=job.project, about=job)


def retry(job: Job, *, by: Any) -> None:
    """Queue a failed or cancelled job again, with a full count of attempts."""
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, state__in=[State.FAILED, State.CANCELLED]).update(
            state=State.QUEUED, attempt=0, finished_at=None, message="Waiting", progress=None, nudged_at=None
        )
        if not changed:
            raise Refused("Only a failed or cancelled job can be tried again.")
        Event.record(f"job.retried.{job.kind}", by=by, project=job.project, about=job)
    nudge(job.pk)


# ---- the sweep ------------------------------------------------------------------------------------------------------
def sweep(*, now: datetime | None = None) -> dict[str, int]:
    """From the database alone: stale jobs wait again (or fail after their last attempt), forgotten ones are nudged."""
    back, failed = _release_stale(now)
    return {"requeued": back, "failed": failed, "nudged": _nudge_forgotten(now)}


def _release_stale(now: datetime | None) -> tuple[int, int]:
    moment: Any = now or Now()
    stale = Q(state=State.RUNNING, heartbeat_at__lt=moment - timedelta(seconds=settings.JOB_STALE_SECONDS))
    tries = settings.JOB_MAX_ATTEMPTS
    failed = Job.objects.filter(stale, attempt__gte=tries).update(
        state=State.FAILED,
        finished_at=Now(),
        message=f"The worker was lost {tries} times. Look at its memory, then retry.",
    )
    back = 0
    for job_id in Job.objects.filter(stale, attempt__lt=tries).values_list("pk", flat=True):
        try:
            with transaction.atomic():
                back += Job.objects.filter(stale, pk=job_id).update(
                    state=State.QUEUED,
                    fence=F("fence") + 1,
                    message="The worker was lost; waiting to go on",
                    nudged_at=None,
                )
        except IntegrityError:  # a twin waits already (one_waiting_job_per_key): this copy has nothing left to do
            Job.objects.filter(stale, pk=job_id).update(
                state=State.CANCELLED, finished_at=Now(), message="The worker was lost; a newer job does the same."
            )
    return back, failed


def _nudge_forgotten(now: datetime | None) -> int:
    moment: Any = now or Now()
    quiet = moment - timedelta(seconds=settings.JOB_SWEEP_SECONDS)
    waiting = Job.objects.filter(state=State.QUEUED, created_at__lt=quiet).filter(
        Q(nudged_at=None) | Q(nudged_at__lt=quiet)
    )
    return sum(nudge(job_id) for job_id in waiting.order_by("created_at").values_list("pk", flat=True)[:100])
