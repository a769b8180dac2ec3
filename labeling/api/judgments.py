"""Judgments out: paged as JSON, or all of them as a stream of NDJSON or CSV."""

from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import exceptions, serializers

from labeling import exports, permissions
from labeling.api.base import ActionView, paged
from labeling.api.downloads import as_download
from labeling.models import Event, Judgment

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}


class JudgmentRowShape(serializers.Serializer):
    id = serializers.IntegerField()
    item = serializers.CharField()
    url = serializers.CharField()
    annotator = serializers.CharField(help_text="a pseudonym, unless ?identify=true")
    outcome = serializers.ChoiceField(choices=Judgment.Outcome.choices)
    verdicts = serializers.DictField(child=serializers.CharField())
    yes = serializers.ListField(child=serializers.CharField())
    unsure = serializers.ListField(child=serializers.CharField())
    none = serializers.BooleanField()
    confidence = serializers.CharField(allow_null=True)
    note = serializers.CharField()
    active_seconds = serializers.FloatField(allow_null=True, help_text="page in sight, and input within a minute")
    wall_seconds = serializers.FloatField(allow_null=True, help_text="from the lease to the answer")
    submitted_at = serializers.DateTimeField()
    stream = serializers.CharField()
    purpose = serializers.CharField()
    round = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    schema_version = serializers.IntegerField()
    revision = serializers.IntegerField()
    saw_suggestion = serializers.BooleanField(help_text="what a model says stood beside the labels")


def flag(request: Any, name: str) -> bool:
    """A query parameter that is true or false; false when it is left out."""
    value = TRUTH.get(request.query_params.get(name, "").lower())
    if value is None:
        raise exceptions.ParseError(f"{name} is true or false.")
    return value


class JudgmentsView(ActionView):
    actions = {"GET": "judgment.read_others_after_done"}
    query = frozenset({"identify", "raw"})

    def perform_content_negotiation(self, request, force=False):
        return super().perform_content_negotiation(request, force=True)  # `get` answers in two more types than JSON

    @extend_schema(
        parameters=[
            OpenApiParameter("identify", bool, description="user names in place of pseudonyms; managers only"),
            OpenApiParameter("raw", bool, description="CSV cells as they are, unsafe in a spreadsheet"),
        ],
        responses={
            (200, JSON): JudgmentRowShape(many=True),
            (200, NDJSON): JudgmentRowShape,
            (200, CSV): OpenApiTypes.STR,
        },
    )
    def get(self, request, slug: str) -> HttpResponseBase:
        """The answers in force, paged; all of them with `Accept: application/x-ndjson` or `text/csv`.

        Who may be given pages to judge, and is therefore not to know opinions of them, gets those of finished pages.
        """
        identify, raw = flag(request, "identify"), flag(request, "raw")
        kind = request._request.get_preferred_type([JSON, NDJSON, CSV])
        if kind is None:
            raise exceptions.NotAcceptable(f"Judgments come as {JSON}, {NDJSON} or {CSV}.")
        if identify:
            self.require("judgment.read_identified")
        found = exports.judgments(self.project, complete_only=not self.may("judgment.read_others_before_done"))
        whole = self.may("item.read_whole")
        if kind == JSON:
            Event.record("judgments.read", by=request.user, project=self.project, identified=identify)
            return paged(self, found, lambda row: exports.judgment_row(row, identify=identify, whole_urls=whole))
        self.require("export.create")
        Event.record("judgments.exported", by=request.user, project=self.project, identified=identify, format=kind)
        rows = exports.all_judgments(found, identify=identify, whole_urls=whole)
        body = exports.as_ndjson(rows) if kind == NDJSON else exports.judgments_as_csv(rows, raw=raw)
        return as_download(StreamingHttpResponse(body), f"{slug}-judgments.{'jsonl' if kind == NDJSON else 'csv'}")

    def may(self, action: str) -> bool:
        return permissions.may(self.request.user, action, self.project, roles=self.roles)

    def require(self, action: str) -> None:
        permissions.require(self.request.user, action, self.project, roles=self.roles)
