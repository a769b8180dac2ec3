"""Telling the managers about the page being judged, without leaving it and without losing a tick."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from labeling import answers, flags, judging, queue, schemas
from labeling.forms.answers import AnswerForm
from labeling.forms.faults import Fault, numbered
from labeling.models import Assignment, Draft, FlagKind, Project
from labeling.refusals import Unacceptable
from labeling.views import annotate
from labeling.views.flags import flag_form
from labeling.views.marks import require_same_person
from labeling.web import PersonRequest, is_htmx, page

SENT = gettext_noop("The managers have it. You find their answer in My work.")
ASIDE = gettext_noop("The page is set aside: nobody is given it until a manager has decided. Thank you for saying so.")
NOTHING = answers.Answer().as_draft()


@require_POST
@page("flag.create")
def raise_flag(request: PersonRequest, project: Project, assignment_id: int) -> HttpResponse:
    """From the page being judged. A page that looks illegal is left for the next one.

    A script sends what is said alone, and the answer stays on the screen. Without one the whole form comes: its ticks
    are kept as the draft, and what cannot be kept or taken comes back on the page.
    """
    require_same_person(request)
    given = flags.flaggable_slots(project, flags.reader(request.user, project, roles=request.roles))
    slot = get_object_or_404(given.select_related("item__project"), pk=assignment_id)
    said = {name: request.POST.get(name, "") for name in annotate.FLAG_FIELDS}
    if is_htmx(request) or queue.slot_of(request.user, slot.pk) is None:  # who never had it open has no ticks of it
        return _beside_the_answer(request, project, slot, said)
    form = AnswerForm(request.POST, keys=judging.asked_of(slot, by=request.user))
    draft, faults = _kept(request, slot, form)
    try:
        flags.raise_flag(slot.item, by=request.user, **said)
    except Unacceptable as fault:
        faults += numbered([(fault.sentence, "flag-kind", ())])
        return annotate.again(request, project, slot, form, faults, draft=draft, flag_wrong=fault.sentence)
    is_illegal = said["kind"] == FlagKind.ILLEGAL
    if faults and not is_illegal:
        return annotate.again(
            request, project, slot, form, faults, heading=_("Your ticks are not saved yet"),
            flag_sent=_(SENT), flag_said={},
        )  # fmt: skip
    messages.success(request, _(ASIDE if is_illegal else SENT))
    return redirect("labeling:annotate", project.slug)


def _beside_the_answer(
    request: PersonRequest, project: Project, slot: Assignment, said: dict[str, str]
) -> HttpResponse:
    try:
        flags.raise_flag(slot.item, by=request.user, **said)
    except Unacceptable as fault:
        return _fields(request, project, slot, {"flag_said": said, "flag_wrong": fault.sentence}, status=422)
    if said["kind"] != FlagKind.ILLEGAL:
        return _fields(request, project, slot, {"flag_sent": _(SENT)})
    messages.success(request, _(ASIDE))
    response = HttpResponse(status=204)
    response["HX-Redirect"] = reverse("labeling:annotate", args=[project.slug])
    return response


def _fields(
    request: PersonRequest, project: Project, slot: Assignment, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    context = flag_form(project, slot, schemas.in_force(project).asked) | more
    return render(request, "labeling/_flag_form.html", context, status=status)


def _kept(request: PersonRequest, slot: Assignment, form: AnswerForm) -> tuple[Draft | None, list[Fault]]:
    """The ticks of the form as the draft; a form with nothing on it, upon no draft, is none."""
    if not request.POST.get("draft") and form.answer().as_draft() == NOTHING:
        return None, []
    return annotate.kept(slot, request, form)
