"""The reminder of a break on the annotate page.

How long somebody has been at it stands in a signed cookie of theirs: it is nobody else's business, it holds for every
project, and counting it costs the database nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from labeling import breaks
from labeling.breaks import Stretch
from labeling.forms.answers import seconds_of
from labeling.models import Project, User
from labeling.web import PersonRequest, is_htmx, page

COOKIE = "stretch"
KEPT_SECONDS = 6 * 3600


@require_POST
@page("queue.claim")
def put_away(request: PersonRequest, project: Project) -> HttpResponse:
    response = HttpResponse() if is_htmx(request) else redirect("labeling:annotate", project.slug)
    return keep(response, request, breaks.put_away(now=timezone.now()))


def after_answer(request: PersonRequest) -> Stretch:
    """This person's stretch of work, with the answer that was just sent."""
    seconds = seconds_of(request.POST.get("active_seconds"))
    active = timedelta(seconds=seconds) if seconds else None
    return breaks.after_answer(of(request), now=timezone.now(), active=active)


def note(request: PersonRequest, project: Project, stretch: Stretch) -> dict[str, Any]:
    """What the page says of it, and whether that is another thing than it said before."""
    words = breaks.reminder(stretch, project, request.user, now=timezone.now())
    return {"break_words": words, "break_is_news": bool(words) != stretch.is_said}


# ---- the cookie -----------------------------------------------------------------------------------------------------
def of(request: PersonRequest) -> Stretch:
    said = request.get_signed_cookie(COOKIE, default="", salt=_salt(request.user), max_age=KEPT_SECONDS)
    try:
        worked, until, is_said = (said or "").split("|")
        return Stretch(timedelta(seconds=int(worked)), datetime.fromtimestamp(int(until), UTC), is_said == "1")
    except ValueError:  # none, or one of an earlier version
        return Stretch()


def keep(response: HttpResponse, request: PersonRequest, stretch: Stretch) -> HttpResponse:
    if stretch.until is None:
        return response
    value = f"{round(stretch.worked.total_seconds())}|{round(stretch.until.timestamp())}|{stretch.is_said:d}"
    response.set_signed_cookie(
        COOKIE, value, salt=_salt(request.user), max_age=KEPT_SECONDS, httponly=True, samesite="Lax",
        secure=request.is_secure(),
    )  # fmt: skip
    return response


def _salt(user: User) -> str:
    """Whoever logs in at the same browser afterwards starts anew."""
    return f"{COOKIE}.{user.pk}"
