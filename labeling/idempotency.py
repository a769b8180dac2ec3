"""Unsafe calls that can be sent twice: the first answer is stored and given again.

The answer is written by the transaction that does the work: both are there, or neither. So a process that is killed at
any moment leaves nothing half remembered, and a second copy of a call waits for the first. Who asks, and whether they
may, is looked at before an answer is given again. Answers are kept for IDEMPOTENCY_HOURS, per user.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from labeling.models import IdempotencyKey, User
from labeling.refusals import Refused

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
KEPT_HEADERS = ("Location", "ETag", "Content-Type")
MAX_KEY = 200
TRIES = 3
DEADLOCK = "40P01"


class BadKey(Refused):
    """A key nobody could have made in good faith (400)."""

    status = 400
    code = "bad_key"


def key_of(request: Any) -> str | None:
    """The Idempotency-Key of an unsafe call; None when it has none."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is None or request.method in SAFE:
        return None
    if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise BadKey(f"An Idempotency-Key is 1 to {MAX_KEY} printable ASCII characters.")
    return key


# ---- short calls: work and answer in one transaction ----------------------------------------------------------------
def once(request: Any, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do the work once per (user, key); a repeat gets the stored answer with `Idempotency-Replayed: true`."""
    key = key_of(request)
    if key is None:
        return work()
    fingerprint = fingerprint_of(request)  # reads the whole body: no transaction waits for a slow client
    for tries_left in reversed(range(TRIES)):
        try:
            return _once(request.user, key, fingerprint, work)
        except OperationalError as trouble:
            if not (tries_left and _is_deadlock(trouble)):
                raise
    raise AssertionError("the last try returns or raises")


def _once(user: User, key: str, fingerprint: str, work: Callable[[], HttpResponse]) -> HttpResponse:
    with transaction.atomic():
        row, fresh = claim(user, key, fingerprint)  # PostgreSQL waits here for another copy that is at work
        if not fresh:
            return replay(row, fingerprint)
        response = work()
        keep(row, response)
        if response.status_code >= 500:
            transaction.set_rollback(True)
    return response


def _is_deadlock(trouble: OperationalError) -> bool:
    return getattr(trouble.__cause__, "sqlstate", None) == DEADLOCK


def fingerprint_of(request: Any) -> str:
    """SHA-256 of method, full path and body."""
    seal = _seal(request)
    seal.update(request.body)
    return str(seal.hexdigest())


def _seal(request: Any) -> Any:
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())


# ---- uploads: the answer is written by the transaction that makes the job -------------------------------------------
class AnsweredMeanwhile(Exception):
    """Another copy of this upload has made its job while this one was still coming in."""


class Upload:
    """A body that is read once, as it comes, and told apart from another by the SHA-256 of what passed.

    No transaction is open while it comes: that may take an hour, and SQLite has one writer.
    """

    def __init__(self, request: Any, chunks: Iterator[bytes]) -> None:
        self.user: User = request.user
        self.key = key_of(request)
        self.chunks = chunks
        self.seal = _seal(request)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.seal.update(chunk)
            yield chunk

    def once(self, work: Callable[[], HttpResponse]) -> HttpResponse:
        """Do the work, which reads this body and calls `keep`; a repeat is read to be compared, and does nothing."""
        known = IdempotencyKey.objects.filter(user=self.user, key=self.key)
        row = known.first() if self.key else None
        if row is None:
            try:
                return work()
            except AnsweredMeanwhile:
                row = known.get()
        for _ in self:
            pass
        return replay(row, self.seal.hexdigest())

    def keep(self, response: HttpResponse) -> None:
        """Store the answer. Called in the transaction that does the work; raises AnsweredMeanwhile to undo it."""
        if self.key is None:
            return
        try:
            IdempotencyKey.objects.create(
                user=self.user, key=self.key, request_sha256=self.seal.hexdigest(), **_stored(response)
            )
        except IntegrityError:
            raise AnsweredMeanwhile from None


# ---- the rows -------------------------------------------------------------------------------------------------------
def claim(user: User, key: str, fingerprint: str, **answer: Any) -> tuple[IdempotencyKey, bool]:
    """The row for this key, and whether this call is the one to do the work, in the caller's transaction.

    Another copy that is at work is waited for. `answer`: what is stored already, where nothing of it comes of the work.
    """
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(user=user, key=key, request_sha256=fingerprint, **answer), True
    except IntegrityError:
        return IdempotencyKey.objects.get(user=user, key=key), False


def replay(row: IdempotencyKey, fingerprint: str) -> HttpResponse:
    """The stored answer; 422 when it was another request that was answered."""
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
    """Store the answer; forget the key where a later try may well be answered otherwise."""
    if response.status_code >= 500 or response.status_code in {401, 403, 429} or response.streaming:
        row.delete()
        return
    for name, value in _stored(response).items():
        setattr(row, name, value)
    row.save(update_fields=["status", "body", "headers"])


def _stored(response: Any) -> dict[str, Any]:
    if hasattr(response, "render") and not response.is_rendered:
        response.render()
    return {
        "status": response.status_code,
        "body": getattr(response, "content_to_keep", response.content).decode(),  # secrets are left out of it
        "headers": {name: response[name] for name in KEPT_HEADERS if name in response},
    }


def forget_old() -> int:
    """Delete answers older than IDEMPOTENCY_HOURS; returns how many."""
    limit = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    return IdempotencyKey.objects.filter(created_at__lt=limit).delete()[0]


def _problem(code: int, sentence: str) -> JsonResponse:
    body = {"type": "about:blank", "title": HTTPStatus(code).phrase, "status": code, "detail": sentence}
    return JsonResponse(body, status=code, content_type="application/problem+json")
