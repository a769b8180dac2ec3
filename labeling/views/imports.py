"""Bring pages in: a file or a pasted list, then its progress and its report."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from labeling import imports, intake
from labeling.api.imports import as_ndjson
from labeling.models import Import, Job, Project
from labeling.refusals import Refused
from labeling.views.admission import takes_files
from labeling.web import PersonRequest, page, page_or_fragment

SHOWN_ROWS = 100
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what spreadsheets run as a formula


class PastedList(forms.CharField):
    """Text whose lines are judged one by one: a null character is the fault of its line, and no blank line is lost."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.validators = [check for check in self.validators if not isinstance(check, ProhibitNullCharactersValidator)]


class ImportForm(forms.Form):
    file = forms.FileField(
        label="A file",
        required=False,
        help_text="CSV with a column “url”, or NDJSON; plain or gzip. Columns title, text, external_id, language and "
        "captured_at are understood, all others are kept beside the page.",
    )
    pasted = PastedList(
        label="Or a pasted list",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=f"One address a line, {settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20} MiB at most; files may be larger.",
    )
    queue = forms.BooleanField(
        label="Have every new page judged",
        required=False,
        help_text="Otherwise the pages wait in the pool until a batch or a sample chooses them.",
    )
    assume_scheme = forms.BooleanField(
        label="Addresses without http:// or https:// are https",
        required=False,
        initial=True,
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors:
            return found
        if bool(found.get("file")) == bool((found.get("pasted") or "").strip()):
            raise forms.ValidationError("Choose a file or paste a list: one of the two.")
        return found

    def upload(self) -> dict[str, Any]:
        """What `imports.start` is to read."""
        found = self.cleaned_data
        if found["file"]:
            return {"chunks": found["file"].chunks(), "filename": found["file"].name}
        chunks, content_type = intake.pasted(found["pasted"])
        return {"chunks": chunks, "content_type": content_type}


@require_http_methods(["GET", "POST"])
@page("item.import")
@takes_files
def start(request: PersonRequest, project: Project) -> HttpResponse:
    is_sent = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if is_sent else ImportForm()
    if is_sent and form.is_valid():
        try:
            run = imports.start(
                project, by=request.user, queue=form.cleaned_data["queue"],
                assume_scheme="https" if form.cleaned_data["assume_scheme"] else "", **form.upload(),
            )  # fmt: skip
            return redirect("labeling:import_report", project.slug, run.pk)
        except Refused as refused:
            form.add_error("file" if form.cleaned_data["file"] else "pasted", refused.sentence)
    recent = Import.objects.filter(project=project).select_related("job").order_by("-created_at")[:10]
    context = {"form": form, "recent": [(run, imports.in_words(run)) for run in recent]}
    return render(request, "labeling/import.html", context, status=422 if form.errors else 200)


@require_GET
@page("import.read_report")
def report(request: PersonRequest, project: Project, job_id: Any) -> HttpResponse:
    """Progress while it runs, then what became of the rows."""
    run = _run(project, job_id)
    refused = list(run.refused.order_by("number")[:SHOWN_ROWS])
    notes, n_notes = list(run.notes.order_by("number")[:SHOWN_ROWS]), run.notes.count()
    context = {
        "run": run,
        "job": run.job,
        "words": imports.in_words(run),
        "counts": {name: f"{value:,}" for name, value in imports.counts_of(run).items()},
        "refused": refused,
        "n_hidden": run.rows_refused - len(refused),
        "notes": notes,
        "n_notes": f"{n_notes:,}",
        "n_notes_hidden": n_notes - len(notes),
        "is_over": run.job.state not in (Job.State.QUEUED, Job.State.RUNNING),
    }
    return page_or_fragment(request, "labeling/import_report.html", "labeling/_import_progress.html", context)


@require_GET
@page("import.read_report")
def refused(request: PersonRequest, project: Project, job_id: Any, form: str) -> StreamingHttpResponse:
    """The refused rows as a file: NDJSON as they are, CSV safe for spreadsheets."""
    run = _run(project, job_id)
    if form not in {"csv", "ndjson"}:
        raise Http404
    rows, content_type = (_as_csv(run), "text/csv") if form == "csv" else (as_ndjson(run), "application/x-ndjson")
    response = StreamingHttpResponse(rows, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{run.pk}.{form}"'
    return response


def _run(project: Project, job_id: Any) -> Import:
    return get_object_or_404(Import.objects.select_related("job"), project=project, pk=job_id)


class _Line:
    """What csv.writer writes to: gives the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _as_csv(run: Import) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(["line", "reason", "raw"])
    for row in imports.refused_rows(run):
        yield writer.writerow([row["line"], row["reason"], _inert(row["raw"])])


def _inert(cell: str) -> str:
    """A cell no spreadsheet runs: an apostrophe before what begins like a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(RISKY) else cell
