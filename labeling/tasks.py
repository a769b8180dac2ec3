"""Celery's door: it carries ids, and every task can be delivered twice."""

import logging
import threading

from celery import shared_task, signals
from django.conf import settings
from django.db import connection

from labeling import (
    acceptances,
    asking_again,
    conduct,
    doubts,
    expectations,
    intake,
    jobs,
    judgment_import,
    new_labels,
    recounts,
    refits,
    rejudgings,
    releases,
    retention,
    samples,
    summaries,
    sweeping,
)
from labeling.models import Heartbeat

log = logging.getLogger(__name__)

jobs.handles("import")(intake.run)
jobs.handles("judgment_import")(judgment_import.run)
jobs.handles("draw")(samples.run)
jobs.handles("freeze")(releases.run)
jobs.handles(recounts.KIND)(recounts.run)
jobs.handles(expectations.KIND)(expectations.run)
jobs.handles(asking_again.KIND)(asking_again.run)
jobs.handles(new_labels.KIND)(new_labels.run)
jobs.handles(summaries.KIND)(summaries.run)
jobs.handles(conduct.KIND)(conduct.run)
jobs.handles(rejudgings.KIND)(rejudgings.run)
jobs.handles(doubts.KIND)(doubts.run)
jobs.handles(refits.KIND)(refits.run)
jobs.handles(acceptances.KIND)(acceptances.run)


@shared_task
def run_job(job_id: str) -> str:
    """Do one job. Only one worker can claim it, so a second delivery finds nothing to do."""
    return jobs.run(job_id)


@shared_task
def sweep() -> dict[str, int]:
    """Stale jobs wait again; forgotten ones are nudged; what was answered since is counted."""
    return sweeping.sweep()


@shared_task
def retain() -> dict[str, int]:
    """Delete what is older than its retention: finished jobs, remembered answers, abandoned drafts."""
    return retention.apply()


@shared_task
def refit() -> int:
    """Ask for a refit wherever enough answers or decisions came in. Returns of how many projects."""
    return len(refits.request_due())


@signals.worker_ready.connect
def sweep_from_this_worker(**_signal: object) -> None:
    """A thread of the worker sweeps too: a flushed broker has lost beat's message as well."""

    def forever() -> None:
        pause = threading.Event()
        while True:
            try:
                Heartbeat.beat("worker")
                sweeping.sweep()
            except Exception as trouble:  # noqa: BLE001  the database may be away; the next round tries again
                log.warning("sweep: %s", trouble)
            finally:
                connection.close()
            pause.wait(settings.JOB_SWEEP_SECONDS)

    threading.Thread(target=forever, name="sweep", daemon=True).start()
