"""Samples judged again after the guideline changed: drawing one, and what the change did on the same pages."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import rejudging_report, rejudgings, schemas
from labeling.api.agreement import EstimateShape
from labeling.api.base import ActionView, paged
from labeling.api.jobs import JobShape, accepted
from labeling.models import Rejudging


class RejudgingRequest(serializers.Serializer):
    labels = serializers.ListField(child=serializers.CharField(max_length=40), max_length=500)
    size = serializers.IntegerField(help_text="pages, answered by two people each")
    seed = serializers.CharField(required=False, default="", allow_blank=True, max_length=1_000)


class RejudgingShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="its number in the project")
    schema_version = serializers.IntegerField(help_text="the changed version")
    labels = serializers.ListField(child=serializers.CharField())
    seed = serializers.CharField()
    size = serializers.IntegerField()
    frame_size = serializers.IntegerField(help_text="pages it was drawn from")
    frame_sha256 = serializers.CharField()
    overlap = serializers.IntegerField()
    n_answered = serializers.IntegerField(help_text="pages judged again by all who were asked")
    created_at = serializers.DateTimeField()


class EffectShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    alpha_before = EstimateShape()
    alpha_after = EstimateShape()
    alpha_change = EstimateShape(help_text="with the interval of the paired difference")
    prevalence_before = EstimateShape()
    prevalence_after = EstimateShape()
    prevalence_change = EstimateShape(help_text="as above")


class RejudgingDetailShape(serializers.Serializer):
    id = serializers.IntegerField()
    schema_version = serializers.IntegerField()
    seed = serializers.CharField()
    size = serializers.IntegerField()
    frame_size = serializers.IntegerField()
    frame_sha256 = serializers.CharField()
    overlap = serializers.IntegerField()
    n_answered = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    labels = EffectShape(many=True)


def rejudging_shape(row: Rejudging) -> dict[str, Any]:
    return {
        "id": row.number,
        "schema_version": schemas.by_id(row.schema_id).number,
        "labels": row.labels,
        "seed": row.seed,
        "size": row.size,
        "frame_size": row.frame_size,
        "frame_sha256": row.frame_sha256,
        "overlap": row.overlap,
        "n_answered": rejudging_report.n_answered(row),
        "created_at": row.created_at,
    }


class RejudgingsView(ActionView):
    actions = {"GET": "rejudge.read", "POST": "rejudge.draw"}
    page_key = "-number"

    @extend_schema(responses=RejudgingShape(many=True))
    def get(self, request, slug: str) -> Response:
        """The samples of the project, the newest first."""
        rejudging_report.freshen(self.project)
        return paged(self, Rejudging.objects.filter(project=self.project), rejudging_shape)

    @extend_schema(request=RejudgingRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Draw pages that were judged before the version in force, and ask two people about each again."""
        body = RejudgingRequest(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = rejudgings.checked(self.project, **body.validated_data)
        return accepted(rejudgings.queue_drawing(self.project, wanted, by=request.user), request)


class RejudgingView(ActionView):
    actions = {"GET": "rejudge.read"}

    @extend_schema(responses=RejudgingDetailShape)
    def get(self, request, slug: str, number: int) -> Response:
        """One sample: agreement and share of yes before and after, and the difference on the same pages."""
        rejudging_report.freshen(self.project)
        row = get_object_or_404(Rejudging, project=self.project, number=number)
        labels = [
            {
                "label": one.key,
                "alpha_before": one.alpha_before.as_dict(),
                "alpha_after": one.alpha_after.as_dict(),
                "alpha_change": one.alpha_change.as_dict(),
                "prevalence_before": one.share_before.as_dict(),
                "prevalence_after": one.share_after.as_dict(),
                "prevalence_change": one.share_change.as_dict(),
            }
            for one in rejudging_report.effects(row)
        ]
        return Response(rejudging_shape(row) | {"labels": labels})
