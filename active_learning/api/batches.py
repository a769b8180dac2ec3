"""Batches: choose the next pages, and read why each was chosen."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from active_learning import batches
from active_learning.models import Batch, BatchItem
from labeling.api.base import ActionView
from labeling.api.conventions import CursorPages
from labeling.api.jobs import JobShape, accepted
from labeling.models import Stream

ITEMS_LISTED = batches.LARGEST  # in one page of the list, over all of its batches


class BatchRequest(serializers.Serializer):
    """What is left out follows the project's settings; `run`, the newest finished run."""

    size = serializers.IntegerField(required=False, min_value=1, max_value=batches.LARGEST)
    strategy = serializers.CharField(required=False, max_length=60, help_text="an unknown one is a 422 with the names")
    random_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    run = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1)


class BatchItemShape(serializers.Serializer):
    item = serializers.CharField(help_text="32 hex characters")
    rank = serializers.IntegerField()
    stream = serializers.ChoiceField(choices=Stream.choices)
    reason = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # its name in the JSON
        allow_null=True, help_text="the label it was chosen for"
    )
    probability = serializers.FloatField(
        allow_null=True, help_text="share of the frame drawn by then; null when it was chosen"
    )
    scores = serializers.DictField(child=serializers.FloatField(allow_null=True))


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
    items = BatchItemShape(many=True)


class ListedBatchShape(BatchShape):
    items = BatchItemShape(
        many=True, allow_null=True,
        help_text=f"by rank; null after {ITEMS_LISTED:,} pages of newer batches: ask for that batch alone",
    )  # fmt: skip


def batch_shape(batch: Batch, rows: Iterable[BatchItem] | None) -> dict[str, Any]:
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
        "items": None if rows is None else [batch_item_shape(row) for row in rows],
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


def rows_of(found: Sequence[Batch], *, most: int) -> dict[int, list[BatchItem]]:
    """Pages by rank of as many of these batches, in their order, as hold at most `most` pages together; one query."""
    reached = accumulate(batch.n_items for batch in found)  # type: ignore[attr-defined]  # counted by the query
    rows: dict[int, list[BatchItem]] = {
        batch.pk: [] for batch, n_so_far in zip(found, reached, strict=True) if n_so_far <= most
    }
    for row in BatchItem.objects.filter(batch__in=rows).select_related("selection__item").order_by("batch", "rank"):
        rows[row.batch_id].append(row)
    return rows


class _BatchAction(ActionView):
    @property
    def found(self):
        return self.project.batches.select_related("run").annotate(n_items=Count("batch_items"))


class BatchesView(_BatchAction):
    actions = {"GET": "batch.read", "POST": "batch.create"}
    page_key = "-number"

    @extend_schema(responses=ListedBatchShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Batches with their pages by rank, the newest first."""
        pages = CursorPages()
        found = pages.paginate_queryset(self.found, request, self)
        rows = rows_of(found, most=ITEMS_LISTED)
        return pages.get_paginated_response([batch_shape(batch, rows.get(batch.pk)) for batch in found])

    @extend_schema(request=BatchRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Choose the next pages and open their slots. The job's result names the batch."""
        body = BatchRequest(data=request.data)
        body.is_valid(raise_exception=True)
        return accepted(batches.select(self.project, by=request.user, **body.validated_data), request)


class BatchView(_BatchAction):
    actions = {"GET": "batch.read"}

    @extend_schema(responses=BatchShape)
    def get(self, request, slug: str, number: int) -> Response:
        """One batch with its pages by rank."""
        batch = get_object_or_404(self.found, number=number)
        return Response(batch_shape(batch, rows_of([batch], most=batches.LARGEST)[batch.pk]))
