"""What is asked: a project, its frozen schema versions, and the labels of each version."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from labeling.models.rules import WorkRules

if TYPE_CHECKING:
    from labeling.models.people import User

LABEL_KEY = RegexValidator(r"\A[a-z][a-z0-9_]{0,39}\Z", "A key is a small letter, then small letters, digits or _.")
SLUG = RegexValidator(r"\A[a-z0-9][a-z0-9-]{0,59}\Z", "An address name is small letters, digits and hyphens.")


def default_overlap() -> dict[str, int]:
    return {"default": 2}


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: "User") -> Self:
        """Projects this person is a member of; all of them for a superuser."""
        if user.is_superuser:
            return self
        return self.filter(pk__in=user.memberships.values("project"))

    def live(self) -> Self:
        return self.filter(archived_at=None)


class Project(WorkRules):
    slug = models.CharField(max_length=60, unique=True, validators=[SLUG])
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    overlap = models.JSONField(default=default_overlap)  # judgments per item, per stream: {"default": 2, "gold": 3}
    lease_seconds = models.PositiveIntegerField(
        default=900, validators=[MinValueValidator(30), MaxValueValidator(24 * 3600)]
    )
    show_queries = models.BooleanField(default=False)  # URLs can carry pupils' data: queries are hidden unless allowed
    sensitive = models.BooleanField(default=False)  # viewers are shown no title and no text of its pages
    decide_own = models.BooleanField(default=False)  # a team of two may let people adjudicate what they judged
    ask_confidence = models.BooleanField(default=False)  # offer low, medium, high beside the verdicts
    version = models.PositiveIntegerField(default=1)  # ETag of the settings
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta(WorkRules.Meta):
        abstract = False
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def overlap_for(self, stream: str) -> int:
        return int(self.overlap.get(stream, self.overlap["default"]))

    @property
    def schema(self) -> "SchemaVersion":
        """The version in force."""
        return self.schema_versions.latest("number")


class SchemaVersion(models.Model):
    """A frozen set of labels with the guideline people follow. A change is a new version."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="schema_versions")
    number = models.PositiveIntegerField()
    guideline = models.TextField(blank=True)  # Markdown
    exclusive_groups = models.JSONField(default=list, blank=True)  # [[key, key], ...]: at most one yes in each
    published_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_schema_per_number")]
        ordering = ["project", "number"]

    def __str__(self) -> str:
        return f"{self.project}, version {self.number}"

    def asked(self) -> list["Label"]:
        """The labels a new judgment answers, in the order people see them."""
        return [label for label in self.labels.all() if not label.retired]

    def asked_keys(self) -> list[str]:
        return [label.key for label in self.asked()]


class Severity(models.IntegerChoices):
    MILD = 1, "Mild"
    MODERATE = 2, "Moderate"
    SERIOUS = 3, "Serious"
    GRAVE = 4, "Grave"


class Label(models.Model):
    """One question of one schema version. Keys are never renamed or reused; equal revisions mean the same question."""

    schema = models.ForeignKey(SchemaVersion, models.CASCADE, related_name="labels")
    key = models.CharField(max_length=40, validators=[LABEL_KEY])
    revision = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=80)
    definition = models.TextField(blank=True)
    examples = models.JSONField(default=list, blank=True)  # pages on which it holds
    includes = models.JSONField(default=list, blank=True)
    excludes = models.JSONField(default=list, blank=True)
    near_misses = models.JSONField(default=list, blank=True)
    shortcut = models.CharField(max_length=1, blank=True)
    parent = models.CharField(max_length=40, blank=True)
    severity = models.PositiveSmallIntegerField(null=True, blank=True, choices=Severity.choices)
    # The share of pages on which it holds, as far as anyone knows before pages drawn by chance tell.
    declared_prevalence = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    position = models.PositiveSmallIntegerField(default=0)
    retired = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schema", "key"], name="one_label_per_key"),
            models.UniqueConstraint(
                fields=["schema", "shortcut"], condition=~models.Q(shortcut=""), name="one_label_per_shortcut"
            ),
        ]
        ordering = ["schema", "position", "key"]

    def __str__(self) -> str:
        return self.name
