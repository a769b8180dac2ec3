"""The sweep: what died or was forgotten goes on. From the database alone, by any process, as often as one likes."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from labeling import jobs, summaries
from labeling.models import Job

State = Job.State
NUDGES = 100


def sweep(*, now: datetime | None = None) -> dict[str, int]:
    """Stale jobs wait again (or fail after their last attempt), forgotten ones are nudged, and where answers are not in
    the sums of the dashboards yet, a job is written that counts them. Returns the counts."""
    became = release_stale(now=now)
    return {
        "requeued": became[State.QUEUED],
        "failed": became[State.FAILED],
        "nudged": _nudge_forgotten(now),
        "to_count": summaries.enqueue_due(now=now),
    }


def release_stale(*, now: datetime | None = None) -> Counter[str]:
    """Take every job whose worker gave no sign of life for too long from it; counts them by what they became."""
    moment: Any = now or Now()
    stale = Q(state=State.RUNNING, heartbeat_at__lt=moment - timedelta(seconds=settings.JOB_STALE_SECONDS))
    found = Job.objects.filter(stale).order_by("created_at").values_list("pk", flat=True)
    return Counter(
        jobs.give_back(Job.objects.filter(stale, pk=job_id), trouble="The worker was lost") for job_id in found
    )


def _nudge_forgotten(now: datetime | None) -> int:
    moment: Any = now or Now()
    quiet = moment - timedelta(seconds=settings.JOB_SWEEP_SECONDS)
    waiting = Job.objects.filter(state=State.QUEUED, created_at__lt=quiet).filter(
        Q(nudged_at=None) | Q(nudged_at__lt=quiet)
    )
    told = 0
    for job_id in waiting.order_by("created_at").values_list("pk", flat=True)[:NUDGES]:
        if not jobs.nudge(job_id):  # a broker that is away for one is away for all
            break
        told += 1
    return told
