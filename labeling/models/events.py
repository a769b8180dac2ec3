"""What happened and what is to be done: the audit trail, jobs, and remembered answers of unsafe calls."""

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from labeling.models.people import User
    from labeling.models.projects import Project


class Event(models.Model):
    """One line of the audit trail. Append-only: triggers refuse UPDATE and DELETE on both databases."""

    project = models.ForeignKey(
        "labeling.Project", models.DO_NOTHING, null=True, blank=True, related_name="events", db_constraint=False
    )
    kind = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    about = models.CharField(max_length=100, blank=True)  # "judgment:12"
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-at"], name="event_project_time"),
            models.Index(fields=["about"], name="event_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"

    @classmethod
    def record(
        cls,
        kind: str,
        *,
        by: "User | None" = None,
        project: "Project | None" = None,
        about: models.Model | None = None,
        **data: Any,
    ) -> "Event":
        name = f"{about._meta.model_name}:{about.pk}" if about is not None else ""
        return cls.objects.create(kind=kind, actor=by, project=project, about=name, data=data)


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])

    def visible_to(self, user: "User") -> Self:
        """Managers see their projects' jobs; others the jobs they asked for; superusers all."""
        if user.is_superuser:
            return self
        managed = user.memberships.filter(role="manager").values("project")
        member = user.memberships.values("project")
        return self.filter(Q(project__in=managed) | Q(created_by=user, project__in=member))


class Job(models.Model):
    """Work to be done once. The row is the truth; the Celery message only says "look"."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("labeling.Project", models.CASCADE, null=True, blank=True, related_name="jobs")
    kind = models.CharField(max_length=30)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)  # grows with every claim; a write with an older one is refused
    progress = models.FloatField(null=True, blank=True)  # 0..1
    message = models.CharField(max_length=500, blank=True)
    result = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # At most one unfinished job per key: fifty presses make one running and at most one waiting.
    exclusive = models.CharField(max_length=80, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled"]), name="job_state_known"
            ),
            models.UniqueConstraint(
                fields=["exclusive"], condition=Q(state="running") & ~Q(exclusive=""), name="one_running_job_per_key"
            ),
            models.UniqueConstraint(
                fields=["exclusive"], condition=Q(state="queued") & ~Q(exclusive=""), name="one_waiting_job_per_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "created_at"], condition=Q(state__in=["queued", "running"]), name="job_unfinished"
            ),
            models.Index(fields=["project", "-created_at"], name="job_project_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class IdempotencyKey(models.Model):
    """The stored answer of an unsafe call, so that a repeat has one effect and the same answer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)  # null while the first call is under way
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When a kind of process last said it lives; readiness and the jobs page read it."""

    process = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.process} at {self.at:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def beat(cls, process: str) -> None:
        cls.objects.update_or_create(process=process, defaults={"at": timezone.now()})
