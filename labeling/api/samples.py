"""Evaluation samples: draw one, read its record, and repeat it from the probabilities."""

from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import asking_again, exports, samples
from labeling.api.base import ActionView, paged
from labeling.api.downloads import as_download
from labeling.api.jobs import JobShape, accepted
from labeling.models import Draw


class SampleRequest(serializers.Serializer):
    """Samples are uniform: every page has the same chance, which is what a floor of 1 says."""

    size = serializers.IntegerField(min_value=1, max_value=10_000_000)
    seed = serializers.CharField(max_length=64, required=False, allow_null=True)
    overlap = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=samples.MAX_OVERLAP)
    floor = serializers.FloatField(required=False, allow_null=True)
    risk_weights = serializers.DictField(required=False, child=serializers.FloatField())
    score_run = serializers.IntegerField(required=False, allow_null=True)
    scores = serializers.JSONField(required=False, allow_null=True)

    def validate_floor(self, floor: float | None) -> float | None:
        if floor not in (None, 1):
            raise serializers.ValidationError("Every page has the same chance here: leave floor out, or send 1.")
        return floor

    def validate_risk_weights(self, weights: dict[str, float]) -> dict[str, float]:
        return self._unused(weights)

    def validate_score_run(self, run: int | None) -> int | None:
        return self._unused(run)

    def validate_scores(self, scores: Any) -> Any:
        return self._unused(scores)

    def _unused(self, value: Any) -> Any:
        if value not in (None, {}):
            raise serializers.ValidationError("Every page has the same chance here: scores and weights are not used.")
        return value


class SampleShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="the sample's number in its project")
    design = serializers.CharField()
    seed = serializers.CharField()
    size = serializers.IntegerField(help_text="n")
    frame_size = serializers.IntegerField(help_text="N")
    frame_sha256 = serializers.CharField()
    probability = serializers.CharField(help_text="n/N as a decimal")
    probability_fraction = serializers.CharField()
    overlap = serializers.IntegerField()
    rule = serializers.CharField(help_text="how to draw it again")
    created_at = serializers.DateTimeField()
    job = serializers.UUIDField(allow_null=True)


class AskAgainRequest(serializers.Serializer):
    samples = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1), required=False, allow_null=True,
        allow_empty=False, max_length=1_000, help_text="numbers of samples; all of them when left out",
    )  # fmt: skip


class SampleDetailShape(SampleShape):
    n_waiting = serializers.IntegerField(help_text="pages that wait for answers")
    n_outdated = serializers.IntegerField(
        help_text="of those, pages nobody is asked about, since labels are new or mean something else now"
    )
    n_disputed = serializers.IntegerField(help_text="pages that wait for a decision")
    n_settled = serializers.IntegerField()


class ProbabilityShape(serializers.Serializer):
    item = serializers.CharField()
    probability = serializers.CharField()
    probability_fraction = serializers.CharField()
    u = serializers.IntegerField(help_text="the permanent random number, in 0 .. 2**52 - 1")
    drawn = serializers.BooleanField()


def sample_shape(made: Draw) -> dict[str, Any]:
    record = made.record
    return {
        "id": made.number,
        "design": made.design,
        "seed": made.seed,
        "size": made.size,
        "frame_size": made.frame_size,
        "frame_sha256": made.frame_sha256,
        "probability": record["probability"],
        "probability_fraction": record["probability_fraction"],
        "overlap": made.overlap,
        "rule": record["rule"],
        "created_at": made.created_at,
        "job": made.job_id,
    }


class SamplesView(ActionView):
    actions = {"GET": "sample.read", "POST": "sample.draw"}
    page_key = "-number"

    @extend_schema(responses=SampleShape(many=True))
    def get(self, request, slug: str) -> Response:
        """The samples of the project, the newest first."""
        return paged(self, Draw.objects.filter(project=self.project), sample_shape)

    @extend_schema(request=SampleRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Draw a sample from all active pages and queue it, blind. The job's result is the stored record."""
        body = SampleRequest(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        wanted = samples.checked(self.project, size=data["size"], seed=data.get("seed"), overlap=data.get("overlap"))
        return accepted(samples.queue_draw(self.project, wanted, by=request.user), request)


class SampleView(ActionView):
    actions = {"GET": "sample.read"}

    @extend_schema(responses=SampleDetailShape)
    def get(self, request, slug: str, number: int) -> Response:
        """The record of one sample, and how far its pages are."""
        made = get_object_or_404(Draw, project=self.project, number=number)
        so_far = samples.progress(made.project, [made])
        return Response(
            sample_shape(made)
            | {
                "n_waiting": so_far.n_waiting, "n_outdated": so_far.n_outdated, "n_disputed": so_far.n_disputed,
                "n_settled": so_far.n_settled,
            }
        )  # fmt: skip


class AskAgainView(ActionView):
    actions = {"POST": "sample.draw"}

    @extend_schema(request=AskAgainRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Ask people about the labels that are new or have changed since, on drawn pages that lack answers to them."""
        body = AskAgainRequest(data=request.data)
        body.is_valid(raise_exception=True)
        numbers = body.validated_data.get("samples")
        return accepted(asking_again.queue_asking(self.project, numbers, by=request.user), request)


class ProbabilitiesView(ActionView):
    actions = {"GET": "sample.read"}

    def perform_content_negotiation(self, request, force=False):
        return super().perform_content_negotiation(request, force=True)  # the answer is NDJSON whatever is asked

    @extend_schema(responses={(200, "application/x-ndjson"): ProbabilityShape})
    def get(self, request, slug: str, number: int) -> HttpResponseBase:
        """Every page of the frame with its probability and random number, one a line, in order of their ids."""
        made = get_object_or_404(Draw, project=self.project, number=number)
        rows = exports.as_ndjson(samples.probabilities(made))
        return as_download(StreamingHttpResponse(rows), f"{slug}-sample-{number}-probabilities.jsonl")
