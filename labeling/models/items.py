"""What is judged: items, their snapshots, how each came to be asked, and the imports that brought them."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from labeling.models.people import User


class Stream(models.TextChoices):
    """How an item came to be asked. Without it nobody can tell a biased sample from a fair one."""

    IMPORT = "import", "Import"
    RANDOM = "random", "Random"
    UNCERTAINTY = "uncertainty", "Uncertainty"
    DIVERSITY = "diversity", "Diversity"
    SEED = "seed", "Search seed"
    GOLD = "gold", "Gold sample"
    AUDIT = "audit", "Audit"
    DRIFT = "drift", "Drift"


class ItemState(models.TextChoices):
    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"  # out of sight and out of new queues; reversible
    WITHDRAWN = "withdrawn", "Withdrawn"  # with a reason; stays in old releases


class ItemQuerySet(models.QuerySet["Item"]):
    def active(self) -> Self:
        return self.filter(state=ItemState.ACTIVE)

    def readable_by_annotator(self, user: "User") -> Self:
        """Items leased to this person now, or judged by them before: an annotator reads no other."""
        held = user.assignments.filter(state__in=["leased", "done"])
        return self.filter(pk__in=held.values("item"))


class Item(models.Model):
    """One URL of a project. Identity is the SHA-256 of its canonical form, cut to 32 hex characters (128 bits)."""

    project = models.ForeignKey("labeling.Project", models.PROTECT, related_name="items")
    public_id = models.CharField(max_length=32)
    url_raw = models.TextField()
    url_key = models.TextField()
    url_display = models.TextField()
    host = models.CharField(max_length=255, db_index=False)
    registrable_domain = models.CharField(max_length=255)
    flags = models.JSONField(default=list, blank=True)
    external_id = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=35, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.ACTIVE)
    state_reason = models.CharField(max_length=500, blank=True)
    # Largest, over labels, of severity times the best estimate that it holds: 0 to 4, kept by `expectations`.
    expected_exposure = models.FloatField(db_default=0.0, default=0.0)
    not_assessable = models.CharField(max_length=20, blank=True)  # an outcome of the item, not a label
    snapshot = models.ForeignKey("labeling.Snapshot", models.SET_NULL, null=True, blank=True, related_name="+")
    first_import = models.ForeignKey("labeling.Import", models.SET_NULL, null=True, blank=True, related_name="items")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "public_id"], name="one_item_per_url"),
            models.CheckConstraint(condition=models.Q(state__in=ItemState.values), name="item_state_known"),
        ]
        indexes = [
            models.Index(fields=["project", "host"], name="item_host"),
            models.Index(fields=["project", "registrable_domain"], name="item_domain"),
            models.Index(
                fields=["project", "external_id"], condition=~models.Q(external_id=""), name="item_external_id"
            ),
            models.Index(fields=["project", "id"], name="item_in_order"),
        ]

    def __str__(self) -> str:
        return self.url_display


class Snapshot(models.Model):
    """Title and text of an item as captured. Other text is another snapshot; slots and judgments name theirs."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="snapshots")
    title = models.TextField(blank=True)
    text = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64)
    captured_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "content_hash"], name="one_snapshot_per_content")]

    def __str__(self) -> str:
        return self.title or f"text of {self.item}"


class Selection(models.Model):
    """That an item was chosen, and how. Append-only; one item may have several, and each slot points to one."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="selections")
    stream = models.CharField(max_length=12, choices=Stream.choices)
    draw = models.ForeignKey("labeling.Draw", models.PROTECT, null=True, blank=True, related_name="selections")
    origin = models.CharField(max_length=60, blank=True)  # e.g. "import 3f2a…", "batch 12"
    probability = models.FloatField(null=True, blank=True)  # inclusion probability, in (0, 1]; null when not by chance
    rank = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(stream__in=Stream.values), name="selection_stream_known"),
            models.CheckConstraint(
                condition=models.Q(probability=None) | models.Q(probability__gt=0, probability__lte=1),
                name="selection_probability_in_range",
            ),
            # The database refuses a gold row without a probability.
            models.CheckConstraint(
                condition=~models.Q(stream="gold") | models.Q(probability__isnull=False, draw__isnull=False),
                name="gold_selection_has_probability",
            ),
            models.UniqueConstraint(
                fields=["draw", "item"], condition=models.Q(draw__isnull=False), name="one_selection_per_draw"
            ),
        ]
        indexes = [models.Index(fields=["item", "stream"], name="selection_item_stream")]

    def __str__(self) -> str:
        return f"{self.item} by {self.stream}"


class Import(models.Model):
    """One file of items or of existing judgments, and what became of its rows. Its id is its job's id."""

    class Kind(models.TextChoices):
        ITEMS = "items", "Items"
        JUDGMENTS = "judgments", "Judgments"

    job = models.OneToOneField("labeling.Job", models.CASCADE, primary_key=True, related_name="import_run")
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ITEMS)
    filename = models.CharField(max_length=255, blank=True)  # as the person named it; the stored name is generated
    stored_name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    format = models.CharField(max_length=10)  # csv or ndjson
    queue = models.BooleanField(default=False)
    assume_scheme = models.CharField(max_length=5, blank=True)
    rows_done = models.BigIntegerField(default=0)  # checkpoint: rows before this are in the database for good
    rows_total = models.BigIntegerField(default=0)
    rows_created = models.BigIntegerField(default=0)
    rows_duplicate = models.BigIntegerField(default=0)
    rows_updated = models.BigIntegerField(default=0)
    rows_refused = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"import of {self.filename or 'a list'}"


class RefusedRow(models.Model):
    run = models.ForeignKey(Import, models.CASCADE, related_name="refused")
    number = models.BigIntegerField()  # ordinal of the row in the file
    line = models.BigIntegerField()  # physical line where it starts
    reason = models.CharField(max_length=500)
    raw = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_refusal_per_row")]
        ordering = ["run", "number"]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class RowNote(models.Model):
    """Something to know about a row that was taken: what it said otherwise than what is known."""

    run = models.ForeignKey(Import, models.CASCADE, related_name="notes")
    number = models.BigIntegerField()  # ordinal of the row in the file
    line = models.BigIntegerField()  # physical line where it starts
    sentence = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_note_per_row")]
        ordering = ["run", "number"]

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"
