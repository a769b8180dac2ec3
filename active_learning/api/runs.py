"""Training runs and the learning curve."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from active_learning import standing, training
from active_learning.measuring import ACTIVE, RANDOM
from active_learning.models import TrainingRun
from labeling.api.agreement import EstimateShape
from labeling.api.base import ActionView, paged
from labeling.api.jobs import JobShape, accepted
from labeling.models import Job


class RunRequest(serializers.Serializer):
    seed = serializers.IntegerField(
        required=False, min_value=0, max_value=2**training.SEED_BITS - 1,
        help_text="the same seed and answers give the same weights; left out, one is drawn",
    )  # fmt: skip


class RunShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="the run's number in its project")
    state = serializers.ChoiceField(choices=Job.State.choices)
    message = serializers.CharField()
    reason = serializers.CharField(help_text="button, count, schedule, api or command")
    n_items = serializers.IntegerField(help_text="answered pages it learnt from")
    n_judgments = serializers.IntegerField()
    n_scored = serializers.IntegerField()
    labels = serializers.ListField(child=serializers.CharField())
    metrics = serializers.DictField(help_text="per label: answers, held-out average precision, notes; {} until fitted")
    seed = serializers.IntegerField()
    recipe = serializers.DictField()
    code_version = serializers.CharField()
    data_sha256 = serializers.CharField(allow_null=True)
    weights_sha256 = serializers.CharField(allow_null=True, help_text="the model's reproducible identity")
    artifact_sha256 = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    fitted_at = serializers.DateTimeField(allow_null=True)
    scored_at = serializers.DateTimeField(allow_null=True)
    job = serializers.UUIDField(allow_null=True)


def run_shape(run: TrainingRun) -> dict[str, Any]:
    return {
        "id": run.number,
        "state": standing.state_of(run),
        "message": run.job.message if run.job else "",
        "reason": run.reason,
        "n_items": run.n_items,
        "n_judgments": run.n_judgments,
        "n_scored": run.n_scored,
        "labels": run.labels,
        "metrics": run.metrics,
        "seed": run.seed,
        "recipe": run.recipe,
        "code_version": run.code_version,
        "data_sha256": run.data_sha256 or None,
        "weights_sha256": run.weights_sha256 or None,
        "artifact_sha256": run.artifact_sha256 or None,
        "created_at": run.created_at,
        "fitted_at": run.fitted_at,
        "scored_at": run.scored_at,
        "job": str(run.job_id) if run.job_id else None,
    }


class RunsView(ActionView):
    actions = {"GET": "model.read_metrics", "POST": "model.retrain_now"}
    page_key = "-number"

    @extend_schema(responses=RunShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Training runs, the newest first."""
        return paged(self, self.project.training_runs.select_related("job"), run_shape)

    @extend_schema(request=RunRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Train again. While one waits already, its job is the answer; a seed that is not that run's is a 409."""
        body = RunRequest(data=request.data)
        body.is_valid(raise_exception=True)
        run = training.request(self.project, by=request.user, reason="api", seed=body.validated_data.get("seed"))
        return accepted(run.job, request)  # type: ignore[arg-type]  # a run just asked for has its job


class RunView(ActionView):
    actions = {"GET": "model.read_metrics"}

    @extend_schema(responses=RunShape)
    def get(self, request, slug: str, number: int) -> Response:
        """One run."""
        return Response(run_shape(get_object_or_404(self.project.training_runs.select_related("job"), number=number)))


class PointShape(serializers.Serializer):
    run = serializers.IntegerField()
    n_labels = serializers.IntegerField(help_text="answered pages learnt from")
    arm = serializers.ChoiceField(choices=[ACTIVE, RANDOM])
    macro_ap = EstimateShape()
    per_label = serializers.DictField(child=EstimateShape())


class CurveShape(serializers.Serializer):
    points = PointShape(many=True)
    reason = serializers.CharField(allow_null=True, help_text="why no point has a value yet")


class CurveView(ActionView):
    actions = {"GET": "model.read_metrics"}

    @extend_schema(responses=CurveShape)
    def get(self, request, slug: str) -> Response:
        """Average precision by pages learnt from, measured on pages drawn at random only."""
        points, reason = standing.curve(self.project)
        return Response({"points": points, "reason": reason})
