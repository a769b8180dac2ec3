"""Lease, answer, keep drafts, pass on: what a client of an annotator calls all day."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.response import Response

from labeling import drafts, judging, permissions, queue, schemas, suggestions, waiting
from labeling.answers import MAX_NOTE
from labeling.api.base import ActionView
from labeling.api.conventions import if_match
from labeling.api.shapes import (
    DraftShape,
    JudgmentShape,
    NextShape,
    draft_shape,
    item_shape,
    judgment_shape,
    lease_shape,
)
from labeling.forms.answers import LONGEST_SECONDS
from labeling.models import Assignment, Judgment, Project, Role, State
from labeling.models.work import SkipReason

SEEN = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="the `version` this device last saw")
NEW = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="`*`: no draft was there")


class AnswerSerializer(serializers.Serializer):
    """Every asked label that is not named is "no"; an empty answer needs `"none": true`."""

    yes = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=500)
    unsure = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=500)
    none = serializers.BooleanField(default=False)
    confidence = serializers.ChoiceField(choices=["low", "medium", "high"], allow_null=True, default=None)
    note = serializers.CharField(allow_blank=True, default="", max_length=MAX_NOTE)
    active_seconds = serializers.FloatField(allow_null=True, default=None, min_value=0, max_value=LONGEST_SECONDS)

    def answer(self) -> judging.Answer:
        data = self.validated_data
        return judging.Answer(
            yes=tuple(data["yes"]),
            unsure=tuple(data["unsure"]),
            none=data["none"],
            confidence=data["confidence"] or "",
            note=data["note"],
            active_seconds=data["active_seconds"],
        )


class SkipSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(choices=SkipReason.choices, default=SkipReason.RATHER_NOT)
    not_assessable = serializers.BooleanField(default=False)


class SubmittedShape(serializers.Serializer):
    judgment = JudgmentShape()
    next = NextShape(required=False)


def next_shape(project: Project, user) -> dict[str, Any]:
    """Lease the next page for this person and say it as the contract does."""
    slot = queue.lease_next(project, annotator=user)
    if slot is None:
        return {"assignment": None, "reason": waiting.nothing_left(project, annotator=user)}
    return next_shape_of(slot, user)


def next_shape_of(slot: Assignment, user) -> dict[str, Any]:
    """A page this person has just been given."""
    return {
        "assignment": _lease(slot, user, suggested=suggestions.give(slot, to=user)),
        "item": item_shape(slot.item, slot.snapshot, project=slot.project, whole=False),
        "draft": draft_shape(drafts.draft_of(slot, by=user)),
    }


def _lease(slot: Assignment, user, *, suggested: Sequence[str] | None) -> dict[str, Any]:
    shown = judging.question_of(slot, by=user)
    asked = tuple(slot.asked or shown.keys)
    return lease_shape(slot, schema_number=shown.number, asked=asked, suggested=suggested)


class NextView(ActionView):
    actions = {"POST": "queue.claim"}

    @extend_schema(request=None, responses=NextShape)
    def post(self, request, slug: str) -> Response:
        """Lease the next item. Who holds an unexpired lease gets that one back."""
        return Response(next_shape(self.project, request.user))


class SlotView(ActionView):
    """A call about one slot the caller holds or held; any other slot is not found."""

    def scope_project(self) -> None:
        number = self.kwargs["assignment_id"]
        own = queue.slot_of(self.person, number)
        if own is None:
            slot = Assignment.objects.filter(pk=number).select_related("project").first()
            self.hide(slot.project if slot else None)
        self.slot, self.project = own, own.project
        self.roles = frozenset({Role.ANNOTATOR})  # who may not answer finds no slot: visible_to asks for such a role


class JudgmentView(SlotView):
    actions = {"POST": "judgment.create"}
    query = frozenset({"next"})

    @extend_schema(
        request=AnswerSerializer,
        responses={201: SubmittedShape},
        parameters=[
            OpenApiParameter("next", OpenApiTypes.BOOL, description="lease the next item in the same call"), SEEN, NEW,
        ],
    )  # fmt: skip
    def post(self, request, assignment_id: int) -> Response:
        """Record the answer and close the slot; a lost lease is 409, and the answer is kept as the draft.

        `If-Match` and `If-None-Match` say which draft was seen, as where a draft is saved: the 409 then carries both
        versions where another device has saved other ticks, which stay.
        """
        wants_next = _flag(request, "next")
        body = _valid(AnswerSerializer, request)
        judgment = judging.submit(
            self.slot, by=request.user, answer=body.answer(), source=Judgment.Source.API, seen=_seen_draft(request)
        )
        response = Response(_submitted(judgment, self.slot, request.user, wants_next=wants_next), status=201)
        response["ETag"] = judgment_etag(judgment)
        return response


class DraftView(SlotView):
    actions = {"PUT": "draft.save_own"}

    @extend_schema(request=AnswerSerializer, responses=DraftShape, parameters=[SEEN, NEW])
    def put(self, request, assignment_id: int) -> Response:
        """Keep ticks that are not submitted; accepted even after the lease is lost.

        `If-Match` with the draft's `version`, or `If-None-Match: *` where there was none, guards against two devices:
        other ticks saved meanwhile are a 412 with both versions. Without either, what is there is replaced.
        """
        body = _valid(AnswerSerializer, request)
        draft = drafts.save_draft(self.slot, by=request.user, answer=body.answer(), seen=_seen_draft(request))
        response = Response(draft_shape(draft))
        response["ETag"] = f'"{drafts.version_of(draft)}"'
        return response


def _seen_draft(request) -> str | None:
    if request.headers.get("If-None-Match", "").strip() == "*":
        return drafts.NOTHING_SEEN
    seen = if_match(request)
    return None if seen in {None, "*"} else seen.strip('"')


class SkipView(SlotView):
    actions = {"POST": "assignment.skip_own"}

    @extend_schema(request=SkipSerializer, responses={204: None})
    def post(self, request, assignment_id: int) -> Response:
        """Pass the item on, or with `not_assessable` record that nobody can judge it."""
        data = _valid(SkipSerializer, request).validated_data
        if data["not_assessable"]:
            judging.not_assessable(self.slot, by=request.user, reason=data["reason"], source=Judgment.Source.API)
        else:
            judging.skip(self.slot, by=request.user, reason=data["reason"])
        return Response(status=204)


class RenewView(SlotView):
    actions = {"POST": "queue.release_own_lease"}

    @extend_schema(request=None, responses=NextShape)
    def post(self, request, assignment_id: int) -> Response:
        """Push the lease's end out again; 409 when the slot is someone else's now."""
        slot = queue.renew(self.slot, by=request.user)
        suggested = suggestions.given(slot, to=request.user)
        return Response({"assignment": _lease(slot, request.user, suggested=suggested)})


class ReleaseView(SlotView):
    actions = {"POST": "queue.release_own_lease"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request, assignment_id: int) -> Response:
        """Give the slot back to everyone; the draft stays."""
        if self.slot.state == State.LEASED:
            queue.release(self.slot, by=request.user)
        return Response(status=204)


class ReviseView(ActionView):
    actions = {"POST": "judgment.revise_own"}

    def scope_project(self) -> None:
        own = Judgment.objects.filter(rater__user=self.person).select_related("item__project", "rater")
        number = self.kwargs["judgment_id"]
        judgment = own.filter(pk=number).first()
        if judgment is None:
            other = Judgment.objects.filter(pk=number).select_related("item__project").first()
            self.hide(other.item.project if other else None)
        self.judgment = judgment
        self.project = self.judgment.item.project
        self.roles = permissions.roles_of(self.person, self.project)

    @extend_schema(request=AnswerSerializer, responses={201: SubmittedShape})
    def post(self, request, judgment_id: int) -> Response:
        """Append a corrected answer: one's own, until adjudicated or released.

        `If-Match` with the ETag of the answer guards against two tabs: a stale one is 412 with both versions.
        """
        seen = if_match(request)
        body = _valid(AnswerSerializer, request)
        version = None if seen in {None, "*"} else seen.strip('"')
        revised = judging.revise(self.judgment, by=request.user, answer=body.answer(), seen_version=version)
        response = Response({"judgment": shape_of(revised)}, status=201)
        response["ETag"] = judgment_etag(revised)
        return response


def judgment_etag(judgment: Judgment) -> str:
    """The version of an answer just read or written."""
    return f'"{judging.version_of(judgment)}"'


def shape_of(judgment: Judgment) -> dict[str, Any]:
    return judgment_shape(
        judgment,
        item_id=judgment.item.public_id,
        schema_number=schemas.by_id(judgment.schema_id).number,
        annotator=judgment.rater.code,
    )


def _submitted(judgment: Judgment, slot: Assignment, user, *, wants_next: bool) -> dict[str, Any]:
    judgment.item = slot.item
    body: dict[str, Any] = {"judgment": shape_of(judgment)}
    if wants_next:
        body["next"] = next_shape(slot.project, user)
    return body


def _valid(serializer: Any, request) -> Any:
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    return body


def _flag(request, name: str) -> bool:
    raw = request.query_params.get(name, "false")
    if raw not in {"true", "false"}:
        raise ParseError(f"{name} is true or false.")
    return raw == "true"
