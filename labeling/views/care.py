"""What a person would rather not judge: chosen in My work, obeyed by the queue in silence."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from labeling import opt_outs
from labeling.models import Project
from labeling.refusals import Unacceptable
from labeling.web import PersonRequest, page


@require_POST
@page("desk.set_own")
def choose_opt_outs(request: PersonRequest, project: Project) -> HttpResponse:
    try:
        opt_outs.choose(project, request.user, request.POST.getlist("opted_out"))
    except Unacceptable as wrong:
        messages.error(request, wrong.sentence)
    else:
        messages.success(request, _("Saved. The queue keeps to it by itself."))
    return redirect(f"{reverse('labeling:mine', args=[project.slug])}#care")
