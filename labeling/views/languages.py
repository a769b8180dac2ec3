"""The language a page speaks: the person's own choice, else what the browser asks for.

Pages that people who judge can open are translated; the others, and the API, speak English whatever is asked for, so
that no page mixes two languages.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.i18n import JavaScriptCatalog

ENGLISH = "en"
# The actions (permissions.py) whose pages are translated.
TRANSLATED = frozenset(
    {
        "account.accept_invite", "account.change_own_password", "account.login", "account.logout",
        "account.preferences_own", "account.reset_password", "account.sessions_own", "assignment.skip_own",
        "desk.set_own", "draft.save_own", "flag.comment", "flag.create", "flag.read", "judgment.create",
        "judgment.read_own", "judgment.revise_own", "project.list", "queue.claim", "queue.release_own_lease",
    }
)  # fmt: skip


class Languages:
    """Middleware: English until a view is found whose page has more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(ENGLISH):
            response = self.get_response(request)
            if translation.get_language() != ENGLISH:
                response.headers.setdefault("Content-Language", translation.get_language() or ENGLISH)
        if not request.path.startswith(settings.STATIC_URL):
            patch_vary_headers(response, ["Accept-Language"])
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
    ) -> None:
        if getattr(view, "action", None) in TRANSLATED:
            speak_to(request)


def speak_to(request: HttpRequest) -> None:
    """From here on this request is answered in the language of who sent it."""
    chosen = getattr(request.user, "language", "")
    known = dict(settings.LANGUAGES)
    translation.activate(chosen if chosen in known else translation.get_language_from_request(request))


# ---- the words of the ES modules ------------------------------------------------------------------------------------
def words(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: what its scripts say, {English: translated}. Empty in English, which they know."""
    return {"screen_words": _catalog(translation.get_language() or ENGLISH)}


@cache
def _catalog(language: str) -> dict[str, str]:
    if language == ENGLISH:
        return {}
    view = JavaScriptCatalog()
    with translation.override(language):
        view.translation = translation.trans_real.DjangoTranslation(
            language, domain="djangojs", localedirs=[str(path) for path in settings.LOCALE_PATHS]
        )
        return {english: said for english, said in view.get_catalog().items() if isinstance(said, str)}
