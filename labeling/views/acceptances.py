"""Pages on which all agree, accepted together; and a decision taken back."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from labeling import acceptances, adjudication, permissions, phrases
from labeling.models import Acceptance, Item, Job, Project
from labeling.refusals import Refused
from labeling.web import PersonRequest, page

SHOWN = 20
NO_NUMBER = "A share is a number of percent from 0 to 100."


@require_GET
@page("adjudication.list")
def accept_page(request: PersonRequest, project: Project) -> HttpResponse:
    return _page(request, project)


@require_POST
@page("adjudication.decide")
def accept(request: PersonRequest, project: Project) -> HttpResponse:
    """Start it; the page says how it went."""
    typed = request.POST.get("percent", "")
    try:
        acceptances.queue_accepting(project, by=request.user, audit_share=float(typed.replace(",", ".")) / 100)
    except ValueError:
        return _page(request, project, typed=typed, errors=[NO_NUMBER], status=422)
    except Refused as refused:
        return _page(request, project, typed=typed, errors=[refused.sentence], status=refused.status)
    messages.success(request, "The pages are being accepted.")
    return redirect("labeling:accept", project.slug)


@require_POST
@page("adjudication.reopen")
def reopen(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    """Take the decision in force back; the page says so, and keeps the old one in its history."""
    item = get_object_or_404(Item, project=project, public_id=public_id)
    try:
        adjudication.reopen(item, by=request.user, note=request.POST.get("note", "").strip())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "The decision is taken back. It stays in the history of the page.")
    return redirect("labeling:item", project.slug, public_id)


def _page(
    request: PersonRequest, project: Project, *, typed: str = "", errors: list[str] | None = None, status: int = 200
) -> HttpResponse:
    last = list(Acceptance.objects.filter(project=project).select_related("by", "job").order_by("-pk")[:SHOWN])
    n = acceptances.open_to(project, request.user).count()
    context = {
        "n": n,
        "n_pages": phrases.counted(n, "page"),
        "percent": typed or f"{acceptances.DEFAULT_SHARE:.0%}".rstrip("%"),
        "errors": errors,
        "rows": [_row(made) for made in last],
        "may_accept": permissions.may(request.user, "adjudication.decide", project, roles=request.roles),
    }
    return render(request, "labeling/accept.html", context, status=status)


def _row(made: Acceptance) -> dict[str, Any]:
    checked = list(made.picks.filter(adjudication__isnull=False).values_list("expected", "adjudication__verdicts"))
    differ = sum(any(decided.get(key) != said for key, said in expected.items()) for expected, decided in checked)
    return {
        "made": made,
        "is_running": made.job is not None and made.job.state in {Job.State.QUEUED, Job.State.RUNNING},
        "failed": made.job.message if made.job is not None and made.job.state == Job.State.FAILED else "",
        "n_checked": len(checked),
        "n_differ": differ,
        "percent": f"{made.audit_share * 100:g} %",
    }
