"""What every page shares: the declared action, page or fragment, the menu, response rules, and error pages."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling import flags, permissions
from labeling.models import Project, User
from labeling.phrases import duration
from labeling.refusals import Refused

View = Callable[..., HttpResponseBase]


class PersonRequest(HttpRequest):
    """A request that passed @page: somebody is logged in, and under a project's address they may be there."""

    user: User
    project: Project  # only under a project's address, as the roles this person has in it
    roles: frozenset[str]


def page(action: str) -> Callable[[View], View]:
    """Declare what a page does. Logs in, scopes the project by membership (404), asks the policy (403), then calls.

    A view under `/p/<slug>/` is called with the project instead of its slug. A test fails for views without an action.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, slug: str | None = None, **kwargs: Any) -> HttpResponseBase:
            who = request.user  # not looked at for a page of anyone: health is asked when the database is down
            if permissions.GLOBAL_POLICY.get(action) != "anyone" and not who.is_authenticated:
                return login_first(request)
            try:
                if slug is None:
                    permissions.require(who, action)
                    return view(request, *args, **kwargs)
                project = project_of(request, slug)
                permissions.require(who, action, project, roles=request.roles)  # type: ignore[attr-defined]
                return view(request, project, *args, **kwargs)
            except Refused as refused:
                return refusal(request, refused)

        guarded.action = action  # type: ignore[attr-defined]
        return guarded

    return declare


def project_of(request: HttpRequest, slug: str) -> Project:
    """The project, if this person is a member (or a superuser); its menu and roles are kept on the request."""
    person = cast(User, request.user)
    project: Project | None = Project.objects.visible_to(person).filter(slug=slug).first()
    if project is None:
        raise Http404
    request.project = project  # type: ignore[attr-defined]
    request.roles = permissions.roles_of(request.user, project)  # type: ignore[attr-defined]
    return project


def login_first(request: HttpRequest) -> HttpResponse:
    if is_htmx(request) or request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse(
            {"detail": _("You were logged out. Log in in a new tab; your ticks stay here.")}, status=401
        )
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    said = _("You were logged out, so what you sent was not saved. Log in, then send it again.")
    messages.warning(request, said)
    return redirect_to_login(_came_from(request))


def _came_from(request: HttpRequest) -> str:
    """The page whose form was sent, for a browser without scripts: its address can be opened, the form's cannot."""
    came = urlsplit(request.headers.get("Referer", ""))
    return came.path if came.netloc == request.get_host() and came.path.startswith("/") else "/"


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    template = "403.html" if refused.status == 403 else "refused.html"
    if is_htmx(request):
        template = "_refused.html"
    return render(request, template, {"sentence": refused.sentence}, status=refused.status)


def is_htmx(request: HttpRequest) -> bool:
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def page_or_fragment(
    request: HttpRequest, page: str, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """One context for the whole page and for the fragment htmx asks for alone, so that they cannot drift apart."""
    response = render(request, fragment if is_htmx(request) else page, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response


# ---- the menu -----------------------------------------------------------------------------------------------------
# What of a person's flags is new, by the page that shows it (flags.News).
NEWS = {"labeling:mine": "answers", "labeling:flags": "raised"}
MENU = [
    (gettext_noop("Overview"), "labeling:overview", "dashboard.project"),
    (gettext_noop("Annotate"), "labeling:annotate", "queue.claim"),
    (gettext_noop("My work"), "labeling:mine", "judgment.read_own"),
    (gettext_noop("Adjudicate"), "labeling:adjudicate", "adjudication.list"),
    (gettext_noop("Items"), "labeling:items", "item.list"),
    (gettext_noop("Flags"), "labeling:flags", "flag.resolve"),
    (gettext_noop("Queue"), "labeling:queue", "queue.read"),
    (gettext_noop("Agreement"), "labeling:agreement", "agreement.read_project"),
    (gettext_noop("Quality"), "labeling:quality", "annotator.pause_reinstate"),
    (gettext_noop("Learning"), "active_learning:learning", "model.read_metrics"),
    (gettext_noop("Samples"), "labeling:samples", "sample.read"),
    (gettext_noop("Releases"), "labeling:releases", "release.list_read"),
    (gettext_noop("Settings"), "labeling:settings", "project.update_settings"),
]


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Project, menu and whether the page is a work page, for base.html."""
    project = getattr(request, "project", None)
    if project is None:
        return {"project": None, "nav": []}
    roles = request.roles  # type: ignore[attr-defined]
    entries = [
        (_(title), _address(name, project), NEWS.get(name, ""))
        for title, name, action in MENU
        if permissions.may(request.user, action, project, roles=roles)
    ]
    where = request.path.replace(f"/p/{project.slug}/annotators/", f"/p/{project.slug}/agreement/", 1)
    nav = [(title, url, where.startswith(url), new) for title, url, new in entries if url]
    # The overview's address is the start of all the others: current only when nothing longer matches.
    if sum(current for _, _, current, _ in nav) > 1:
        longest = max(url for _, url, current, _ in nav if current)
        nav = [(title, url, url == longest, new) for title, url, _, new in nav]
    return {"project": project, "nav": nav, "roles": roles, "news": SimpleLazyObject(partial(_news, request, project))}


def _news(request: HttpRequest, project: Project) -> flags.News:
    """Asked where a menu is drawn that shows it, and nowhere else: never for the next page of work."""
    roles = request.roles  # type: ignore[attr-defined]
    settles = permissions.may(request.user, "flag.resolve", project, roles=roles)
    return flags.news(project, cast(User, request.user), settles=settles)


def _address(name: str, project: Project) -> str:
    try:
        return reverse(name, args=[project.slug])
    except NoReverseMatch:
        return ""


# ---- responses ----------------------------------------------------------------------------------------------------
class ResponseRules:
    """Headers every answer carries: pages of logged-in people are not kept by caches, nothing is embedded."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusal(request, exception) if isinstance(exception, Refused) else None


def login_paused(request: HttpRequest, _credentials: object, *_args: object, **_kwargs: object) -> HttpResponse:
    """After too many wrong passwords: a pause, never a lock-out (labeling/login_throttle.py)."""
    pause = settings.AXES_COOLOFF_TIME
    sentence = (_("Too many wrong passwords. Wait %(time)s, then try again, or reset your password.")) % {
        "time": duration(pause.total_seconds())
    }
    response = render(request, "refused.html", {"sentence": sentence}, status=429)
    response["Retry-After"] = str(round(pause.total_seconds()))
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    sentence = _(
        "This form was open for too long or came from another site. Go back, reload the page and send it again."
    )
    return render(request, "403.html", {"sentence": sentence}, status=403)
