"""The queue for those who run a project: what stands in it, and pages given, moved, reserved and put back."""

from typing import Any, Protocol

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import assigning, item_search, permissions, queue, queue_report, skipping
from labeling.api.base import ActionView
from labeling.models import Assignment, Item, Project, User
from labeling.refusals import Unacceptable

MOST_ITEMS = 10_000


class Change(Protocol):
    """What is done to pages; returns how many it changed."""

    def __call__(self, items: QuerySet[Item], *, project: Project, by: User) -> int: ...


# ---- what stands in it ----------------------------------------------------------------------------------------------
class HeldShape(serializers.Serializer):
    id = serializers.IntegerField()
    item = serializers.CharField()
    username = serializers.CharField()
    leased_at = serializers.DateTimeField()
    lease_expires_at = serializers.DateTimeField()


class AsideShape(serializers.Serializer):
    item = serializers.CharField()
    reason = serializers.CharField()
    skips = serializers.IntegerField()
    since = serializers.DateTimeField()


class BeyondShape(serializers.Serializer):
    item = serializers.CharField()
    overlap = serializers.IntegerField(help_text="how many people are asked now")
    leased = serializers.IntegerField()
    done = serializers.IntegerField()


class PersonShape(serializers.Serializer):
    username = serializers.CharField()
    answered_today = serializers.IntegerField()
    answered = serializers.IntegerField()
    left_today = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    left = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    put_by = serializers.IntegerField(help_text="pages given to them that they have not taken yet")
    paused_at = serializers.DateTimeField(allow_null=True)


class QueueShape(serializers.Serializer):
    leases = HeldShape(many=True)
    set_aside = AsideShape(many=True)
    beyond_overlap = BeyondShape(many=True)
    people = PersonShape(many=True)


def queue_shape(project: Project) -> dict[str, Any]:
    aside: list[Any] = queue_report.set_aside(project)
    return {
        "leases": [
            {"id": slot.pk, "item": slot.item.public_id, "username": slot.annotator.get_username(),
             "leased_at": slot.leased_at, "lease_expires_at": slot.available_at}
            for slot in queue_report.leases(project) if slot.annotator is not None
        ],
        "set_aside": [
            {"item": item.public_id, "reason": item.why, "skips": item.n_skips, "since": item.since} for item in aside
        ],
        "beyond_overlap": [
            {"item": row.item.public_id, "overlap": row.asked, "leased": row.leased, "done": row.done}
            for row in queue_report.beyond(project)
        ],
        "people": [
            {"username": one.user.get_username(), "answered_today": one.standing.today,
             "answered": one.standing.total, "left_today": one.standing.left_today, "left": one.standing.left,
             "put_by": one.put_by, "paused_at": one.paused_at}
            for one in queue_report.people(project)
        ],
    }  # fmt: skip


class QueueView(ActionView):
    actions = {"GET": "queue.read"}

    @extend_schema(responses=QueueShape)
    def get(self, request, slug: str) -> Response:
        """Who holds what, what is set aside, what stands beyond the number asked, how far everyone is."""
        return Response(queue_shape(self.project))


class ClearView(ActionView):
    actions = {"POST": "queue.release_other_lease"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request, slug: str, assignment_id: int) -> Response:
        """Take a page from whoever holds it; harmless when nobody does. Their ticks stay as a draft."""
        found = Assignment.objects.select_related("project")
        queue.clear_lease(get_object_or_404(found, project=self.project, pk=assignment_id), by=request.user)
        return Response(status=204)


# ---- pages moved ----------------------------------------------------------------------------------------------------
class PagesInput(serializers.Serializer):
    """Which pages: their ids, or the filter of the list of items. One of both."""

    items = serializers.ListField(child=serializers.CharField(max_length=32), max_length=MOST_ITEMS, required=False)
    filter = serializers.DictField(child=serializers.CharField(max_length=500, allow_blank=True), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("items" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"items": ["Name the pages by “items” or by “filter”, one of both."]})
        return attrs


class GiveInput(PagesInput):
    to = serializers.CharField(max_length=150, help_text="the name of somebody who answers pages here")


class PriorityInput(PagesInput):
    priority = serializers.IntegerField(
        min_value=assigning.LOWEST_PRIORITY, max_value=assigning.HIGHEST_PRIORITY, help_text="higher comes first"
    )


class ChangedShape(serializers.Serializer):
    pages = serializers.IntegerField()
    others = serializers.IntegerField(required=False, help_text="pages that had no free slot for this person")


class _Change(ActionView):
    actions = {"POST": "queue.set_priority"}
    body: type[PagesInput] = PagesInput

    def read(self) -> tuple[QuerySet[Item], dict[str, Any]]:
        """The pages meant, and what else the body says."""
        body = self.body(data=self.request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        if "items" in values:
            return Item.objects.filter(project=self.project, public_id__in=values.pop("items")), values
        params = values.pop("filter")
        if unknown := sorted(set(params) - set(item_search.NAMES)):
            sentence = f"“{unknown[0][:60]}” is no filter. Filters are {', '.join(item_search.NAMES)}."
            raise Unacceptable(sentence, [{"pointer": "/filter", "detail": sentence}])
        sight = permissions.sight(self.person, self.project, roles=self.roles)
        return item_search.find(self.project, item_search.read_filter(params, self.project, sight=sight)), values


class GiveView(_Change):
    body = GiveInput

    @extend_schema(request=GiveInput, responses=ChangedShape)
    def post(self, request, slug: str) -> Response:
        """Put one free slot of each page by for a person, who is given it before anything else."""
        items, values = self.read()
        given = assigning.give(items, project=self.project, to=values["to"], by=request.user)
        return Response({"pages": given.pages, "others": given.others})


class PriorityView(_Change):
    body = PriorityInput

    @extend_schema(request=PriorityInput, responses=ChangedShape)
    def post(self, request, slug: str) -> Response:
        """Move pages up or down in the queue."""
        items, values = self.read()
        moved = assigning.set_priority(items, project=self.project, priority=values["priority"], by=request.user)
        return Response({"pages": moved})


class _Done(_Change):
    """A change that needs nothing but the pages."""

    def changed(self, change: Change) -> Response:
        items, _ = self.read()
        return Response({"pages": change(items, project=self.project, by=self.person)})


class TakeBackView(_Done):
    @extend_schema(request=PagesInput, responses=ChangedShape)
    def post(self, request, slug: str) -> Response:
        """Make pages anyone's again, whomever they were put by for."""
        return self.changed(assigning.take_back)


class ReserveView(_Done):
    @extend_schema(request=PagesInput, responses=ChangedShape)
    def post(self, request, slug: str) -> Response:
        """Keep what is still free of these pages for adjudicators."""
        return self.changed(assigning.reserve)


class UnreserveView(_Done):
    @extend_schema(request=PagesInput, responses=ChangedShape)
    def post(self, request, slug: str) -> Response:
        """Let everyone who answers have reserved pages again."""
        return self.changed(assigning.unreserve)


class PutBackView(_Done):
    @extend_schema(request=PagesInput, responses=ChangedShape)
    def post(self, request, slug: str) -> Response:
        """Let people have pages again that were set aside."""
        return self.changed(skipping.put_back)
