"""Evaluation samples: what was drawn and how far it is, and drawing another."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from labeling import asking_again, permissions, phrases, recounts, samples
from labeling.models import Job, Project, Stream
from labeling.refusals import Refused, Unacceptable
from labeling.web import PersonRequest, page, page_or_fragment

SHOWN = 20
FAILED = {  # the work this page shows, and what is said when it was not done
    "draw": "The last sample was not drawn, and nothing was stored.",
    recounts.KIND: "The pages were not counted again; the page of jobs can try it once more.",
    asking_again.KIND: "People were not asked again about every page.",
}


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


class AskAgainForm(forms.Form):
    sample = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


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


@require_POST
@page("sample.draw")
def ask_again(request: PersonRequest, project: Project) -> HttpResponse:
    """Ask about the labels that changed, on the pages of one sample or of all."""
    form = AskAgainForm(request.POST)
    if not form.is_valid():
        raise Http404
    number = form.cleaned_data["sample"]
    asking_again.queue_asking(project, [number] if number else None, by=request.user)
    messages.success(request, "People are asked again about the labels that have changed.")
    return redirect("labeling:samples", project.slug)


@require_GET
@page("sample.read")
def sample(request: PersonRequest, project: Project, number: int) -> HttpResponse:
    """One sample: its record, how far it is, and what anyone needs to draw it again."""
    made = get_object_or_404(project.draws.select_related("created_by"), number=number)
    so_far = samples.progress(project, [made])
    context = {"sample": made, "so_far": so_far, "steps": _steps(so_far), "may_draw": _may_draw(request, project)}
    return render(request, "labeling/sample.html", context)


def _context(request: PersonRequest, project: Project, form: DrawForm | None = None) -> dict[str, Any]:
    shown = Paginator(project.draws.order_by("-number"), SHOWN).get_page(request.GET.get("page"))
    so_far = samples.progress_of_each(shown.object_list)
    n_pages = project.items.active().count()
    first = {"size": min(n_pages, 200) or None, "overlap": project.overlap_for(Stream.GOLD)}
    work = Job.objects.filter(project=project, kind__in=FAILED)
    unfinished = list(work.unfinished().order_by("created_at"))
    failed = work.filter(state=Job.State.FAILED).order_by("-finished_at").first()
    if failed is not None and work.filter(kind=failed.kind, created_at__gt=failed.created_at).exists():
        failed = None
    total = samples.progress(project, samples.chosen_draws(project, None))
    may_draw = _may_draw(request, project)
    return {
        "rows": [(made, so_far[made.pk]) for made in shown],
        "page_obj": shown,
        "so_far": total,
        "waiting": _waiting(total),
        "n_pages": n_pages,
        "unfinished": unfinished,
        "failed": f"{FAILED[failed.kind]} {failed.message}" if failed else "",
        "form": form or DrawForm(initial=first),
        "may_draw": may_draw and n_pages > 0,
        "may_ask_again": may_draw and not unfinished,
    }


def _may_draw(request: PersonRequest, project: Project) -> bool:
    return permissions.may(request.user, "sample.draw", project, roles=request.roles)


def _steps(so_far: samples.Progress) -> str:
    """Where the pages of a sample are, as one sentence."""
    waiting = _waiting(so_far)
    if not waiting:
        return "Every page is settled."
    return f"{so_far.n_settled:,} of {so_far.n_items:,} pages are settled; {waiting}."


def _waiting(so_far: samples.Progress) -> str:
    """What the pages that are not settled wait for: "2 wait for an answer and 1 waits for a decision"."""
    parts = (
        (so_far.n_waiting - so_far.n_outdated, "an answer"),
        (so_far.n_outdated, "answers to labels that are new or have changed since"),
        (so_far.n_disputed, "a decision"),
    )
    return phrases.listed([f"{n:,} {'waits' if n == 1 else 'wait'} for {what}" for n, what in parts if n])
