"""The pages for "not here" and "our fault", and their API twins."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = "There is nothing here, or it is not yours to see."
    if request.path.startswith("/api/"):
        return _problem(404, "Not Found", sentence)
    return render(request, "404.html", {"sentence": sentence}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    sentence = "Something went wrong on our side. What you sent was not saved; it is safe to try again."
    if request.path.startswith("/api/"):
        return _problem(500, "Internal Server Error", sentence)
    return render(request, "500.html", {"sentence": sentence}, status=500)


def _problem(status: int, title: str, sentence: str) -> JsonResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
    return JsonResponse(body, status=status, content_type="application/problem+json")
