"""Releases: what stops the next one, freezing it, and what was released."""

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from labeling import asking_again, jobs, permissions, readiness, released, releases, verification
from labeling.models import GoldRelease, Job, Project
from labeling.refusals import Refused, Unacceptable
from labeling.web import PersonRequest, page, page_or_fragment

RAISED = (("auto", "the version the changes need"), ("minor", "at least a minor version"), ("major", "a major version"))


class FreezeForm(forms.Form):
    notes = forms.CharField(
        label="Notes", required=False, max_length=readiness.MAX_NOTES, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What a reader of this version should know. They stand in its CHANGES.md for ever.",
    )  # fmt: skip
    bump = forms.ChoiceField(label="Version", choices=RAISED, required=False)


@require_GET
@page("release.list_read")
def release_list(request: PersonRequest, project: Project) -> HttpResponse:
    return page_or_fragment(request, "labeling/releases.html", "labeling/_releases.html", _context(request, project))


@require_POST
@page("release.cut")
def freeze(request: PersonRequest, project: Project) -> HttpResponse:
    form = FreezeForm(request.POST)
    status = 422
    if form.is_valid():
        wanted = readiness.Request(bump=form.cleaned_data["bump"] or "auto", notes=form.cleaned_data["notes"])
        try:
            releases.queue_freeze(project, wanted, by=request.user)
        except Unacceptable as fault:
            form.add_error(None, fault.sentence)
        except Refused as refused:
            form.add_error(None, refused.sentence)
            status = refused.status
        else:
            messages.success(request, "The next version is being frozen.")
            return redirect("labeling:releases", project.slug)
    return render(request, "labeling/releases.html", _context(request, project, form), status=status)


@require_GET
@page("release.list_read")
def release(request: PersonRequest, project: Project, version: str) -> HttpResponse:
    """One version: its digest, what changed, its files."""
    found = released.find(project, version)
    if found is None:
        raise Http404
    context = {
        "release": found,
        "files": found.files.select_related("blob").defer("blob__content"),
        "change": released.n_changes(found) if found.parent else None,
        "is_latest": found == released.latest(project),
        "outcomes": _outcomes(found),
        "may_download": _may(request, "release.download"),
        "may_verify": _may(request, "release.verify"),
    }
    return render(request, "labeling/release.html", context)


def _outcomes(found: GoldRelease) -> list[tuple[str, int]]:
    words = {"labelled": "with labels", "not_assessable": "that nobody could judge", "withdrawn": "withdrawn since"}
    return [(words[outcome], n) for outcome, n in sorted(released.n_outcomes(found).items())]


@require_GET
@page("release.verify")
def verifier(request: PersonRequest, project: Project) -> FileResponse:
    """The one file that checks a release without this product: whoever receives a release takes it along."""
    script = Path(verification.__file__)
    return FileResponse(script.open("rb"), as_attachment=True, filename=script.name, content_type="text/x-python")


def _context(request: PersonRequest, project: Project, form: FreezeForm | None = None) -> dict[str, Any]:
    unfinished = Job.objects.unfinished().filter(project=project, kind="freeze").first()
    newest = jobs.newest(project, "freeze")
    may_freeze = _may(request, "release.cut")
    return {
        "releases": list(project.releases.select_related("created_by")),
        "standing": None if unfinished else readiness.standing(project),
        "unfinished": unfinished,
        "is_recounting": asking_again.is_recounting(project),
        "failed": newest if newest and newest.state == Job.State.FAILED else None,
        "form": form or FreezeForm(initial={"bump": "auto"}),
        "may_freeze": may_freeze,
        "may_sample": _may(request, "sample.read"),
        "may_ask_again": _may(request, "sample.draw"),
        "may_annotate": _may(request, "queue.claim"),
        "may_adjudicate": _may(request, "adjudication.list"),
    }


def _may(request: PersonRequest, action: str) -> bool:
    return permissions.may(request.user, action, request.project, roles=request.roles)
