"""What the answers say together, one row per item and label."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import permissions, schemas
from labeling.api.base import ActionView, paged
from labeling.models import Consensus

STATES = Consensus.State

# States an item can be in while a label of it is in this one: what the database can narrow by.
ITEM_STATES = {
    STATES.PENDING: [STATES.PENDING],
    STATES.DISPUTED: [STATES.DISPUTED],
    STATES.ADJUDICATED: [STATES.PENDING, STATES.DISPUTED, STATES.ADJUDICATED],
    STATES.AGREED: [STATES.AGREED, STATES.DISPUTED, STATES.ADJUDICATED],
}


class ConsensusShape(serializers.Serializer):
    item = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    probability = serializers.FloatField(allow_null=True, help_text="share of yes among yes and no")
    verdict = serializers.ChoiceField(choices=["yes", "no", "unsure"], allow_null=True)
    state = serializers.ChoiceField(choices=STATES.choices)
    yes = serializers.IntegerField()
    no = serializers.IntegerField()
    unsure = serializers.IntegerField()


class ConsensusView(ActionView):
    actions = {"GET": "consensus.read"}
    query = frozenset({"state", "label"})
    page_key = "id"

    @extend_schema(
        responses=ConsensusShape(many=True),
        parameters=[
            OpenApiParameter("state", str, enum=STATES.values),
            OpenApiParameter("label", str, description="only this label"),
            OpenApiParameter("page_size", int, description="items a page; each has a row per label"),
            OpenApiParameter("cursor", str),
        ],
    )
    def get(self, request, slug: str) -> Response:
        """Consensus per item and label: an estimate, not gold. Annotators get none, adjudicators that of done items."""
        state, label = self._state(request), self._label(request)
        rows = Consensus.objects.filter(project=self.project).select_related("item")
        if not permissions.may(request.user, "judgment.read_others_before_done", self.project, roles=self.roles):
            rows = rows.of_finished_items()
        if state and label:
            rows = rows.filter(**{f"labels__{label}__state": state})
        elif label:
            rows = rows.filter(labels__has_key=label)
        elif state:
            rows = rows.filter(state__in=ITEM_STATES[STATES(state)])
        pages = paged(self, rows, lambda row: list(_rows_of(row, state=state, label=label)))
        pages.data["results"] = [row for rows in pages.data["results"] for row in rows]
        return pages

    def _state(self, request) -> str:
        state = request.query_params.get("state", "")
        if state and state not in STATES.values:
            raise exceptions.ParseError(f"state is one of {', '.join(STATES.values)}.")
        return state

    def _label(self, request) -> str:
        label = request.query_params.get("label", "")
        if label and label not in {known.key for known in schemas.in_force(self.project).labels}:
            raise exceptions.ParseError("label is not a label of this project.")
        return label


def _rows_of(counted: Consensus, *, state: str, label: str) -> Iterator[dict[str, Any]]:
    for key, said in counted.labels.items():
        if label in {"", key} and state in {"", said["state"]}:
            yield {"item": counted.item.public_id, "label": key} | said
