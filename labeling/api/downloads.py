"""Released bytes over HTTP: strong validators, one range, digests, and headers that let no browser run them."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, parse_etags

from labeling.models import Blob

RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*")
PIECE_BYTES = 8 << 20
TYPES = {
    "json": "application/json", "jsonl": "application/x-ndjson", "md": "text/markdown; charset=utf-8",
    "sha256": "text/plain; charset=utf-8", "csv": "text/csv; charset=utf-8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes first..last of a file, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(Exception):
    """The range lies behind the end of the file (416)."""


def asked_range(header: str | None, *, size_bytes: int) -> Span | None:
    """The one range a Range header asks for; None when it asks for the whole, for several, or in no known way.

    Raises Unsatisfiable. Source: RFC 9110, section 14.
    """
    matched = RANGE.fullmatch(header or "")
    if matched is None or not any(matched.groups()):
        return None
    first, last = matched.groups()
    if not first:  # the last n bytes
        if not int(last) or not size_bytes:
            raise Unsatisfiable
        return Span(max(size_bytes - int(last), 0), size_bytes - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        raise Unsatisfiable
    return Span(int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1)


def blob_response(request: HttpRequest, blob: Blob, *, filename: str) -> HttpResponseBase:
    """The file, the part of it that was asked for, or 304, 404, 416. `blob` may come without its content."""
    etag = f'"{blob.sha256}"'
    if _is_known(request, etag):
        return _with_headers(HttpResponse(status=304), blob, filename)
    if not Blob.objects.filter(pk=blob.pk, content__isnull=False).exists():
        return HttpResponse("This file was taken down.\n", status=410, content_type="text/plain; charset=utf-8")
    # A range of another version of the file would be worthless: then the whole is sent.
    wanted = request.headers.get("Range") if request.headers.get("If-Range", etag) == etag else None
    try:
        span = asked_range(wanted, size_bytes=blob.size_bytes) if request.method == "GET" else None
    except Unsatisfiable:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{blob.size_bytes}"
        return _with_headers(refused, blob, filename)
    sent = span or Span(0, blob.size_bytes - 1)
    response = StreamingHttpResponse(_pieces(blob, sent) if request.method == "GET" else iter(()))
    response.status_code = 206 if span else 200
    response["Content-Length"] = str(sent.size)
    if span:
        response["Content-Range"] = f"bytes {span.first}-{span.last}/{blob.size_bytes}"
    return _with_headers(response, blob, filename)


def _is_known(request: HttpRequest, etag: str) -> bool:
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in tags or any(tag.removeprefix("W/") == etag for tag in tags)


def _pieces(blob: Blob, span: Span) -> Iterator[bytes]:
    """Read through the database piece by piece: a file of any size takes the memory of one piece."""
    start = span.first
    while start <= span.last:
        size = min(PIECE_BYTES, span.last - start + 1)
        part = Substr("content", start + 1, size, output_field=BinaryField())
        yield bytes(Blob.objects.filter(pk=blob.pk).values_list(part, flat=True).get())
        start += size


def _with_headers(response: HttpResponseBase, blob: Blob, filename: str) -> HttpResponseBase:
    digest = base64.b64encode(bytes.fromhex(blob.sha256)).decode()
    response["ETag"] = f'"{blob.sha256}"'
    response["Accept-Ranges"] = "bytes"
    response["Digest"] = f"sha-256={digest}"
    response["Repr-Digest"] = f"sha-256=:{digest}:"
    response["Cache-Control"] = "private, no-cache"
    if response.status_code in {200, 206}:
        return as_download(response, filename)
    return response


def as_download(response: HttpResponseBase, filename: str) -> HttpResponseBase:
    """Nothing in it runs or is shown in place: a browser saves it under this name."""
    response["Content-Type"] = TYPES.get(filename.rpartition(".")[2], "application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox"
    return response
