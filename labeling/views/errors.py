"""The pages for "not like this", "not here" and "our fault", and their API twins."""

from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling.views.languages import speak_to

NOT_HERE = gettext_noop("There is nothing here, or it is not yours to see.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20
        return refused(request, 413, f"The fields of a form hold at most {limit} MiB together; send a file instead.")
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        return refused(request, 400, f"A form has at most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields.")
    return refused(request, 400, "This request cannot be read. Go back, reload the page and try again.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _problem(404, NOT_HERE)
    speak_to(request)
    return _page(request, "404.html", 404, _(NOT_HERE))


def server_error(request: HttpRequest) -> HttpResponse:
    sentence = "Something went wrong on our side. What you sent was not saved; it is safe to try again."
    return _problem(500, sentence) if _is_api(request) else _page(request, "500.html", 500, sentence)


def refused(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """A request that is turned away before any view saw it."""
    return _problem(status, sentence) if _is_api(request) else _page(request, "refused.html", status, sentence)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _page(request: HttpRequest, template: str, status: int, sentence: str) -> HttpResponse:
    return render(request, template, {"sentence": sentence}, status=status)


def _problem(status: int, sentence: str) -> JsonResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return JsonResponse(body, status=status, content_type="application/problem+json")
