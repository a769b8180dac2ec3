"""Rows and moments the tests of jobs share."""

from datetime import datetime, timedelta

from django.utils import timezone

from labeling.models import Event, Job


def make_job(**fields) -> Job:
    return Job.objects.create(kind=fields.pop("kind", "test"), **fields)


def long_ago(seconds: float = 3600) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def kinds_of_events(job: Job) -> list[str]:
    """What the audit trail says of it, in order."""
    return list(Event.objects.filter(about=f"job:{job.pk}").order_by("pk").values_list("kind", flat=True))
