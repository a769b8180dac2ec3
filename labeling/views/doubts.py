"""Pages most likely to carry a wrong label: the list, why, and the button that asks about the first of them again."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from labeling import doubts, jobs, permissions, phrases, schemas, second_looks
from labeling.models import Doubt, DoubtRanking, Job, Project
from labeling.refusals import Refused, Unacceptable
from labeling.views.material import address
from labeling.web import PersonRequest, page

PAGE_SIZE = 50
SOURCES = {
    doubts.CONSENSUS: "answers alone: how sure as many usual people make who say the same",
    doubts.MODEL: "answers; where there is one only, a model that did not learn from the page",
    doubts.STACK: "answers and a model together, weighed as decisions have taught",
}


class AskForm(forms.Form):
    pages = forms.IntegerField(
        label="Pages from the top", help_text="One more person answers each. Where they differ, somebody decides."
    )


@require_GET
@page("doubt.read")
def doubted(request: PersonRequest, project: Project) -> HttpResponse:
    return _list(request, project)


@require_POST
@page("doubt.act")
def rank(request: PersonRequest, project: Project) -> HttpResponse:
    doubts.queue_ranking(project, by=request.user)
    messages.success(request, "The pages are being ranked; you may leave this page.")
    return redirect("labeling:doubts", project.slug)


@require_POST
@page("doubt.act")
def ask(request: PersonRequest, project: Project) -> HttpResponse:
    form = AskForm(request.POST)
    if not form.is_valid():
        return _list(request, project, form=form, status=422)
    try:
        n = second_looks.ask_again(project, form.cleaned_data["pages"], by=request.user)
    except (Unacceptable, Refused) as refused:
        form.add_error("pages", refused.sentence)
        return _list(request, project, form=form, status=refused.status)
    messages.success(request, f"One more person is asked about {phrases.counted(n, 'page')}.")
    return redirect("labeling:doubts", project.slug)


def _list(request: PersonRequest, project: Project, *, form: AskForm | None = None, status: int = 200) -> HttpResponse:
    ranking = DoubtRanking.objects.filter(project=project).first()
    rows = Doubt.objects.filter(project=project).select_related("item", "item__consensus").order_by("rank")
    shown = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    schema = schemas.in_force_if_any(project)
    names = {label.key: label.name for label in schema.labels} if schema else {}
    job = jobs.newest(project, doubts.KIND)
    context = {
        "ranking": ranking,
        "source": SOURCES[ranking.source] if ranking else "",
        "page_obj": shown,
        "rows": [_row(project, one, names) for one in shown],
        "is_ranking": job is not None and job.state in {Job.State.QUEUED, Job.State.RUNNING},
        "failed": job.message if job is not None and job.state == Job.State.FAILED else "",
        "may_act": permissions.may(request.user, "doubt.act", project, roles=request.roles),
        "form": form or AskForm(initial={"pages": min(20, shown.paginator.count)}),
    }
    return render(request, "labeling/doubts.html", context, status=status)


def _row(project: Project, one: Doubt, names: dict[str, str]) -> dict[str, Any]:
    counted = one.item.consensus
    return {
        "rank": one.rank,
        "address": address(one.item, project=project),
        "url": reverse("labeling:item", args=[project.slug, one.item.public_id]),
        "labels": [
            f"{names.get(each['label'], each['label'])} {each['verdict']}, believed {phrases.share(each['believed'])}"
            for each in one.labels
        ],
        "people": phrases.counted(counted.n_judgments, "person", "people"),
        "state": "" if counted.state == counted.State.AGREED else counted.get_state_display().lower(),
    }
