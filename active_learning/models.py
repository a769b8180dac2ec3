"""How a project learns: its settings, each fit of the learner, the scored shards, and the batches it chose."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from active_learning.strategies.names import DEFAULT_STRATEGY


class LearnerSettings(models.Model):
    project = models.OneToOneField("labeling.Project", models.CASCADE, primary_key=True, related_name="learner")
    batch_size = models.PositiveIntegerField(default=100, validators=[MinValueValidator(1), MaxValueValidator(10_000)])
    random_share = models.FloatField(default=0.2, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    query_strategy = models.CharField(max_length=60, default=DEFAULT_STRATEGY)
    retrain_every = models.PositiveIntegerField(default=0)  # new judgments; 0 = not by count
    retrain_hours = models.PositiveIntegerField(default=0)  # 0 = not by the clock

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(random_share__gte=0, random_share__lte=1), name="random_share_in_range"
            )
        ]
        verbose_name_plural = "learner settings"

    def __str__(self) -> str:
        return f"learner of {self.project}"


class TrainingRun(models.Model):
    """One fit of the learner, with everything needed to fit it again."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="training_runs")
    job = models.OneToOneField("labeling.Job", models.SET_NULL, null=True, blank=True, related_name="training_run")
    number = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=40, default="button")  # button, count, schedule, command
    n_items = models.PositiveIntegerField(default=0)
    n_judgments = models.PositiveIntegerField(default=0)  # votes in the project when it was fitted
    data_sha256 = models.CharField(max_length=64, blank=True)
    recipe = models.JSONField(default=dict)
    code_version = models.CharField(max_length=40, blank=True)
    labels = models.JSONField(default=list)
    metrics = models.JSONField(default=dict)
    weights_sha256 = models.CharField(max_length=64, blank=True)  # the reproducible identity
    artifact_sha256 = models.CharField(max_length=64, blank=True)  # of the file: guards loading
    artifact_name = models.CharField(max_length=120, blank=True)
    n_scored = models.PositiveBigIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    fitted_at = models.DateTimeField(null=True, blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_run_per_number")]
        ordering = ["project", "-number"]

    def __str__(self) -> str:
        return f"run {self.number} of {self.project}"


class ScoreShard(models.Model):
    """A content-addressed file with the probabilities of a range of items under one run."""

    run = models.ForeignKey(TrainingRun, models.CASCADE, related_name="shards")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    first_item = models.BigIntegerField()
    last_item = models.BigIntegerField()
    n_items = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_shard_per_number")]
        ordering = ["run", "number"]

    def __str__(self) -> str:
        return f"shard {self.number} of {self.run}"


class Batch(models.Model):
    """Items chosen together to be labelled next, and why."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    job = models.OneToOneField("labeling.Job", models.SET_NULL, null=True, blank=True, related_name="batch")
    run = models.ForeignKey(TrainingRun, models.PROTECT, null=True, blank=True, related_name="batches")
    strategy = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    random_share = models.FloatField()
    seed = models.PositiveBigIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_batch_per_number")]
        ordering = ["project", "-number"]

    def __str__(self) -> str:
        return f"batch {self.number} of {self.project}"


class BatchItem(models.Model):
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="batch_items")
    selection = models.OneToOneField("labeling.Selection", models.CASCADE, related_name="batch_item")
    rank = models.PositiveIntegerField()
    label = models.CharField(max_length=40, blank=True)  # the label it was chosen for; empty for random picks
    scores = models.JSONField(default=dict)  # {label: probability}: what a manager may see, an annotator never

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "rank"], name="one_batch_item_per_rank")]
        ordering = ["batch", "rank"]

    def __str__(self) -> str:
        return f"rank {self.rank} of {self.batch}"
