"""Labels that are new, asked of pages judged before: what that costs, and the button that does it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from labeling import new_labels, phrases, schemas
from labeling.models import Project
from labeling.web import PersonRequest, page


@require_http_methods(["GET", "POST"])
@page("schema.ask_again")
def ask(request: PersonRequest, project: Project) -> HttpResponse:
    """GET says how many pages and answers a round for the chosen labels takes; POST opens it."""
    chosen = (request.POST if request.method == "POST" else request.GET).getlist("label")
    if request.method != "POST" and not chosen:
        return redirect("labeling:labels", project.slug)
    keys = new_labels.checked(project, chosen)
    names = phrases.listed([f"“{name}”" for name in schemas.in_force(project).names(keys)])
    if request.method == "POST":
        new_labels.queue_asking(project, keys, by=request.user)
        messages.success(request, f"People are being asked about {names}; the page of jobs shows how far it is.")
        return redirect("labeling:labels", project.slug)
    context = {"keys": keys, "names": names, "cost": new_labels.cost(project, keys)}
    return render(request, "labeling/new_labels.html", context)
