"""What may be wrong: pages ranked by how likely one of their labels is, and samples that ask a guideline's change."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class DoubtRanking(models.Model):
    """What the ranking of a project rests on."""

    project = models.OneToOneField("labeling.Project", models.CASCADE, primary_key=True, related_name="doubt_ranking")
    made_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=12)  # stack, consensus or model: see doubts.py
    n_items = models.PositiveIntegerField()  # that were ranked
    n_decisions = models.PositiveIntegerField()
    learnt_at = models.DateTimeField(null=True, blank=True)  # of the model whose opinion counted

    def __str__(self) -> str:
        return f"doubts about {self.project}"


class Doubt(models.Model):
    """One of the pages most likely to carry a wrong label."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="doubts")
    item = models.OneToOneField("labeling.Item", models.CASCADE, related_name="doubt")
    rank = models.PositiveIntegerField()
    risk = models.FloatField()  # for sorting: expected wrong labels, or how little the model believes them
    labels = models.JSONField(default=list)  # the most doubtful first: [{"label", "verdict", "believed"}]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "rank"], name="one_doubt_per_rank")]

    def __str__(self) -> str:
        return f"{self.rank}: {self.item}"


class Rejudging(models.Model):
    """A sample of pages asked again after the guideline changed. Its answers never feed consensus or agreement."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="rejudgings")
    number = models.PositiveIntegerField()
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, related_name="+")  # the changed version
    labels = models.JSONField(default=list)  # keys
    seed = models.CharField(max_length=64)
    frame_size = models.PositiveIntegerField()  # pages it was drawn from
    frame_sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    overlap = models.PositiveSmallIntegerField(default=2)
    items = models.JSONField(default=list)  # ids of the drawn pages, in order
    # {label: [[answers before, yes before, answers after, yes after, pages]]}
    counts = models.JSONField(default=dict)
    counted_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_rejudging_per_number")]
        ordering = ["project", "-number"]

    def __str__(self) -> str:
        return f"re-judged sample {self.number} of {self.project}"

    @property
    def origin(self) -> str:
        """As the selections of its pages name it."""
        return f"rejudge {self.number}"
