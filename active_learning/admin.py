"""What the learner did, to be looked at. It is started and settled on the learning pages."""

from django.contrib import admin

from active_learning import models
from labeling.admin import ReadOnly


@admin.register(models.LearnerSettings)
class LearnerSettingsAdmin(ReadOnly):
    list_display = ("project", "batch_size", "random_share", "query_strategy", "retrain_every", "retrain_hours")
    list_select_related = ("project",)


@admin.register(models.TrainingRun)
class TrainingRunAdmin(ReadOnly):
    list_display = ("project", "number", "reason", "n_items", "created_at", "fitted_at", "scored_at")
    list_select_related = ("project",)


@admin.register(models.ScoreShard)
class ScoreShardAdmin(ReadOnly):
    list_display = ("run", "number", "n_items", "sha256")
    list_select_related = ("run__project",)


@admin.register(models.Batch)
class BatchAdmin(ReadOnly):
    list_display = ("project", "number", "strategy", "size", "random_share", "created_at")
    list_select_related = ("project",)


@admin.register(models.BatchItem)
class BatchItemAdmin(ReadOnly):
    list_display = ("batch", "rank", "label")
    list_select_related = ("batch__project",)
