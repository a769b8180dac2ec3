"""Schema versions: frozen sets of labels with the guideline. A change is a new version."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import impact, publishing
from labeling.api.base import ActionView, paged
from labeling.api.judgments import flag
from labeling.api.project_shapes import ASKERS, LONGEST_GUIDELINE, LabelInput, LabelShape, draft_from, label_shape
from labeling.api.projects import IF_MATCH, etag, expected_version
from labeling.models import Project, SchemaVersion

DRY_RUN = OpenApiParameter("dry_run", bool, description="only say what publishing would change")


class SchemaInput(serializers.Serializer):
    """What is not named stays as it is in the version in force. A label left out is retired."""

    labels = serializers.ListField(child=LabelInput(), max_length=publishing.MAX_LABELS, required=False)
    guideline = serializers.CharField(allow_blank=True, max_length=LONGEST_GUIDELINE, required=False)
    exclusive_groups = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=40), max_length=500),
        max_length=100,
        required=False,
    )


class SchemaShape(serializers.Serializer):
    number = serializers.IntegerField()
    in_force = serializers.BooleanField()
    guideline = serializers.CharField()
    labels = LabelShape(many=True)
    exclusive_groups = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    published_at = serializers.DateTimeField()


class TouchedShape(serializers.Serializer):
    key = serializers.CharField()
    judgments = serializers.IntegerField(help_text="answers to it that would not pool with those to come")
    releases = serializers.IntegerField(help_text="releases made of such answers")


class ImpactShape(serializers.Serializer):
    """What publishing the body would change. Nothing was published."""

    changes = serializers.ListField(child=serializers.CharField(), help_text="in words, a sentence each")
    judgments = serializers.IntegerField(help_text="answers with a verdict on a label that asks something else")
    releases = serializers.IntegerField(help_text="releases made of such answers")
    open_slots = serializers.IntegerField(help_text="will show the new version")
    held_slots = serializers.IntegerField(help_text="stay with the version their holder was shown")
    labels = TouchedShape(many=True)


def impact_shape(found: impact.Impact) -> dict[str, Any]:
    return {
        "changes": list(found.changes),
        "judgments": found.n_judgments,
        "releases": found.n_releases,
        "open_slots": found.n_open_slots,
        "held_slots": found.n_held_slots,
        "labels": [
            {"key": label.key, "judgments": label.n_judgments, "releases": label.n_releases} for label in found.labels
        ],
    }


def schema_shape(schema: SchemaVersion, *, newest: int) -> dict[str, Any]:
    return {
        "number": schema.number,
        "in_force": schema.number == newest,
        "guideline": schema.guideline,
        "labels": [label_shape(label) for label in schema.labels.all()],
        "exclusive_groups": schema.exclusive_groups,
        "published_at": schema.published_at,
    }


class OfVersions(ActionView):
    def versions(self) -> QuerySet[SchemaVersion]:
        """People who only judge see the version in force."""
        found = self.project.schema_versions.prefetch_related("labels")
        if self.request.user.is_superuser or self.roles & ASKERS:
            return found
        return found.filter(number=newest_number(self.project))


class SchemaVersionsView(OfVersions):
    actions = {"GET": "schema.read", "POST": "schema.create_version"}
    page_key = "-number"
    query = frozenset({"dry_run"})

    @extend_schema(responses=SchemaShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Every version, the one in force first."""
        newest = newest_number(self.project)
        return paged(self, self.versions(), lambda schema: schema_shape(schema, newest=newest))

    @extend_schema(request=SchemaInput, responses={200: ImpactShape, 201: SchemaShape}, parameters=[IF_MATCH, DRY_RUN])
    def post(self, request, slug: str) -> Response:
        """Publish the next version; the one in force when the body changes nothing.

        With `dry_run=true` nothing is published: 200 with what it would change, in words and counted.
        """
        body = SchemaInput(data=request.data)
        body.is_valid(raise_exception=True)
        draft = draft_from(body.validated_data, publishing.draft_of(publishing.in_force(self.project)))
        if flag(request, "dry_run"):
            return Response(impact_shape(impact.of(self.project, draft)))
        schema = publishing.publish(self.project, draft, by=request.user, expected_settings=expected_version(request))
        self.project.refresh_from_db()
        shape = schema_shape(schema, newest=schema.number)
        return Response(shape, status=201, headers={"ETag": etag(self.project)})


class SchemaVersionView(OfVersions):
    actions = {"GET": "schema.read"}

    @extend_schema(responses=SchemaShape)
    def get(self, request, slug: str, number: int) -> Response:
        """One version, as it was published."""
        schema = get_object_or_404(self.versions(), number=number)
        return Response(schema_shape(schema, newest=newest_number(self.project)))


def newest_number(project: Project) -> int:
    newest = publishing.in_force(project)
    return newest.number if newest else 0
