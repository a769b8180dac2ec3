"""Gold: samples drawn by chance, and releases that never change."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Draw(models.Model):
    """One evaluation sample: what it was drawn from, how, with which probabilities. Stored before the first label."""

    project = models.ForeignKey("labeling.Project", models.PROTECT, related_name="draws")
    number = models.PositiveIntegerField()
    job = models.OneToOneField("labeling.Job", models.SET_NULL, null=True, blank=True, related_name="draw")
    design = models.CharField(max_length=20, default="uniform")
    seed = models.CharField(max_length=64)
    frame_sha256 = models.CharField(max_length=64)  # of the sorted item ids, one a line
    frame_size = models.PositiveBigIntegerField()  # N
    size = models.PositiveIntegerField()  # n, as drawn
    overlap = models.PositiveSmallIntegerField(default=2)
    record = models.JSONField(default=dict)  # everything needed to draw it again
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_draw_per_number")]
        ordering = ["project", "number"]

    def __str__(self) -> str:
        return f"sample {self.number} of {self.project}"


class Blob(models.Model):
    """Released bytes, kept by their SHA-256. The database refuses every change of a row, emptying it included."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField(null=True)
    size_bytes = models.BigIntegerField()

    def __str__(self) -> str:
        return self.sha256[:12]


class GoldRelease(models.Model):
    """A versioned, hashed, never-edited evaluation set. A fix is a new release."""

    project = models.ForeignKey("labeling.Project", models.PROTECT, related_name="releases")
    major = models.PositiveIntegerField()
    minor = models.PositiveIntegerField()
    patch = models.PositiveIntegerField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    manifest_sha256 = models.CharField(max_length=64)
    rows_sha256 = models.CharField(max_length=64)  # what "nothing changed" is decided by
    n_items = models.PositiveIntegerField()
    notes = models.TextField(blank=True)
    accepted_by = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "major", "minor", "patch"], name="one_release_per_version")
        ]
        ordering = ["project", "-major", "-minor", "-patch"]

    def __str__(self) -> str:
        return f"{self.project} {self.version}"

    @property
    def version(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class GoldItem(models.Model):
    """One row of a release: the item, its row hash, its probability, and what it rests on, to be made again from."""

    release = models.ForeignKey(GoldRelease, models.PROTECT, related_name="gold_items")
    item = models.ForeignKey("labeling.Item", models.PROTECT, related_name="gold_items")
    row_sha256 = models.CharField(max_length=64)
    probability = models.FloatField()
    outcome = models.CharField(max_length=14, default="labelled")
    settled_sha256 = models.CharField(max_length=64, blank=True, default="")  # as Consensus.gold_sha256 was then
    judgments = models.JSONField(default=list)  # ids of the answers that counted
    decision = models.ForeignKey(
        "labeling.Adjudication", models.PROTECT, null=True, blank=True, related_name="gold_items"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "item"], name="one_gold_row_per_item"),
            models.CheckConstraint(
                condition=Q(probability__gt=0, probability__lte=1), name="gold_item_has_probability"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} in {self.release}"


class ReleaseFile(models.Model):
    release = models.ForeignKey(GoldRelease, models.PROTECT, related_name="files")
    name = models.CharField(max_length=120)
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "name"], name="one_file_per_name")]
        ordering = ["release", "name"]

    def __str__(self) -> str:
        return f"{self.name} of {self.release}"
