"""What is deleted when: finished jobs, files of dead imports, remembered answers, drafts nobody came back to."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from labeling import idempotency, imports, sessions
from labeling.models import Draft, Job


def apply() -> dict[str, int]:
    """Delete what is past its time. Returns the counts by name."""
    now = timezone.now()
    old_jobs = Job.objects.filter(
        finished_at__lt=now - timedelta(days=settings.JOB_RETENTION_DAYS), import_run=None, draw=None
    )
    drafts = Draft.objects.filter(saved_at__lt=now - timedelta(days=settings.DRAFT_RETENTION_DAYS))
    return {
        "jobs": old_jobs.delete()[0],
        "uploads": imports.forget_files(now=now),
        "idempotency_keys": idempotency.forget_old(),
        "drafts": drafts.delete()[0],
        "sessions": sessions.forget_expired(),
    }
