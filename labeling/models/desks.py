"""A person's place in a project: where they stand in the queue, what they do not want, whether they may go on."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class PauseReason(models.TextChoices):
    ONBOARDING = "onboarding", "The first pages were not passed"
    HONEYPOTS = "honeypots", "Known answers were missed"
    SPEED = "speed", "Many answers in a row were very fast"
    SKIPS = "skips", "Many pages in a row were skipped"
    MANAGER = "manager", "A manager paused the work"


class Desk(models.Model):
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="desks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="desks")
    # Where the next look into the queue starts: everything before it this person has answered or passed. Only a hint.
    cursor = models.BigIntegerField(null=True, blank=True)
    cursor_epoch = models.PositiveIntegerField(default=0)
    cursor_at = models.DateTimeField(null=True, blank=True)
    # Quality
    onboarded_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=10, choices=PauseReason.choices, blank=True)
    pause_detail = models.CharField(max_length=300, blank=True)  # a sentence with the numbers, for both sides
    reinstated_at = models.DateTimeField(null=True, blank=True)  # what happened before does not pause again
    # Care
    opted_out = models.JSONField(default=list, blank=True)  # label keys this person would rather not judge
    # Keys: {label key: letter}, where this person wants another than the schema's
    letters = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_desk_per_person"),
            models.CheckConstraint(
                condition=Q(paused_at=None, pause_reason="") | Q(paused_at__isnull=False) & ~Q(pause_reason=""),
                name="paused_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"
