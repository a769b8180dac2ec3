"""Files in: lists of items and existing judgments, streamed to the disk and read by a job."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import idempotency, imports
from labeling.api.base import ActionView
from labeling.api.jobs import JobShape, accepted, job_shape
from labeling.models import Import, Project
from labeling.weburls import SCHEMES

CONTENT_TYPES = ("text/csv", "application/x-ndjson")
CHUNK_BYTES = 256 * 1024
SHOWN_NOTES = 100
TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}
QUEUE = OpenApiParameter("queue", bool, description="open slots for every new item")
ASSUME_SCHEME = OpenApiParameter("assume_scheme", str, enum=SCHEMES, description="completes addresses without one")
GZIP = OpenApiParameter("Content-Encoding", str, OpenApiParameter.HEADER, enum=["gzip", "identity"])
FILE = dict.fromkeys(CONTENT_TYPES, OpenApiTypes.BINARY)


class NoteShape(serializers.Serializer):
    line = serializers.IntegerField()
    note = serializers.CharField(source="sentence", help_text="what the row said otherwise than what is known")


class ImportShape(JobShape):
    filename = serializers.CharField()
    sha256 = serializers.CharField()
    rows_total = serializers.IntegerField()
    rows_created = serializers.IntegerField()
    rows_duplicate = serializers.IntegerField()
    rows_updated = serializers.IntegerField()
    rows_refused = serializers.IntegerField()
    rows_noted = serializers.IntegerField(help_text="rows that were taken, but said something otherwise than known")
    notes = NoteShape(many=True, help_text="the first hundred of them")


class RefusedShape(serializers.Serializer):
    line = serializers.IntegerField()
    reason = serializers.CharField()
    raw = serializers.CharField()


def import_shape(run: Import, request: Any) -> dict[str, Any]:
    return {
        **job_shape(run.job, request),
        "filename": run.filename,
        "sha256": run.sha256,
        **imports.counts_of(run),
        "rows_noted": run.notes.count(),
        "notes": NoteShape(run.notes.order_by("number")[:SHOWN_NOTES], many=True).data,
    }


class UploadView(ActionView):
    """Takes a body of any length: it goes to the disk as it comes."""

    reads_stream = True
    kind = Import.Kind.ITEMS

    def take(self, request, *, queue: bool = False) -> HttpResponse:
        """Answer with the job; the same file sent again under the same key gets the first one's."""
        content_type = request.content_type.partition(";")[0].strip().lower()
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if content_type not in CONTENT_TYPES:
            raise exceptions.UnsupportedMediaType(
                content_type, f"Send the file itself as {' or '.join(CONTENT_TYPES)}."
            )
        if encoding not in {"identity", "gzip"}:
            raise exceptions.UnsupportedMediaType(encoding, "Content-Encoding is gzip or left out.")
        upload, scheme = idempotency.Upload(request, _chunks(request)), self._scheme(request)

        def keep(run: Import) -> None:
            upload.keep(self.finalize_response(request, accepted(run.job, request)))

        def start() -> HttpResponse:
            run = imports.start(
                self.project, by=request.user, chunks=upload, kind=self.kind, content_type=content_type, queue=queue,
                assume_scheme=scheme, also=keep,
            )  # fmt: skip
            return accepted(run.job, request)

        return upload.once(start)

    def _scheme(self, request) -> str:
        scheme = request.query_params.get("assume_scheme", "")
        if scheme and scheme not in SCHEMES:
            raise exceptions.ParseError("assume_scheme is http or https.")
        return scheme


def _chunks(request) -> Iterator[bytes]:
    body = request._request  # the plain stream, before any parser
    while chunk := body.read(CHUNK_BYTES):
        yield chunk


class ItemImportView(UploadView):
    actions = {"POST": "item.import"}
    query = frozenset({"queue", "assume_scheme"})

    @extend_schema(parameters=[QUEUE, ASSUME_SCHEME, GZIP], request=FILE, responses={202: JobShape})
    def post(self, request, slug: str) -> HttpResponse:
        """Import a list of items: the body is the file itself, plain or gzip."""
        queue = TRUTH.get(request.query_params.get("queue", "").lower())
        if queue is None:
            raise exceptions.ParseError("queue is true or false.")
        return self.take(request, queue=queue)


class JudgmentImportView(UploadView):
    actions = {"POST": "judgment.import"}
    query = frozenset({"assume_scheme"})
    kind = Import.Kind.JUDGMENTS

    @extend_schema(parameters=[ASSUME_SCHEME, GZIP], request=FILE, responses={202: JobShape})
    def post(self, request, slug: str) -> HttpResponse:
        """Import existing answers: kept as judgments of pseudonymous raters, source "import"."""
        return self.take(request)


class ImportView(ActionView):
    actions = {"GET": "import.read_report"}

    @extend_schema(responses=ImportShape)
    def get(self, request, slug: str, job_id) -> Response:
        """The job of an import, with what became of its rows so far."""
        return Response(import_shape(_run(self.project, job_id), request))


class RefusedView(ActionView):
    actions = {"GET": "import.read_report"}

    @extend_schema(responses={(200, "application/x-ndjson"): RefusedShape})
    def get(self, request, slug: str, job_id) -> StreamingHttpResponse:
        """The refused rows in the order of the file, one JSON object a line."""
        run = _run(self.project, job_id)
        return StreamingHttpResponse(as_ndjson(run), content_type="application/x-ndjson")


def _run(project: Project | None, job_id: Any) -> Import:
    return get_object_or_404(Import.objects.select_related("job"), project=project, pk=job_id)


def as_ndjson(run: Import) -> Iterator[bytes]:
    for row in imports.refused_rows(run):
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"
