"""Unsafe calls that can be sent twice: the first answer is stored and given again.

The row is made before the work starts, so that two copies on the way at once cannot both run. It is kept for
IDEMPOTENCY_HOURS, per user. Answers of 5xx and of lost logins are forgotten: they may be tried again.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from labeling.models import ApiToken, IdempotencyKey, User

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
KEPT_HEADERS = ("Location", "ETag", "Content-Type")
MAX_KEY = 200
ABANDONED_SECONDS = 60  # a first call that never answered (killed) may be repeated after this
MAX_STORED_BYTES = 1024 * 1024


def remember(view: Any, request: Any, handle: Callable[..., Any], *args: Any, **kwargs: Any) -> HttpResponse:
    """Run the call once per (user, key); a repeat gets the stored answer with `Idempotency-Replayed: true`."""
    key = request.headers.get("Idempotency-Key")
    user = None if key is None or request.method in SAFE else caller(request)
    if key is None or user is None:
        plain: HttpResponse = handle(request, *args, **kwargs)
        return plain
    if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        return _problem(400, f"An Idempotency-Key is 1 to {MAX_KEY} printable ASCII characters.")
    fingerprint = fingerprint_of(request)
    row, fresh = claim(user, key, fingerprint)
    if not fresh:
        return replay(row, fingerprint)
    response: HttpResponse = handle(request, *args, **kwargs)
    keep(row, response)
    return response


def caller(request: Any) -> User | None:
    """Who is asking, before the view runs: the token's user or the session's."""
    word, _, secret = request.headers.get("Authorization", "").partition(" ")
    if word.lower() in {"token", "bearer"}:
        token = ApiToken.objects.live().by_secret(secret.strip()).select_related("user").first()
        request.known_token = token  # what authentication would look up again
        return token.user if token else None
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def fingerprint_of(request: Any) -> str:
    """SHA-256 of method, full path and body. A streamed upload is told apart by its length and declared digest."""
    seal = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if getattr(request, "streamed_upload", False) or int(request.META.get("CONTENT_LENGTH") or 0) > MAX_STORED_BYTES:
        seal.update(f"{request.META.get('CONTENT_LENGTH')} {request.headers.get('Digest', '')}".encode())
    else:
        seal.update(request.body)
    return seal.hexdigest()


def claim(user: User, key: str, fingerprint: str) -> tuple[IdempotencyKey, bool]:
    """The row for this key, and whether this call is the one to do the work."""
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(user=user, key=key, request_sha256=fingerprint), True
    except IntegrityError:
        pass
    abandoned = timezone.now() - timedelta(seconds=ABANDONED_SECONDS)
    taken_over = IdempotencyKey.objects.filter(
        user=user, key=key, status=None, request_sha256=fingerprint, created_at__lt=abandoned
    ).update(created_at=timezone.now())
    return IdempotencyKey.objects.get(user=user, key=key), bool(taken_over)


def replay(row: IdempotencyKey, fingerprint: str) -> HttpResponse:
    if row.request_sha256 != fingerprint:
        return _problem(422, "This Idempotency-Key was used for another request. Use a new key for a new request.")
    if row.status is None:
        return _problem(409, "The first call with this Idempotency-Key is still under way. Try again in a moment.")
    response = HttpResponse(row.body, status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def keep(row: IdempotencyKey, response: Any) -> None:
    if response.status_code >= 500 or response.status_code in {401, 403, 429} or response.streaming:
        row.delete()
        return
    if hasattr(response, "render") and not response.is_rendered:
        response.render()
    row.status = response.status_code
    row.body = getattr(response, "content_to_keep", response.content).decode()  # secrets are left out of what is kept
    row.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    row.save(update_fields=["status", "body", "headers"])


def forget_old() -> int:
    """Delete answers older than IDEMPOTENCY_HOURS; returns how many."""
    limit = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    return IdempotencyKey.objects.filter(created_at__lt=limit).delete()[0]


def _problem(code: int, sentence: str) -> JsonResponse:
    body = {"type": "about:blank", "title": HTTPStatus(code).phrase, "status": code, "detail": sentence}
    return JsonResponse(body, status=code, content_type="application/problem+json")
