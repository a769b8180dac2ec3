"""Evaluation samples: what was drawn and how far it is, and drawing another."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from labeling import permissions, samples
from labeling.models import Job, Project, Stream
from labeling.refusals import Refused, Unacceptable
from labeling.web import PersonRequest, page, page_or_fragment


class DrawForm(forms.Form):
    size = forms.IntegerField(label="Pages to draw", min_value=1, max_value=10_000_000)
    overlap = forms.IntegerField(
        label="People who answer each page", min_value=1, max_value=samples.MAX_OVERLAP, required=False
    )
    seed = forms.CharField(
        label="Seed",
        max_length=64,
        required=False,
        help_text="The same seed and pages give the same sample; a larger one contains it. Empty: a new one is made.",
    )


@require_GET
@page("sample.read")
def sample_list(request: PersonRequest, project: Project) -> HttpResponse:
    return page_or_fragment(request, "labeling/samples.html", "labeling/_samples.html", _context(request, project))


@require_POST
@page("sample.draw")
def draw(request: PersonRequest, project: Project) -> HttpResponse:
    form = DrawForm(request.POST)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            wanted = samples.checked(project, size=sent["size"], seed=sent["seed"], overlap=sent["overlap"])
            samples.queue_draw(project, wanted, by=request.user)
        except Unacceptable as fault:
            for error in fault.errors:
                form.add_error(error["pointer"].lstrip("/"), error["detail"])
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"{wanted.size:,} pages are being drawn.")
            return redirect("labeling:samples", project.slug)
    return render(request, "labeling/samples.html", _context(request, project, form), status=422)


@require_GET
@page("sample.read")
def sample(request: PersonRequest, project: Project, number: int) -> HttpResponse:
    """One sample: its record, how far it is, and what anyone needs to draw it again."""
    made = get_object_or_404(project.draws.select_related("created_by"), number=number)
    so_far = samples.progress(project, [made])
    return render(request, "labeling/sample.html", {"sample": made, "so_far": so_far, "steps": _steps(so_far)})


def _context(request: PersonRequest, project: Project, form: DrawForm | None = None) -> dict[str, Any]:
    drawn = list(project.draws.order_by("-number"))
    n_pages = project.items.active().count()
    first = {"size": min(n_pages, 200) or None, "overlap": project.overlap_for(Stream.GOLD)}
    work = Job.objects.filter(project=project, kind="draw")
    unfinished = list(work.unfinished().order_by("created_at"))
    failed = work.filter(state=Job.State.FAILED).order_by("-finished_at").first()
    is_newest = failed is not None and not work.filter(created_at__gt=failed.created_at).exists()
    may_draw = permissions.may(request.user, "sample.draw", project, roles=request.roles)
    return {
        "rows": [(made, samples.progress(project, [made])) for made in drawn],
        "so_far": samples.progress(project, drawn),
        "n_pages": n_pages,
        "unfinished": unfinished,
        "failed": failed if is_newest else None,
        "form": form or DrawForm(initial=first),
        "may_draw": may_draw and n_pages > 0,
    }


def _steps(so_far: samples.Progress) -> str:
    """Where the pages of a sample are, as one sentence."""
    if not so_far.n_waiting and not so_far.n_disputed:
        return "Every page is settled."
    parts = [
        f"{n:,} {'waits' if n == 1 else 'wait'} for {what}"
        for n, what in ((so_far.n_waiting, "an answer"), (so_far.n_disputed, "a decision"))
        if n
    ]
    return f"{so_far.n_settled:,} of {so_far.n_items:,} pages are settled; {' and '.join(parts)}."
