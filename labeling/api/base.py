"""The view every endpoint is built on, and its page of a list."""

from collections.abc import Callable
from typing import Any, NoReturn, cast

from django.conf import settings
from django.db import models
from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling import idempotency
from labeling import permissions as policy
from labeling.api.conventions import CursorPages
from labeling.models import Project, User


class BodyTooLarge(exceptions.APIException):
    status_code = 413
    default_detail = f"A body holds at most {settings.BODY_MAX_BYTES:,} bytes."


class ActionView(APIView):
    """A view that declares, per method, which action of the policy it is; under a project it finds that first."""

    actions: dict[str, str] = {}
    query: frozenset[str] = frozenset()  # query parameters it knows; others are a 400
    reads_stream = False  # takes a body of any length as it comes, and remembers its answer by itself
    project: Project  # only under a project's address
    roles: frozenset[str] = frozenset()

    @property
    def person(self) -> User:
        """Who asks; the policy has made sure that somebody does."""
        return cast(User, self.request.user)

    def scope_project(self) -> None:
        slug = self.kwargs.get("slug")
        if slug is None:
            return
        project = Project.objects.visible_to(self.person).filter(slug=slug).first()
        if project is None:
            raise Http404
        self.project = project
        self.roles = policy.roles_of(self.request.user, self.project)

    def hide(self, project: Project | None) -> NoReturn:
        """An object that is not the caller's: a member in the wrong role is told so, for others it does not exist."""
        person = self.person
        if person.is_authenticated and project and Project.objects.visible_to(person).filter(pk=project.pk).exists():
            policy.require(person, self.actions[str(self.request.method)], project)
        raise Http404

    def initial(self, request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.reads_stream and _length(request) > settings.BODY_MAX_BYTES:
            raise BodyTooLarge
        unknown = set(request.query_params) - self.query - {"page_size", "cursor", "format"}
        if unknown:
            names = ", ".join(sorted(name[:60] for name in unknown))
            raise exceptions.ParseError(f"Unknown query parameter: {names}.")

    def dispatch(self, request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As the framework's; a repeated call gets its stored answer, once it is known that the caller may ask."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            response: Any = self.handled() if self.reads_stream else idempotency.once(self.request, self.handled)
        except Exception as trouble:  # noqa: BLE001  what is no refusal is raised again by the framework
            response = self.handle_exception(trouble)
        self.response = self.finalize_response(self.request, response)
        return self.response

    def handled(self) -> Any:
        """What the method answers, ready to be stored. A refusal is an answer; anything else is raised."""
        handler = getattr(self, str(self.request.method).lower(), self.http_method_not_allowed)
        try:
            response = handler(self.request, *self.args, **self.kwargs)
        except Exception as trouble:  # noqa: BLE001  as above
            response = self.handle_exception(trouble)
        return self.finalize_response(self.request, response)


def _length(request: Any) -> int:
    declared = request.META.get("CONTENT_LENGTH") or ""
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def paged(view: ActionView, queryset: models.QuerySet, serialize: Callable[[Any], Any]) -> Response:
    """One page of the queryset as the contract's list."""
    pages = CursorPages()
    rows = pages.paginate_queryset(queryset, view.request, view)
    return pages.get_paginated_response([serialize(row) for row in rows])
