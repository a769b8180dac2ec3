"""The view every endpoint is built on, and its page of a list."""

from collections.abc import Callable
from typing import Any, NoReturn, cast

from django.db import models
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling import idempotency
from labeling import permissions as policy
from labeling.api.conventions import CursorPages
from labeling.models import Project, User


class ActionView(APIView):
    """A view that declares, per method, which action of the policy it is; under a project it finds that first."""

    actions: dict[str, str] = {}
    query: frozenset[str] = frozenset()  # query parameters it knows; others are a 400
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
        unknown = set(request.query_params) - self.query - {"page_size", "cursor", "format"}
        if unknown:
            names = ", ".join(sorted(name[:60] for name in unknown))
            raise exceptions.ParseError(f"Unknown query parameter: {names}.")

    def dispatch(self, request, *args: Any, **kwargs: Any):
        return idempotency.remember(self, request, super().dispatch, *args, **kwargs)


def paged(view: ActionView, queryset: models.QuerySet, serialize: Callable[[Any], Any]) -> Response:
    """One page of the queryset as the contract's list."""
    pages = CursorPages()
    rows = pages.paginate_queryset(queryset, view.request, view)
    return pages.get_paginated_response([serialize(row) for row in rows])
