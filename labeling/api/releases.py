"""Gold releases: freeze, list, download file by file, compare."""

from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import exports, readiness, released, releases
from labeling.api.base import ActionView, paged
from labeling.api.downloads import as_download, blob_response
from labeling.api.jobs import JobShape, accepted
from labeling.api.judgments import flag
from labeling.models import Event, GoldRelease, Project

BUMPS = (readiness.AUTO, *readiness.BUMPS)


class FreezeRequest(serializers.Serializer):
    bump = serializers.ChoiceField(choices=BUMPS, default=readiness.AUTO)
    notes = serializers.CharField(
        default="", allow_blank=True, max_length=readiness.MAX_NOTES, help_text="go into CHANGES.md"
    )
    samples = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1), required=False, allow_null=True,
        allow_empty=False, max_length=1_000, help_text="numbers of samples; all of them when left out",
    )  # fmt: skip
    accepted_by = serializers.DictField(
        child=serializers.CharField(max_length=40), required=False,
        help_text="per label: adjudicated, unanimous (the default), or consensus: with a share, as in consensus:0.95",
    )  # fmt: skip

    def wanted(self) -> readiness.Request:
        data = self.validated_data
        return readiness.Request(
            samples=data.get("samples"), bump=data["bump"], notes=data["notes"],
            accepted_by=data.get("accepted_by") or {},
        )  # fmt: skip


class ReleaseFileShape(serializers.Serializer):
    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    url = serializers.URLField()


class ReleaseShape(serializers.Serializer):
    version = serializers.CharField()
    manifest_sha256 = serializers.CharField(help_text="the digest of the release")
    n_items = serializers.IntegerField()
    parent = serializers.CharField(  # type: ignore[assignment]  # its name in the JSON
        allow_null=True, help_text="the version before"
    )
    notes = serializers.CharField()
    accepted_by = serializers.DictField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    url = serializers.URLField()


class ReleaseDetailShape(ReleaseShape):
    files = ReleaseFileShape(many=True)


class DiffShape(serializers.Serializer):
    older = serializers.CharField()
    newer = serializers.CharField()
    added = serializers.ListField(child=serializers.CharField(), help_text="ids of items")
    removed = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())


def release_shape(release: GoldRelease, request: Any) -> dict[str, Any]:
    return {
        "version": release.version,
        "manifest_sha256": release.manifest_sha256,
        "n_items": release.n_items,
        "parent": release.parent.version if release.parent else None,
        "notes": release.notes,
        "accepted_by": release.accepted_by,
        "created_at": release.created_at,
        "url": url_of(release, request),
    }


def url_of(release: GoldRelease, request: Any) -> str:
    return request.build_absolute_uri(f"/api/v1/projects/{release.project.slug}/releases/{release.version}/")


def release_of(project: Project | None, version: str) -> GoldRelease:
    found = released.find(project, version) if project else None
    if found is None:
        raise Http404
    return found


class ReleasesView(ActionView):
    actions = {"GET": "release.list_read", "POST": "release.cut"}

    @extend_schema(responses=ReleaseShape(many=True))
    def get(self, request, slug: str) -> Response:
        """The releases of the project, the newest first."""
        found = GoldRelease.objects.filter(project=self.project).select_related("parent", "project")
        return paged(self, found, lambda release: release_shape(release, request))

    @extend_schema(request=FreezeRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Freeze the next version. 409 while anything in it is open, or when nothing changed."""
        body = FreezeRequest(data=request.data)
        body.is_valid(raise_exception=True)
        return accepted(releases.queue_freeze(self.project, body.wanted(), by=request.user), request)


class ReleaseView(ActionView):
    actions = {"GET": "release.list_read"}

    @extend_schema(responses=ReleaseDetailShape)
    def get(self, request, slug: str, version: str) -> Response:
        """One release with its files."""
        release = release_of(self.project, version)
        base = url_of(release, request)
        files = release.files.select_related("blob").defer("blob__content")
        return Response(
            release_shape(release, request)
            | {
                "files": [
                    {"name": file.name, "sha256": file.blob_id, "size": file.blob.size_bytes,
                     "url": f"{base}files/{file.name}"}
                    for file in files
                ]
            }
        )  # fmt: skip


class ReleaseFileView(ActionView):
    actions = {"GET": "release.download"}

    def perform_content_negotiation(self, request, force=False):
        return super().perform_content_negotiation(request, force=True)  # released bytes have one form

    @extend_schema(
        parameters=[OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="one range")],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: None,
            416: None,
        },
    )
    def get(self, request, slug: str, version: str, name: str) -> HttpResponseBase:
        """The bytes of one file: ETag is its SHA-256, and a download can be resumed with Range and If-Range."""
        release = release_of(self.project, version)
        # Names come from the release's own rows and never touch a file system.
        named = release.files.filter(name=name.replace("\0", "?"))  # PostgreSQL takes no U+0000, and no name has one
        file = named.select_related("blob").defer("blob__content").first()
        if file is None:
            raise Http404
        filename = f"{slug}-{version}-{name.replace('/', '-')}"
        response = blob_response(request, file.blob, filename=filename)
        if request.method == "GET" and response.status_code in {200, 206}:
            Event.record(
                "release.downloaded", by=request.user, project=self.project, about=release, file=name,
                range=response.headers.get("Content-Range"),
            )  # fmt: skip
        return response


class ReleaseCsvView(ActionView):
    actions = {"GET": "release.download"}
    query = frozenset({"raw"})

    def perform_content_negotiation(self, request, force=False):
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        parameters=[OpenApiParameter("raw", bool, description="cells as they are, unsafe in a spreadsheet")],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request, slug: str, version: str) -> HttpResponseBase:
        """The rows with a column a label, for a spreadsheet. Derived from data.jsonl, and not part of the release."""
        release = release_of(self.project, version)
        raw = flag(request, "raw")
        Event.record("release.downloaded", by=request.user, project=self.project, about=release, file="csv")
        rows = exports.release_as_csv(release, raw=raw)
        return as_download(StreamingHttpResponse(rows), f"{slug}-{version}.csv")


class ReleaseDiffView(ActionView):
    actions = {"GET": "release.diff"}

    @extend_schema(responses=DiffShape)
    def get(self, request, slug: str, version: str, other: str) -> Response:
        """What differs between the rows of two releases, from the older to the newer."""
        older, newer = sorted(
            (release_of(self.project, version), release_of(self.project, other)),
            key=lambda release: (release.major, release.minor, release.patch),
        )
        change = released.changes(older, newer)
        return Response(
            {"older": older.version, "newer": newer.version, "added": change.added, "removed": change.removed,
             "changed": change.changed}
        )  # fmt: skip
