"""How every endpoint behaves: who is asking, what a body may hold, what an error looks like, how lists are paged."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import Any

from django.db import models
from django.http import Http404, HttpRequest
from django.utils import timezone
from rest_framework import authentication, exceptions, pagination, parsers, permissions, renderers
from rest_framework.response import Response

from labeling import permissions as policy
from labeling import strict_json, tokens
from labeling.models import ApiToken
from labeling.refusals import Refused, Unacceptable

SAFE = ("GET", "HEAD", "OPTIONS")


# ---- who is asking --------------------------------------------------------------------------------------------------
class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token <key>`: the token is its user, narrowed by scopes."""

    def authenticate(self, request) -> tuple[Any, ApiToken] | None:
        header = request.headers.get("Authorization", "")
        if not tokens.is_sent(header):
            return None
        token = tokens.sent_in(header)
        if token is None:
            raise exceptions.AuthenticationFailed("This token is not valid: it may have expired or been revoked.")
        self._remember_use(token)
        return token.user, token

    def _remember_use(self, token: ApiToken) -> None:
        now = timezone.now()
        # Once a minute is enough for "last used", and keeps a write out of nearly every request.
        if token.last_used_at is None or (now - token.last_used_at).total_seconds() > 60:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)

    def authenticate_header(self, request) -> str:
        return "Token"


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, with CSRF on every unsafe call."""

    def enforce_csrf(self, request) -> None:
        """Asked of the plain request: the framework's own would parse the body first, and refuse a file as no JSON."""
        super().enforce_csrf(request._request)

    def authenticate_header(self, request) -> str:
        return "Session"


class DeclaredAction(permissions.BasePermission):
    """Refuses a view that declares no action for the method, so that nothing is open by forgetting."""

    def has_permission(self, request, view) -> bool:
        action = view.actions.get("GET" if request.method == "HEAD" else request.method)
        if request.method == "OPTIONS":
            return request.user.is_authenticated
        if action is None:
            raise exceptions.MethodNotAllowed(request.method)
        if policy.GLOBAL_POLICY.get(action) != "anyone" and not request.user.is_authenticated:
            raise exceptions.NotAuthenticated("Log in or send a token first.")
        self._check_token(request, action)
        view.scope_project()
        policy.require(request.user, action, getattr(view, "project", None), roles=view.roles)
        return True

    def _check_token(self, request, action: str) -> None:
        token = request.auth
        if not isinstance(token, ApiToken):
            return
        if policy.is_browser_only(action):
            raise exceptions.PermissionDenied("This is done in a browser session, not with a token.")
        scope = "read" if request.method in SAFE else "write"
        if scope not in token.scopes:
            raise exceptions.PermissionDenied(f"This token lacks the scope “{scope}”.")


