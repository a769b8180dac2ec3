"""Rounds for new labels: what asking them of pages judged before costs, and asking."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import new_labels
from labeling.api.base import ActionView
from labeling.api.jobs import JobShape, accepted


class NewLabelRound(serializers.Serializer):
    labels = serializers.ListField(child=serializers.CharField(max_length=40), allow_empty=False, max_length=500)


class NewLabelCost(serializers.Serializer):
    labels = serializers.ListField(child=serializers.CharField())
    pages = serializers.IntegerField(help_text="pages judged before that lack answers to these labels")
    answers = serializers.IntegerField(help_text="answers people would be asked for")


class NewLabelRoundsView(ActionView):
    actions = {"GET": "schema.ask_again", "POST": "schema.ask_again"}
    query = frozenset({"label"})

    @extend_schema(
        parameters=[
            OpenApiParameter("label", str, many=True, description="a label; without one, all that are new since"),
        ],
        responses=NewLabelCost,
    )
    def get(self, request, slug: str) -> Response:
        """What a round for these labels takes. A label that was not asked has no verdict: it is never counted as no."""
        named = request.query_params.getlist("label")
        keys = named and new_labels.checked(self.project, named)
        return Response(self.cost(keys or [label.key for label in new_labels.younger_than_answers(self.project)]))

    @extend_schema(request=NewLabelRound, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Ask these labels, and nothing else, of the pages judged before: as many people as judged each together."""
        body = NewLabelRound(data=request.data)
        body.is_valid(raise_exception=True)
        return accepted(new_labels.queue_asking(self.project, body.validated_data["labels"], by=request.user), request)

    def cost(self, keys: Any) -> dict[str, Any]:
        cost = new_labels.cost(self.project, keys) if keys else new_labels.Cost(0, 0)
        return {"labels": list(keys), "pages": cost.n_pages, "answers": cost.n_answers}
