"""My work: a person's own last answers in a project, each with a way to change it."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from labeling import judging, schemas
from labeling.forms.answers import AnswerForm
from labeling.models import Judgment, Project
from labeling.refusals import Unacceptable
from labeling.views.annotate import progress
from labeling.views.material import address, label_row, material
from labeling.web import PersonRequest, page

LAST = 20


@require_GET
@page("judgment.read_own")
def mine(request: PersonRequest, project: Project) -> HttpResponse:
    own = _own(request, project).select_related("item").order_by("-submitted_at", "-id")[:LAST]
    rows = [_row(judgment, project) for judgment in own]
    return render(request, "labeling/mine.html", {"rows": rows, "progress": progress(request.user, project)})


@require_http_methods(["GET", "POST"])
@page("judgment.revise_own")
def change(request: PersonRequest, project: Project, judgment_id: int) -> HttpResponse:
    """Show one's answer again; a POST appends the corrected one. The old answer is kept, superseded."""
    judgment = get_object_or_404(_own(request, project).select_related("item", "snapshot"), pk=judgment_id)
    if request.method == "GET":
        return _page(request, project, judgment, _draft(judgment))
    asked = tuple(judgment.verdicts) or schemas.by_id(judgment.schema_id).keys
    answer = AnswerForm(request.POST, keys=asked).answer()
    try:
        judging.revise(judgment, by=request.user, answer=answer)
    except Unacceptable as fault:
        errors = [error["detail"] for error in fault.errors]
        return _page(request, project, judgment, answer.as_draft(), errors=errors, status=422)
    return redirect("labeling:mine", project.slug)


def _own(request: PersonRequest, project: Project):
    return Judgment.objects.current().filter(rater__user=request.user, rater__project=project)


def _row(judgment: Judgment, project: Project) -> dict[str, Any]:
    schema = schemas.by_id(judgment.schema_id)
    return {
        "judgment": judgment,
        "address": address(judgment.item, project=project),
        "words": in_words(judgment, schema),
        "url": reverse("labeling:change", args=[project.slug, judgment.pk]),
    }


def in_words(judgment: Judgment, schema: schemas.Schema) -> str:
    """The answer as one line: "Games yes, News unsure", or that none holds, or why the page could not be judged."""
    if judgment.outcome == Judgment.Outcome.NOT_ASSESSABLE:
        return f"Nobody can judge it: {judgment.note[0].lower()}{judgment.note[1:]}" if judgment.note else "Not judged"
    named = [f"{schema.label(key).name} yes" for key in judgment.yes]
    named += [f"{schema.label(key).name} unsure" for key in judgment.unsure]
    return ", ".join(named) or "None of these"


def _draft(judgment: Judgment) -> dict[str, Any]:
    judged = judgment.outcome == Judgment.Outcome.JUDGED
    none = judged and not (judgment.yes or judgment.unsure)
    return {"yes": judgment.yes, "unsure": judgment.unsure, "none": none, "note": judgment.note if judged else ""}


def _page(
    request: PersonRequest, project: Project, judgment: Judgment, answer: dict[str, Any], *,
    errors: list[str] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    schema = schemas.by_id(judgment.schema_id)
    asked = set(judgment.verdicts or schema.keys)
    value = dict.fromkeys(answer["yes"], "yes") | dict.fromkeys(answer["unsure"], "unsure")
    context = {
        "judgment": judgment,
        "page": material(judgment.item, judgment.snapshot, project=project),
        "labels": [label_row(label, value=value.get(label.key, "no")) for label in schema.labels if label.key in asked],
        "none": answer["none"],
        "note": answer["note"],
        "guideline_number": schema.number,
        "idempotency_key": uuid.uuid4().hex,
        "errors": errors or [],
    }
    return render(request, "labeling/change.html", context, status=status)
