"""Pages with known answers, how people do on them and with themselves, pauses; and one's own figures."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.response import Response

from labeling import honeypots, pauses, person_quality, schemas
from labeling.api.agreement import EstimateShape
from labeling.api.base import ActionView, paged
from labeling.models import Desk, Honeypot, PauseReason, User
from labeling.person_quality import PersonQuality
from labeling.repeats import Consistency

USERNAME = OpenApiParameter("username", str, required=True)


# ---- the pool -------------------------------------------------------------------------------------------------------
class HoneypotInput(serializers.Serializer):
    """A page by its id or address. Without `verdicts` what people have settled about it is taken."""

    item = serializers.CharField(max_length=4_000, help_text="its id or its address")
    verdicts = serializers.DictField(
        child=serializers.ChoiceField(choices=["yes", "no"]), required=False, allow_null=True, default=None,
        help_text="labels that are not named are not scored",
    )  # fmt: skip
    explanation = serializers.CharField(allow_blank=True, default="", max_length=honeypots.MAX_EXPLANATION)
    onboarding = serializers.BooleanField(default=False, help_text="one of the first pages of new people")


class HoneypotChange(serializers.Serializer):
    explanation = serializers.CharField(allow_blank=True, required=False, max_length=honeypots.MAX_EXPLANATION)
    onboarding = serializers.BooleanField(required=False)


class HoneypotShape(serializers.Serializer):
    id = serializers.IntegerField()
    item = serializers.CharField()
    verdicts = serializers.DictField(child=serializers.ChoiceField(choices=["yes", "no"]))
    schema_version = serializers.IntegerField()
    explanation = serializers.CharField(allow_blank=True)
    onboarding = serializers.BooleanField()
    added_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)


def honeypot_shape(known: Honeypot) -> dict[str, Any]:
    return {
        "id": known.pk,
        "item": known.item.public_id,
        "verdicts": known.verdicts,
        "schema_version": schemas.by_id(known.schema_id).number,
        "explanation": known.explanation,
        "onboarding": known.is_onboarding,
        "added_at": known.added_at,
        "retired_at": known.retired_at,
    }


class HoneypotsView(ActionView):
    actions = {"GET": "honeypot.manage", "POST": "honeypot.manage"}

    @extend_schema(responses=HoneypotShape(many=True))
    def get(self, request, slug: str) -> Response:
        """The pages with known answers, those that left the pool included."""
        return paged(self, Honeypot.objects.filter(project=self.project).select_related("item"), honeypot_shape)

    @extend_schema(request=HoneypotInput, responses={201: HoneypotShape})
    def post(self, request, slug: str) -> Response:
        """Put a page into the pool. 409 for a page of an evaluation sample, and for one that is not settled."""
        body = HoneypotInput(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        item = honeypots.find_item(self.project, sent["item"])
        made = honeypots.add(
            item, by=request.user, verdicts=sent["verdicts"], explanation=sent["explanation"],
            is_onboarding=sent["onboarding"],
        )  # fmt: skip
        return Response(honeypot_shape(made), status=201)


class HoneypotView(ActionView):
    actions = {"GET": "honeypot.manage", "PATCH": "honeypot.manage", "DELETE": "honeypot.manage"}

    def _known(self) -> Honeypot:
        rows = Honeypot.objects.select_related("item", "project")
        return get_object_or_404(rows, pk=self.kwargs["honeypot_id"], project=self.project)

    @extend_schema(responses=HoneypotShape)
    def get(self, request, slug: str, honeypot_id: int) -> Response:
        """One page of the pool."""
        return Response(honeypot_shape(self._known()))

    @extend_schema(request=HoneypotChange, responses=HoneypotShape)
    def patch(self, request, slug: str, honeypot_id: int) -> Response:
        """Another explanation, or another place in the pool. What is right never changes: retire it and add it."""
        body = HoneypotChange(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        known = honeypots.change(
            self._known(), by=request.user, explanation=sent.get("explanation"), is_onboarding=sent.get("onboarding")
        )
        return Response(honeypot_shape(known))

    @extend_schema(responses={204: None})
    def delete(self, request, slug: str, honeypot_id: int) -> Response:
        """Take the page out of the pool. It is kept, for the answers it has."""
        honeypots.retire(self._known(), by=request.user)
        return Response(status=204)


# ---- people ---------------------------------------------------------------------------------------------------------
class LabelConsistencyShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    same = EstimateShape(help_text="share of pages with the same verdict both times")
    kappa = EstimateShape(help_text="the same beyond chance (Scott's pi); undefined under 20 pages")


class ConsistencyShape(serializers.Serializer):
    pages = EstimateShape(help_text="share of pages answered alike on every label")
    labels = LabelConsistencyShape(many=True)


class PauseShape(serializers.Serializer):
    reason = serializers.ChoiceField(choices=PauseReason.choices)
    detail = serializers.CharField()
    paused_at = serializers.DateTimeField()


class PersonQualityShape(serializers.Serializer):
    username = serializers.CharField()
    known = EstimateShape(help_text="score on pages with known answers, since the person was last let go on")
    first_pages = EstimateShape()
    consistency = ConsistencyShape(allow_null=True)
    onboarded_at = serializers.DateTimeField(allow_null=True)
    paused = PauseShape(allow_null=True)


class PeopleShape(serializers.Serializer):
    results = PersonQualityShape(many=True)
    lacking = serializers.ListField(
        child=serializers.CharField(), help_text="what the settings ask of the pool that it cannot give"
    )


class MissedShape(serializers.Serializer):
    item = serializers.CharField()
    missed = serializers.ListField(child=serializers.CharField())
    verdicts = serializers.DictField(child=serializers.ChoiceField(choices=["yes", "no"]), help_text="what is right")
    explanation = serializers.CharField(allow_blank=True)


class OwnQualityShape(serializers.Serializer):
    known = EstimateShape(help_text="score on pages with known answers")
    examples = MissedShape(many=True)
    consistency = ConsistencyShape(allow_null=True)


class PauseInput(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    detail = serializers.CharField(
        allow_blank=True, default="", max_length=pauses.LONGEST_DETAIL, help_text="why, as the person will read it"
    )


def consistency_shape(found: Consistency | None) -> dict[str, Any] | None:
    if found is None:
        return None
    labels = [
        {"label": one.key, "same": one.found.same.as_dict(), "kappa": one.found.kappa.as_dict()} for one in found.labels
    ]
    return {"pages": found.pages.as_dict(), "labels": labels}


def pause_shape(desk: Desk) -> dict[str, Any]:
    return {"reason": desk.pause_reason, "detail": desk.pause_detail, "paused_at": desk.paused_at}


def person_shape(row: PersonQuality) -> dict[str, Any]:
    desk = row.desk
    paused = None
    if desk is not None and row.is_paused:
        paused = pause_shape(desk)
    return {
        "username": row.user.username,
        "known": row.known.as_dict(),
        "first_pages": row.first_pages.as_dict(),
        "consistency": consistency_shape(row.consistency),
        "onboarded_at": desk.onboarded_at if desk else None,
        "paused": paused,
    }


class PeopleView(ActionView):
    actions = {"GET": "annotator.pause_reinstate"}

    @extend_schema(responses=PeopleShape)
    def get(self, request, slug: str) -> Response:
        """How each person does, by name: never a rank. Undefined is null with its reason."""
        results = [person_shape(row) for row in person_quality.of_everyone(self.project)]
        return Response({"results": results, "lacking": honeypots.lacking(self.project)})


class OwnView(ActionView):
    actions = {"GET": "judgment.read_own"}

    @extend_schema(responses=OwnQualityShape)
    def get(self, request, slug: str) -> Response:
        """One's own figures, of answers that can be changed no more: nothing tells that a page was one of these."""
        own = person_quality.shown_to(self.project, request.user)
        examples = [
            {"item": known.item.public_id, "missed": list(one.missed), "verdicts": known.verdicts,
             "explanation": known.explanation}
            for one, known in own.examples
        ]  # fmt: skip
        return Response({"known": own.known.as_dict(), "examples": examples,
                         "consistency": consistency_shape(own.consistency)})  # fmt: skip


class PausesView(ActionView):
    actions = {"POST": "annotator.pause_reinstate", "DELETE": "annotator.pause_reinstate"}
    query = frozenset({"username"})

    @extend_schema(request=PauseInput, responses={201: PauseShape})
    def post(self, request, slug: str) -> Response:
        """Pause a person. They keep the page they have open, and read the reason."""
        body = PauseInput(data=request.data)
        body.is_valid(raise_exception=True)
        person = self._person(body.validated_data["username"])
        desk = pauses.pause(self.project, person, by=request.user, detail=body.validated_data["detail"])
        shape = pause_shape(desk)
        return Response(shape, status=201)

    @extend_schema(responses={204: None}, parameters=[USERNAME])
    def delete(self, request, slug: str) -> Response:
        """Let a person go on; what was before does not pause them again."""
        named = {**request.data, **request.query_params.dict()} if isinstance(request.data, dict) else {}
        name = named.get("username")
        if not isinstance(name, str) or not name:
            raise ParseError("Name the person: ?username=NAME.")
        pauses.reinstate(self.project, self._person(name), by=request.user)
        return Response(status=204)

    def _person(self, username: str) -> User:
        return get_object_or_404(person_quality.people(self.project), username=username)