# ---- what a body may hold -------------------------------------------------------------------------------------------
class StrictJSONParser(parsers.BaseParser):
    """JSON without repeated keys, NaN, U+0000, lone surrogates or bottomless nesting."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        try:
            value = strict_json.loads(stream.read())
        except strict_json.BadJSON as bad:
            raise exceptions.ParseError(str(bad)) from None
        if not isinstance(value, dict):
            raise exceptions.ParseError("The body must be a JSON object.")
        return value


class JSONRenderer(renderers.JSONRenderer):
    charset = None
    ensure_ascii = False


# ---- what an error looks like ---------------------------------------------------------------------------------------
def problem(exc: Exception, context: dict[str, Any]) -> Response | None:
    """RFC 9457 for every refusal: a status, a title, and a sentence for the person who can act."""
    headers: dict[str, str] = {}
    extra: dict[str, Any] = {}
    if isinstance(exc, Refused):
        code, detail = exc.status, exc.sentence
        extra = {**exc.extra, **({"errors": exc.errors} if isinstance(exc, Unacceptable) else {})}
    elif isinstance(exc, Http404):
        code, detail = 404, "There is nothing here, or it is not yours to see."
    elif isinstance(exc, exceptions.ValidationError):
        code, detail = 422, "Some of what was sent cannot be taken."
        extra = {"errors": list(_pointers(exc.detail))}
    elif isinstance(exc, exceptions.APIException):
        code, detail = exc.status_code, _sentence(exc.detail)
        headers = _headers(exc)
    else:
        return None
    _roll_back()
    body = {"type": "about:blank", "title": _title(code), "status": code, "detail": detail, **extra}
    return Response(body, status=code, headers=headers, content_type="application/problem+json")


def _roll_back() -> None:
    from rest_framework.views import set_rollback  # imports settings that name this module

    set_rollback()


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    header, wait = getattr(exc, "auth_header", None), getattr(exc, "wait", None)
    if header:
        headers["WWW-Authenticate"] = header
    if wait:
        headers["Retry-After"] = str(int(wait))
    return headers


def _title(code: int) -> str:
    return HTTPStatus(code).phrase


def _sentence(detail: Any) -> str:
    return " ".join(str(part) for part in detail) if isinstance(detail, list) else str(detail)


def _pointers(detail: Any, path: str = ""):
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _pointers(value, path if key == "non_field_errors" else f"{path}/{key}")
    elif isinstance(detail, list) and any(isinstance(value, dict | list) for value in detail):
        for index, value in enumerate(detail):
            yield from _pointers(value, f"{path}/{index}")
    else:
        yield {"pointer": path, "detail": _sentence(detail)}


# ---- how lists are paged --------------------------------------------------------------------------------------------
class CursorPages(pagination.BasePagination):
    """Keyset pages over one unique, growing column, named by `view.page_key`: a page costs the same wherever it is."""

    MAX_PAGE = 1000
    DEFAULT_PAGE = 100

    def paginate_queryset(self, queryset: Any, request, view=None) -> list[Any]:
        self.request = request
        self.key = getattr(view, "page_key", "-id")
        self.size = self._size(request)
        field, down = self.key.lstrip("-"), self.key.startswith("-")
        after, backwards = self._cursor(request, queryset.model._meta.get_field(field))
        if after is not None:
            side = "lt" if down != backwards else "gt"
            queryset = queryset.filter(models.Q((f"{field}__{side}", after)))
        order = field if down == backwards else f"-{field}"
        rows = list(queryset.order_by(order)[: self.size + 1])
        more, rows = len(rows) > self.size, rows[: self.size]
        if backwards:
            rows.reverse()
        self._links(rows, field, more=more, backwards=backwards, started=after is not None)
        return rows

    def _size(self, request) -> int:
        raw = request.query_params.get("page_size", str(self.DEFAULT_PAGE))
        if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:9]) <= self.MAX_PAGE:
            raise exceptions.ParseError(f"page_size is a whole number from 1 to {self.MAX_PAGE}.")
        return int(raw)

    def _cursor(self, request, field: models.Field) -> tuple[Any, bool]:
        raw = request.query_params.get("cursor")
        if raw is None:
            return None, False
        try:
            direction, value = json.loads(urlsafe_b64decode(raw.encode("ascii", "strict") + b"=="))
            value = field.to_python(value)
            if direction not in {"next", "previous"} or (isinstance(value, int) and not 0 <= value < 2**63):
                raise ValueError
        except Exception as bad:  # base64, JSON, shape or type: every way of being wrong has the one answer
            raise exceptions.ParseError("This cursor is not one this list gave out.") from bad
        return value, direction == "previous"

    def _links(self, rows: list[Any], field: str, *, more: bool, backwards: bool, started: bool) -> None:
        has_next = (backwards and started) or (not backwards and more)
        has_previous = (not backwards and started) or (backwards and more)
        self.next = self._link("next", getattr(rows[-1], field)) if rows and has_next else None
        self.previous = self._link("previous", getattr(rows[0], field)) if rows and has_previous else None

    def _link(self, direction: str, value: Any) -> str:
        packed = json.dumps([direction, value], default=str, separators=(",", ":")).encode()
        query = self.request.query_params.copy()
        query["cursor"] = urlsafe_b64encode(packed).rstrip(b"=").decode()
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": self.MAX_PAGE, "default": self.DEFAULT_PAGE}
        return [
            {"name": "page_size", "in": "query", "required": False, "schema": size},
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
        ]


# ---- lost updates ---------------------------------------------------------------------------------------------------
def if_match(request: HttpRequest) -> str | None:
    """The tag the caller last saw, without a weak mark; None when the header is absent."""
    value = request.headers.get("If-Match")
    return value.strip().removeprefix("W/") if value else None
