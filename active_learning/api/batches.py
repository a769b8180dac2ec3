"""Batches: choose the next pages, and read why each was chosen."""

from typing import Any

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from active_learning import batches
from active_learning.models import Batch, BatchItem
from labeling.api.base import ActionView, paged
from labeling.api.jobs import JobShape, accepted
from labeling.models import Stream


class BatchRequest(serializers.Serializer):
    """What is left out follows the project's settings; `run`, the newest finished run."""

    size = serializers.IntegerField(required=False, min_value=1, max_value=batches.LARGEST)
    strategy = serializers.CharField(required=False, max_length=60, help_text="an unknown one is a 422 with the names")
    random_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    run = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1)


class BatchShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="the batch's number in its project")
    run = serializers.IntegerField(allow_null=True, help_text="null when no model had been trained")
    strategy = serializers.CharField()
    size = serializers.IntegerField(help_text="pages asked for")
    n_items = serializers.IntegerField(help_text="pages chosen")
    random_share = serializers.FloatField()
    seed = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    job = serializers.UUIDField(allow_null=True)


class BatchItemShape(serializers.Serializer):
    item = serializers.CharField(help_text="32 hex characters")
    rank = serializers.IntegerField()
    stream = serializers.ChoiceField(choices=Stream.choices)
    reason = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # its name in the JSON
        allow_null=True, help_text="the label it was chosen for"
    )
    probability = serializers.FloatField(allow_null=True, help_text="share of the frame drawn by then; null when it was chosen")
    scores = serializers.DictField(child=serializers.FloatField(allow_null=True))


class BatchDetailShape(BatchShape):
    items = BatchItemShape(many=True)


def batch_shape(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.number,
        "run": batch.run.number if batch.run else None,
        "strategy": batch.strategy,
        "size": batch.size,
        "n_items": batch.n_items,  # type: ignore[attr-defined]  # counted by the query
        "random_share": batch.random_share,
        "seed": batch.seed,
        "created_at": batch.created_at,
        "job": str(batch.job_id) if batch.job_id else None,
    }


def batch_item_shape(row: BatchItem) -> dict[str, Any]:
    chosen = row.selection
    return {
        "item": chosen.item.public_id,
        "rank": row.rank,
        "stream": chosen.stream,
        "reason": chosen.reason,
        "label": row.label or None,
        "probability": chosen.probability,
        "scores": row.scores,
    }


class _BatchAction(ActionView):
    @property
    def found(self):
        return self.project.batches.select_related("run").annotate(n_items=Count("batch_items"))


class BatchesView(_BatchAction):
    actions = {"GET": "batch.read", "POST": "batch.create"}
    page_key = "-number"

    @extend_schema(responses=BatchShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Batches, the newest first."""
        return paged(self, self.found, batch_shape)

    @extend_schema(request=BatchRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Choose the next pages and open their slots. The job's result names the batch."""
        body = BatchRequest(data=request.data)
        body.is_valid(raise_exception=True)
        return accepted(batches.select(self.project, by=request.user, **body.validated_data), request)


class BatchView(_BatchAction):
    actions = {"GET": "batch.read"}

    @extend_schema(responses=BatchDetailShape)
    def get(self, request, slug: str, number: int) -> Response:
        """One batch with its pages by rank."""
        batch = get_object_or_404(self.found, number=number)
        rows = batch.batch_items.select_related("selection__item").order_by("rank")
        return Response(batch_shape(batch) | {"items": [batch_item_shape(row) for row in rows]})
