"""The admin site: open to superusers only, through the product's own login, and asking again before changes."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from labeling import sessions, web
from labeling.permissions import may_globally
from labeling.refusals import Forbidden

SAFE = ("GET", "HEAD", "OPTIONS")
ACTION = "admin_site.open"
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class OperatorsSite(AdminSite):
    site_header = "Touchstone administration"
    site_title = "Touchstone"
    index_title = "What the installation holds"

    def has_permission(self, request: HttpRequest) -> bool:
        """Being staff is not enough: an account that could edit accounts could make itself a superuser."""
        return may_globally(request.user, ACTION)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                return web.refusal(request, Forbidden("The administration is for operators of this installation."))
            if request.method not in SAFE and not sessions.fresh(request):
                messages.warning(request, "Log in again before you change something here.")
                return redirect_to_login(request.path)
            return inner(request, *args, **kwargs)

        guarded.action = ACTION  # type: ignore[attr-defined]  # as @page declares it
        return cast(View, update_wrapper(guarded, view, updated=("__dict__",)))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one login, and it is the throttled one."""
        return redirect_to_login(reverse("admin:index"))

    def logout(  # type: ignore[override]  # a redirect where Django renders a page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("accounts:logout")
