"""Disagreements and decisions: what waits, worst first, and the final verdict of a person."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import adjudication, permissions, schemas, waiting_reasons
from labeling.adjudication import Case
from labeling.api.base import ActionView
from labeling.api.conventions import CursorPages, if_match
from labeling.api.shapes import ItemShape, item_shape
from labeling.decisions import VERDICTS, Decision
from labeling.forms.answers import LONGEST_SECONDS
from labeling.models import Adjudication, Cause, Item, Judgment, Project

MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="the `version` of the case as it was read"
)


class PreconditionRequired(exceptions.APIException):
    status_code = 428
    default_detail = "Send If-Match with the version you decided on, so that nobody's decision is overwritten unseen."


class ConflictShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    yes = serializers.IntegerField(allow_null=True, help_text="null, as the next ones, where `unseen`")
    no = serializers.IntegerField(allow_null=True)
    unsure = serializers.IntegerField(allow_null=True)
    probability = serializers.FloatField(allow_null=True, help_text="of yes, by all answers together")


class CaseShape(serializers.Serializer):
    item = ItemShape()
    labels = ConflictShape(many=True)
    n_judgments = serializers.IntegerField()
    expected_error = serializers.FloatField(help_text="labels of this page expected to be wrong: sum of min(p, 1 - p)")
    reason = serializers.CharField()
    unseen = serializers.BooleanField(help_text="drawn by chance: decided without a look at the answers, no cause")
    version = serializers.CharField(help_text="send it as If-Match when deciding")


class GivenShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="name it to send the answer back")
    verdicts = serializers.DictField(child=serializers.CharField(), help_text="on the labels in conflict")
    not_assessable = serializers.BooleanField()
    confidence = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    active_seconds = serializers.FloatField(allow_null=True)


class WholeCaseShape(CaseShape):
    answers = GivenShape(many=True, help_text="one a person, in an order that tells nothing; none where `unseen`")


class CauseShape(serializers.Serializer):
    code = serializers.ChoiceField(choices=Cause.choices)
    name = serializers.CharField()


class CaseQueueShape(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CaseShape(many=True)
    causes = CauseShape(many=True)


class DecisionSerializer(serializers.Serializer):
    """The verdict of every label in conflict, and why people disagreed."""

    verdicts = serializers.DictField(child=serializers.ChoiceField(choices=VERDICTS), default=dict)
    accept = serializers.BooleanField(default=False, help_text="what the answers make likelier, on labels left out")
    cause = serializers.ChoiceField(choices=Cause.choices, allow_blank=True, default="")
    note = serializers.CharField(allow_blank=True, default="", max_length=adjudication.MAX_NOTE)
    active_seconds = serializers.FloatField(allow_null=True, default=None, min_value=0, max_value=LONGEST_SECONDS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["accept"] and not attrs["verdicts"]:
            raise serializers.ValidationError({"verdicts": "Say a verdict for every label in conflict, or accept."})
        return attrs

    def decision(self) -> Decision:
        said = dict(self.validated_data)
        return Decision(accepts=said.pop("accept"), **said)


class AdjudicationShape(serializers.Serializer):
    id = serializers.IntegerField()
    item = serializers.CharField()
    verdicts = serializers.DictField(child=serializers.ChoiceField(choices=VERDICTS))
    cause = serializers.ChoiceField(choices=Cause.choices, allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField()
    version = serializers.CharField(help_text="send it as If-Match to decide again")


class ReopenSerializer(serializers.Serializer):
    note = serializers.CharField(allow_blank=True, default="", max_length=adjudication.MAX_NOTE)


class WorstFirst(CursorPages):
    """Pages of the queue: the largest weighted error first, then by item. Forwards only: it shrinks as one works."""

    def paginate_queryset(self, queryset: Any, request, view=None) -> list[Any]:
        self.request, self.size = request, self._size(request)
        after = self._after(request)
        if after is not None:
            error, item_id = after
            queryset = queryset.filter(Q(weighted_error__lt=error) | Q(weighted_error=error, item__gt=item_id))
        rows = list(queryset[: self.size + 1])
        more, rows = len(rows) > self.size, rows[: self.size]
        self.previous = None
        self.next = self._link("next", [rows[-1].weighted_error, rows[-1].item_id]) if more else None
        return rows

    def _after(self, request) -> tuple[float, int] | None:
        raw = request.query_params.get("cursor")
        if raw is None:
            return None
        try:
            _, (error, item_id) = json.loads(urlsafe_b64decode(raw.encode("ascii", "strict") + b"=="))
            return float(error), int(item_id)
        except Exception as bad:  # base64, JSON, shape or type: every way of being wrong has the one answer
            raise exceptions.ParseError("This cursor is not one this list gave out.") from bad

    def _link(self, direction: str, value: Any) -> str:
        packed = json.dumps([direction, value], separators=(",", ":")).encode()
        query = self.request.query_params.copy()
        query["cursor"] = urlsafe_b64encode(packed).rstrip(b"=").decode()
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")


class CaseQueueView(ActionView):
    actions = {"GET": "adjudication.list"}
    query = frozenset({"label"})

    @extend_schema(
        responses=CaseQueueShape,
        parameters=[
            OpenApiParameter("label", str, description="pages on which this label is in conflict"),
            OpenApiParameter("page_size", int),
            OpenApiParameter("cursor", str),
        ],
    )
    def get(self, request, slug: str) -> Response:
        """Pages in dispute that the caller may decide: never one they answered. They are not given these to judge."""
        waiting = adjudication.queue(
            self.project, adjudicator=request.user, label=request.query_params.get("label", "")
        )
        pages = WorstFirst()
        cases = adjudication.open_cases(pages.paginate_queryset(waiting, request, self), by=request.user)
        schema = schemas.in_force(self.project)
        whole = permissions.may(request.user, "item.withdraw", self.project, roles=self.roles)
        shapes = [case_shape(case, self.project, schema=schema, whole=whole) for case in cases]
        causes = [{"code": code, "name": name} for code, name in Cause.choices]
        return Response({"next": pages.next, "previous": pages.previous, "results": shapes, "causes": causes})


class AdjudicationView(ActionView):
    actions = {"GET": "adjudication.list", "POST": "adjudication.decide"}

    @extend_schema(responses=WholeCaseShape)
    def get(self, request, slug: str, public_id: str) -> Response:
        """One page: its labels in conflict with their votes, and its version. The caller is not given it to judge."""
        case = adjudication.open_case(page_of(self.project, public_id), by=request.user)
        schema = schemas.in_force(self.project)
        whole = permissions.may(request.user, "item.withdraw", self.project, roles=self.roles)
        shape = case_shape(case, self.project, schema=schema, whole=whole)
        response = Response(shape | {"answers": answers_shape(case, salt=f"api:{request.user.pk}")})
        response["ETag"] = f'"{case.version}"'
        return response

    @extend_schema(request=DecisionSerializer, responses={201: AdjudicationShape}, parameters=[MATCH])
    def post(self, request, slug: str, public_id: str) -> Response:
        """Decide the labels in conflict. 412 with both versions when the page is no longer what was read."""
        item, seen = page_of(self.project, public_id), seen_version(request)
        body = DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        decided = adjudication.decide(item, by=request.user, decision=body.decision(), seen_version=seen)
        return _answer(decided, item)


class ReopenView(ActionView):
    actions = {"POST": "adjudication.reopen"}

    @extend_schema(request=ReopenSerializer, responses={204: None})
    def post(self, request, slug: str, public_id: str) -> Response:
        """Take the decision in force back: the page is in dispute again, and the old decision stays on record."""
        body = ReopenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        adjudication.reopen(page_of(self.project, public_id), by=request.user, note=body.validated_data["note"])
        return Response(status=204)


def case_shape(case: Case, project: Project, *, schema: schemas.Schema, whole: bool) -> dict[str, Any]:
    counts = ("yes", "no", "unsure", "probability")
    nothing: dict[str, Any] = {"yes": 0, "no": 0, "unsure": 0, "probability": None}
    return {
        "item": item_shape(case.item, case.item.snapshot, project=project, whole=whole),
        "labels": [
            {"label": key} | {name: None if case.is_unseen else case.labels.get(key, nothing)[name] for name in counts}
            for key in case.conflict
        ],
        "n_judgments": case.n_judgments,
        "expected_error": case.expected_error,
        "reason": waiting_reasons.reason(case, schema),
        "unseen": case.is_unseen,
        "version": case.version,
    }


def answers_shape(case: Case, *, salt: str) -> list[dict[str, Any]]:
    """The answers in conflict without a name; nothing of a page that is decided unseen."""
    if case.is_unseen:
        return []
    return [
        {
            "id": given.pk,
            "verdicts": {key: given.verdicts[key] for key in case.conflict if key in given.verdicts},
            "not_assessable": given.outcome == Judgment.Outcome.NOT_ASSESSABLE,
            "confidence": given.confidence or None,
            "note": given.note,
            "active_seconds": given.active_seconds,
        }
        for given in adjudication.votes_on(case.item, salt=salt)
    ]


def _answer(decided: Adjudication, item: Item) -> Response:
    decided.refresh_from_db(fields=["decided_at"])
    version = adjudication.case_of(item).version
    shape = {
        "id": decided.pk,
        "item": item.public_id,
        "verdicts": decided.verdicts,
        "cause": decided.cause,
        "note": decided.note,
        "decided_at": decided.decided_at,
        "version": version,
    }
    response = Response(shape, status=201)
    response["ETag"] = f'"{version}"'
    return response


def seen_version(request: Any) -> str:
    """The version the caller decided on. Raises PreconditionRequired where none was sent."""
    seen = if_match(request)
    if seen is None:
        raise PreconditionRequired
    return seen.strip('"')


def page_of(project: Project | None, public_id: str) -> Item:
    return get_object_or_404(Item.objects.select_related("project", "snapshot"), project=project, public_id=public_id)
