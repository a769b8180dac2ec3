"""What no view needs to look for: text the database cannot hold, and bodies larger than the page takes."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.response import HttpResponseBase

from labeling.views.errors import refused

View = Callable[..., HttpResponseBase]
NULL = "\x00"
HOLDS_NULL = "What was sent holds a null character (U+0000), which cannot be stored. Take it out and send it again."


def takes_files(view: View) -> View:
    """Let a page take files and long lists, and judge their rows by itself. Stands below @page."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


class Admission:
    """Turns away, in a sentence, requests that would end in an error of the database or in a full memory.

    PostgreSQL text holds no U+0000: a path, a query, a cookie or a form with one is a 400. JSON is looked at by its
    parser. A body of a page is at most BODY_MAX_BYTES long; from people who are logged in, and of a page that takes
    files, IMPORT_MAX_BYTES. Else it is a 413, before anything of it is read.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if NULL in request.path or _has_null(request.GET) or any(NULL in value for value in request.COOKIES.values()):
            return refused(request, 400, HOLDS_NULL)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Iterable[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Runs before the check of the CSRF token, which reads the form."""
        if request.path.startswith("/api/"):
            return None
        takes_files = getattr(view, "takes_files", False)
        limit = settings.IMPORT_MAX_BYTES if takes_files and request.user.is_authenticated else settings.BODY_MAX_BYTES
        if _length_of(request) > limit:
            return refused(request, 413, f"What was sent is larger than the {limit:,} bytes that this page takes.")
        return refused(request, 400, HOLDS_NULL) if not takes_files and _has_null(_form(request)) else None


def _length_of(request: HttpRequest) -> int:
    """The declared length of the body; the server reads no further."""
    declared = request.META.get("CONTENT_LENGTH") or ""
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _form(request: HttpRequest) -> QueryDict:
    try:
        return request.POST
    except UnreadablePostError:  # the sender went away in the middle; the view will find the same
        return QueryDict()


def _has_null(values: QueryDict) -> bool:
    return any(NULL in name or any(NULL in value for value in listed) for name, listed in values.lists())
