"""Figures kept for dashboards, so that a page reads a few rows where a count would read millions. Derived, always."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone


class DailyCountQuerySet(models.QuerySet["DailyCount"]):
    def stale(self) -> Self:
        """Days whose answers or decisions changed since they were counted."""
        return self.filter(is_stale=True)


class DailyCount(models.Model):
    """What was done in a project on one day (UTC), in one stream, or with the stream empty in all of them.

    A page is settled on the day of the last act it needed: the answer that made everyone agree, or the decision. Only
    pages are counted as settled that were answered here alone, because imported answers cost nobody's time.
    """

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="daily_counts")
    day = models.DateField()
    stream = models.CharField(max_length=12, blank=True)
    answers = models.PositiveIntegerField(default=0)  # given here, and counted today
    timed_answers = models.PositiveIntegerField(default=0)  # of which the active time is known
    seconds = models.FloatField(default=0.0)  # their active time
    decisions = models.PositiveIntegerField(default=0)  # settled pages with a decision of this day in force
    pages = models.PositiveIntegerField(default=0)  # settled
    page_answers = models.PositiveIntegerField(default=0)  # what it took in all
    page_answers_squared = models.PositiveBigIntegerField(default=0)
    timed_pages = models.PositiveIntegerField(default=0)  # of which all active times are known, that of deciding too
    page_seconds = models.FloatField(default=0.0)
    page_seconds_squared = models.FloatField(default=0.0)
    is_stale = models.BooleanField(default=False)  # only where the stream is empty, for the day

    objects = DailyCountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "day", "stream"], name="one_count_per_day_and_stream")
        ]
        indexes = [models.Index(fields=["project", "day"], condition=Q(is_stale=True), name="daily_count_stale")]

    def __str__(self) -> str:
        return f"{self.project} on {self.day:%Y-%m-%d}"


class ProjectCount(models.Model):
    """How a project stood at a moment, counted once for all who look. Dated, because it may be a few minutes old."""

    project = models.OneToOneField("labeling.Project", models.CASCADE, primary_key=True, related_name="count")
    counts = models.JSONField(default=dict)
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.project} at {self.counted_at:%Y-%m-%d %H:%M}"
