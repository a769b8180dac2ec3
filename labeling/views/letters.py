"""A person's own letters for the labels of a project."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from labeling import own_letters, schemas
from labeling.forms.letters import LettersForm
from labeling.models import Project
from labeling.refusals import Refused, Unacceptable
from labeling.web import PersonRequest, page


@require_http_methods(["GET", "POST"])
@page("desk.set_own")
def letters(request: PersonRequest, project: Project) -> HttpResponse:
    """Show one's letters; a POST keeps others, `reset` those of the project."""
    schema = schemas.in_force_if_any(project)
    if schema is None:
        raise Refused(_("This project asks nothing yet, so its labels have no letters."))
    if request.method != "POST":
        now = own_letters.of(schema, own_letters.wanted_by(request.user, project))
        return _page(request, LettersForm(schema, now), status=200)
    form = LettersForm(schema, {}, request.POST)
    if "reset" not in request.POST and not form.is_valid():
        return _page(request, form, status=422)
    try:
        wanted = {} if "reset" in request.POST else form.letters()
        own_letters.choose(project, by=request.user, wanted=wanted)
    except Unacceptable as refused:
        form.refuse(refused)
        return _page(request, form, status=422)
    messages.success(
        request, _("Your letters are kept.") if wanted else _("You have the letters of the project again.")
    )
    return redirect("labeling:mine", project.slug)


def _page(request: PersonRequest, form: LettersForm, *, status: int) -> HttpResponse:
    return render(request, "labeling/letters.html", {"form": form}, status=status)
