"""Jobs done in the process of a command, so that no worker is needed."""

import time
from collections.abc import Callable

from django.core.management.base import CommandError

from active_learning import tasks  # noqa: F401  (registers the handlers of the jobs)
from labeling import jobs
from labeling.models import Job, Project
from labeling.refusals import Refused

PATIENCE_SECONDS = 6 * 3600


def project_named(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise CommandError(f"There is no project “{slug}”.")
    return project


def finish(ask: Callable[[], Job]) -> Job:
    """Ask for a job and do it here, or wait for the worker that was quicker. Raises CommandError with its sentence."""
    try:
        job = ask()
    except Refused as refused:
        raise CommandError(refused.sentence) from None
    until = time.monotonic() + PATIENCE_SECONDS
    while job.state in (Job.State.QUEUED, Job.State.RUNNING) and time.monotonic() < until:
        if jobs.run(job.pk) == "not ours":
            time.sleep(0.2)
        job.refresh_from_db()
    if job.state != Job.State.DONE:
        raise CommandError(job.message)
    return job
