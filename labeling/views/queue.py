"""The queue for those who run a project: leases, what is set aside, how far people are, and pages moved by hand."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from labeling import assigning, item_search, permissions, queue_report, skipping
from labeling import queue as leasing
from labeling.models import Assignment, Item, Project
from labeling.phrases import counted
from labeling.refusals import Unacceptable
from labeling.views.material import address
from labeling.web import PersonRequest, page

# Verb, and what is said of the pages afterwards.
WORDS = {
    "take-back": "is anyone's again|are anyone's again",
    "priority": "has another place in the queue|have another place in the queue",
    "reserve": "is kept for adjudicators|are kept for adjudicators",
    "unreserve": "is for everyone again|are for everyone again",
    "put-back": "is in the queue again|are in the queue again",
}


@page("queue.read")
@require_safe
def queue(request: PersonRequest, project: Project) -> HttpResponse:
    aside, leases = queue_report.set_aside(project), queue_report.leases(project)
    context = {
        "leases": [(slot, address(slot.item, project=project)) for slot in leases],
        "aside": [(item, address(item, project=project), skipping.reason_words(item.why)) for item in aside],  # type: ignore[attr-defined]  # annotated by skipping.set_aside
        "beyond": [(row, address(row.item, project=project)) for row in queue_report.beyond(project)],
        "people": queue_report.people(project),
        "waiting": queue_report.waiting(project),
        "may_see_exposure": permissions.may(request.user, "exposure.read_project", project, roles=request.roles),
    }
    return render(request, "labeling/queue.html", context)


@page("queue.release_other_lease")
@require_POST
def clear(request: PersonRequest, project: Project, assignment_id: int) -> HttpResponse:
    """Take a page from whoever holds it. Their ticks stay theirs, as a draft."""
    slot = get_object_or_404(
        Assignment.objects.select_related("annotator", "project"), project=project, pk=assignment_id
    )
    holder = slot.annotator
    leasing.clear_lease(slot, by=request.user)
    messages.success(request, f"The page is taken back from {holder}; what they ticked is kept for them."
                     if holder else "Nobody held that page any more.")  # fmt: skip
    return redirect("labeling:queue", project.slug)


@page("queue.set_priority")
@require_POST
def change(request: PersonRequest, project: Project, verb: str) -> HttpResponse:
    """Give, take back, move up, reserve or put back one page, or every page a filter means."""
    found, onward = _meant(request, project)
    try:
        said = _do(request, project, found, verb)
    except Unacceptable as fault:
        messages.error(request, fault.sentence)
    else:
        messages.success(request, said)
    return redirect(onward)


def _meant(request: PersonRequest, project: Project) -> tuple[Any, str]:
    """The pages the form is about, and where to go from here."""
    if public_id := request.POST.get("item", ""):
        item = get_object_or_404(Item, project=project, public_id=public_id)
        back = "labeling:queue" if request.POST.get("from") == "queue" else "labeling:item"
        where = [project.slug] if back == "labeling:queue" else [project.slug, public_id]
        return Item.objects.filter(pk=item.pk), reverse(back, args=where)
    params = {name: request.POST.get(name, "") for name in item_search.NAMES}
    sight = permissions.sight(request.user, project, roles=request.roles)
    found = item_search.find(project, item_search.read_filter(params, project, sight=sight))
    filled = urlencode({name: value for name, value in params.items() if value})
    return found, f"{reverse('labeling:items', args=[project.slug])}?{filled}"


def _do(request: PersonRequest, project: Project, found: Any, verb: str) -> str:
    by = request.user
    if verb == "give":
        to = request.POST.get("to", "").strip()
        given = assigning.give(found, project=project, to=to, by=by)
        rest = f" {counted(given.others, 'page')} had nothing left to give." if given.others else ""
        return f"{counted(given.pages, 'page')} given to {to}.{rest}"
    if verb == "take-back":
        n = assigning.take_back(found, project=project, by=by)
    elif verb == "priority":
        n = assigning.set_priority(found, project=project, priority=_whole(request.POST.get("priority", "")), by=by)
    elif verb == "reserve":
        n = assigning.reserve(found, project=project, by=by)
    elif verb == "unreserve":
        n = assigning.unreserve(found, project=project, by=by)
    elif verb == "put-back":
        n = skipping.put_back(found, project=project, by=by)
    else:
        raise Http404
    one, many = WORDS[verb].split("|")
    return f"{counted(n, 'page')} {one if n == 1 else many}."


def _whole(text: str) -> int:
    """The number a form holds; what is none is outside every limit."""
    try:
        return int(text.strip()[:10])
    except ValueError:
        return assigning.HIGHEST_PRIORITY + 1
