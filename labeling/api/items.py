"""Items: list, search and read."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import item_search, permissions
from labeling.api.base import ActionView, paged
from labeling.api.shapes import ItemShape, item_shape
from labeling.models import Item, Project, Stream
from labeling.models.items import ItemState
from labeling.permissions import Sight

FILTERS = [
    OpenApiParameter("q", str, description="part of the address or title"),
    OpenApiParameter("host", str, description="a host with those under it, or an ending like .org"),
    OpenApiParameter("stream", str, enum=Stream.values),
    OpenApiParameter("state", str, enum=[*ItemState.values, *sorted(item_search.OPINIONS)]),
    OpenApiParameter("label", str, description="pages on which this label holds"),
    OpenApiParameter("min_probability", float, description="with `label`: its probability is at least this"),
    OpenApiParameter("import", str, description="pages that this import brought"),
]


class WholeItemShape(ItemShape):
    stream = serializers.CharField(allow_null=True, required=False, help_text="never shown to annotators")
    state = serializers.ChoiceField(ItemState.choices, required=False, help_text="never shown to annotators")


class _OfItems(ActionView):
    @property
    def sight(self) -> Sight:
        return permissions.sight(self.request.user, self.project, roles=self.roles)


def listed_item_shape(item: Item, project: Project, sight: Sight) -> dict[str, Any]:
    """An item for people who may list them, as far as each may see. Its stream comes from `item_search.with_stream`."""
    shape = item_shape(item, item.snapshot if sight.text else None, project=project, whole=sight.whole)
    stream = item.stream  # type: ignore[attr-defined]  # annotated by item_search.with_stream
    return {**shape, "stream": stream, "state": item.state}


class ItemsView(_OfItems):
    actions = {"GET": "item.list"}
    query = frozenset(item_search.NAMES)

    @extend_schema(parameters=FILTERS, responses=WholeItemShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Items, the newest first; archived ones only with `state=archived`.

        Queries, user names and metadata are for managers; a sensitive project shows viewers no title and no text.
        """
        sight = self.sight
        wanted = item_search.read_filter(request.query_params, self.project, sight=sight)
        found = item_search.with_stream(item_search.find(self.project, wanted)).select_related("snapshot")
        return paged(self, found, lambda item: listed_item_shape(item, self.project, sight))


class ItemView(_OfItems):
    actions = {"GET": "item.read_any"}

    @extend_schema(responses=WholeItemShape)
    def get(self, request, slug: str, public_id: str) -> Response:
        """One item. Annotators read those they hold or answered, without stream and state."""
        found = Item.objects.filter(project=self.project, public_id=public_id).select_related("snapshot")
        if permissions.may(request.user, "item.list", self.project, roles=self.roles):
            item = get_object_or_404(item_search.with_stream(found))
            return Response(listed_item_shape(item, self.project, self.sight))
        item = get_object_or_404(found.readable_by_annotator(request.user))
        return Response(item_shape(item, item.snapshot, project=self.project, whole=False))
