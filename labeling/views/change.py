"""Changing one's own answers: step back through the last ones, and on to the page that was left."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods

from labeling import closing, judging, own_letters, own_work, schemas, suggestions
from labeling.forms.answers import AnswerForm
from labeling.forms.faults import Fault, marked, unplaced, wrong_fields
from labeling.judging import Answer
from labeling.models import Judgment, Project
from labeling.models.work import JudgmentQuerySet
from labeling.refusals import Stale, Unacceptable
from labeling.views.label_rows import rows_of, verdicts_in
from labeling.views.material import in_words, material
from labeling.web import PersonRequest, page

CHANGED_HEADING = gettext_noop("This answer was changed in another place meanwhile")


@require_GET
@page("judgment.read_own")
def change_last(request: PersonRequest, project: Project) -> HttpResponse:
    """To the newest of one's own answers that may be changed; My work says so where there is none."""
    last = own_work.revisable(project, request.user).values_list("pk", flat=True).first()
    if last is None:
        return redirect("labeling:mine", project.slug)
    return redirect(f"{reverse('labeling:change', args=[project.slug, last])}?back=annotate")


@require_http_methods(["GET", "POST"])
@page("judgment.revise_own")
def change(request: PersonRequest, project: Project, judgment_id: int) -> HttpResponse:
    """Show one's answer again; a POST appends the corrected one. The old answer is kept, superseded.

    The form says which version it shows: if another tab saved one meanwhile, both are shown and nothing is lost.
    """
    judgment = get_object_or_404(_own(request, project).select_related("item", "snapshot"), pk=judgment_id)
    head = judging.in_force(judgment)
    if head is None:
        return redirect("labeling:mine", project.slug)
    if request.method == "GET":
        closing.require_open(head)
        return _page(request, project, head, _draft(head))
    schema = schemas.by_id(head.schema_id)
    form = AnswerForm(request.POST, keys=_asked(head, schema))
    answer = form.answer()
    seen = request.POST.get("version") or None
    try:
        judging.revise(judgment, by=request.user, answer=answer, seen_version=seen)
    except Unacceptable as fault:
        faults = form.placed(fault.errors, schema=schema)
        return _page(request, project, head, answer.as_draft(), seen=seen, faults=faults, status=422)
    except Stale as stale:
        return _both(request, project, judgment, answer, stale)
    messages.success(request, _("Your corrected answer is saved."))
    return redirect("labeling:annotate" if _goes_on(request) else "labeling:mine", project.slug)


def _goes_on(request: PersonRequest) -> bool:
    """Whether the person came from a page to judge, by one key, and wants to go on there."""
    return request.GET.get("back") == "annotate"


def _both(request: PersonRequest, project: Project, judgment: Judgment, answer: Answer, stale: Stale) -> HttpResponse:
    """What is saved in words, what was sent in the form: sending it again replaces what is saved."""
    head = judging.in_force(judgment) or judgment
    said = in_words(head, schemas.by_id(head.schema_id))
    now = (
        _("What is saved now says: %(answer)s with the note “%(note)s”.")
        if head.note
        else _("What is saved now says: %(answer)s.")
    )
    faults = unplaced(
        now % {"answer": said, "note": head.note},
        _("What you chose here is below and not saved yet: save it to replace that, or leave it."),
    )
    draft, status = answer.as_draft(), stale.status
    return _page(request, project, head, draft, faults=faults, heading=_(CHANGED_HEADING), status=status)


def _own(request: PersonRequest, project: Project) -> JudgmentQuerySet:
    """Every revision of a person's answers here: an old tab knows an old one."""
    return Judgment.objects.filter(rater__user=request.user, rater__project=project)


def _draft(judgment: Judgment) -> dict[str, Any]:
    judged = judgment.outcome == Judgment.Outcome.JUDGED
    none = judged and not (judgment.yes or judgment.unsure)
    return {"yes": judgment.yes, "unsure": judgment.unsure, "none": none, "note": judgment.note if judged else ""}


def _asked(judgment: Judgment, schema: schemas.Schema) -> tuple[str, ...]:
    """The labels this answer is about, as they are shown: a database may keep the keys of the answer in any order."""
    asked = judgment.verdicts or schema.keys
    return tuple(label.key for label in schema.labels if label.key in asked)


def _page(
    request: PersonRequest, project: Project, judgment: Judgment, answer: dict[str, Any], *,
    seen: str | None = None, faults: Sequence[Fault] = (), heading: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    schema = schemas.by_id(judgment.schema_id)
    letters = own_letters.wanted_by(request.user, project)
    suggested = suggestions.seen_with(judgment)
    asked = _asked(judgment, schema)
    rows = rows_of(schema, asked, said=verdicts_in(answer), letters=letters, suggested=suggested)
    context = {
        "judgment": judgment,
        "page": material(judgment.item, judgment.snapshot, project=project),
        "labels": marked(rows, faults),
        "suggested": suggested,
        "none": answer["none"],
        "note": answer["note"],
        "guideline_number": schema.number,
        "idempotency_key": uuid.uuid4().hex,
        "version": seen or judging.version_of(judgment),
        "errors": faults,
        "wrong": wrong_fields(faults),
        "errors_heading": heading,
    }
    return render(request, "labeling/change.html", context | _ways(request, project, judgment), status=status)


def _ways(request: PersonRequest, project: Project, judgment: Judgment) -> dict[str, Any]:
    """Where one can go from here: an answer back, an answer on, and to the page that was left, which stays theirs."""
    goes_on = _goes_on(request)
    origin = reverse("labeling:annotate" if goes_on else "labeling:mine", args=[project.slug])
    steps = own_work.steps_from(judgment, project, request.user)
    back = "?back=annotate" if goes_on else ""

    def way(to: int | None) -> str:
        return f"{reverse('labeling:change', args=[project.slug, to])}{back}" if to else ""

    return {
        "goes_on": goes_on,
        "steps": steps,
        "ways": {
            "earlier": way(steps.earlier) if steps else "",
            "later": way(steps.later) if steps else "",
            "origin": origin,
        },
        "held": own_work.held_by(request.user, project) if goes_on else None,
    }
