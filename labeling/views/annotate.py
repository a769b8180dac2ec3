"""The page people judge on all day: one page, one screen, the next one in the same answer."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from labeling import drafts, idempotency, judging, own_letters, queue, schemas, suggestions, today, waiting
from labeling.answers import Answer
from labeling.forms.answers import AnswerForm
from labeling.forms.faults import Fault, marked, unplaced, wrong_fields
from labeling.models import Assignment, Draft, Project, User
from labeling.models.work import NOT_ASSESSABLE, SkipReason
from labeling.refusals import LeaseLost, NotKept, Refused, Stale, Unacceptable
from labeling.views import breaks
from labeling.views.flags import flag_form
from labeling.views.label_rows import rows_of, verdicts_in
from labeling.views.marks import person_mark, place_mark, require_same_person
from labeling.views.material import material
from labeling.web import PersonRequest, is_htmx, page, page_or_fragment

FLAG_FIELDS = ("kind", "label", "text")  # what one tells the managers: in the same form, and no part of the answer
TRANSIENT_FIELDS = {"csrfmiddlewaretoken", "active_seconds", "draft", *FLAG_FIELDS}
CHANGED_SINCE = gettext_noop(
    "Your answer to this page arrived the first time you sent it. What you changed since then is not saved: "
    "change your answer from My work."
)


class ChangedSince(Refused):
    """Another answer under the key of one that was taken: acknowledging it would drop it (409)."""

    code = "changed_since"


@require_GET
@page("queue.claim")
def annotate(request: PersonRequest, project: Project) -> HttpResponse:
    said = breaks.note(request, project, breaks.of(request)) | {"break_is_news": False}
    return _next_page(request, project, **said)


@require_POST
@page("judgment.create")
def submit(request: PersonRequest, project: Project, assignment_id: int) -> HttpResponse:
    """Record the answer and answer with the next page. The same form sent twice is one answer."""
    require_same_person(request)
    slot = _slot(request, project, assignment_id)
    form = AnswerForm(request.POST, keys=judging.asked_of(slot, by=request.user))
    seen = request.POST.get("draft")  # the version of the draft this page last knew; a script may say nothing
    try:
        _once(request, lambda: judging.submit(slot, by=request.user, answer=form.answer(), seen=seen))
    except Unacceptable as fault:
        faults = form.placed(fault.errors, schema=judging.question_of(slot, by=request.user))
        draft, why_not = kept(slot, request, form)
        said = {str(each) for each in faults}
        faults += [each for each in why_not if str(each) not in said]
        return again(request, project, slot, form, faults, draft=draft)
    except ChangedSince as refused:
        faults = unplaced(refused.sentence)
        heading = _("Your change is not saved")
        return again(request, project, slot, form, faults, heading=heading, status=refused.status)
    except NotKept as lost:
        return _gone(request, project, lost, only_here=form.answer())
    except LeaseLost as lost:
        return _gone(request, project, lost)
    return _onward(request, project)


@require_POST
@page("assignment.skip_own")
def skip(request: PersonRequest, project: Project, assignment_id: int) -> HttpResponse:
    """Pass the page on. A page nobody can judge is an outcome; every other reason only passes it to others."""
    require_same_person(request)
    slot = _slot(request, project, assignment_id)
    reason = request.POST.get("reason") or SkipReason.RATHER_NOT
    try:
        if reason in NOT_ASSESSABLE:
            judging.not_assessable(slot, by=request.user, reason=reason)
        else:
            judging.skip(slot, by=request.user, reason=reason)
    except LeaseLost as lost:
        return _gone(request, project, lost)
    return _onward(request, project)


@require_POST
@page("queue.release_own_lease")
def release(request: PersonRequest, project: Project, assignment_id: int) -> HttpResponse:
    """Stop here: the page goes back to everyone, the ticks stay as a draft."""
    queue.release(_slot(request, project, assignment_id), by=request.user)
    return redirect("labeling:projects")


# ---- what is shown next ---------------------------------------------------------------------------------------------
def _onward(request: PersonRequest, project: Project) -> HttpResponse:
    """htmx swaps the next page in; a plain form is sent on, so that reload does not submit again."""
    stretch = breaks.after_answer(request)
    if not is_htmx(request):
        return breaks.keep(redirect("labeling:annotate", project.slug), request, stretch)
    said = breaks.note(request, project, stretch)
    response = _next_page(request, project, **said)
    return breaks.keep(response, request, replace(stretch, is_said=bool(said["break_words"])))


def _next_page(request: PersonRequest, project: Project, **around: Any) -> HttpResponse:
    """The next page, or the sentence that there is none, with what is said around it."""
    slot = queue.lease_next(project, annotator=request.user)
    if slot is None:
        context = {"assignment": None, "reason": waiting.nothing_left(project, annotator=request.user)}
        return _render(request, project, context | around)
    draft = drafts.draft_of(slot, by=request.user)
    shown = judging.question_of(slot, by=request.user)
    letters = own_letters.wanted_by(request.user, project, slot=slot)
    answer = draft.answer if draft else {}
    said = suggestions.give(slot, to=request.user)
    context = _context(project, slot, answer, shown=shown, draft=draft, letters=letters, suggested=said)
    return _render(request, project, context | around)


def kept(slot: Assignment, request: PersonRequest, form: AnswerForm) -> tuple[Draft | None, list[Fault]]:
    """The ticks of a form as the draft, or why they stay on the screen alone: another device, or a note too long."""
    try:
        return drafts.save_draft(slot, by=request.user, answer=form.answer(), seen=request.POST.get("draft")), []
    except (Stale, Unacceptable) as why_not:
        return None, unplaced(why_not.sentence)


def again(
    request: PersonRequest, project: Project, slot: Assignment, form: AnswerForm, faults: list[Fault], *,
    draft: Draft | None = None, heading: str = "", status: int = 422, **more: Any,
) -> HttpResponse:  # fmt: skip
    """The same page with the ticks on the screen, the sentences on top and each beside what it is about.

    `draft`: what was kept of these ticks. Where nothing was, the page goes on knowing the version it knew before, so
    that another device's ticks are still asked about.
    """
    shown = judging.question_of(slot, by=request.user)
    letters = own_letters.wanted_by(request.user, project)
    answer = form.answer().as_draft()
    suggested = suggestions.given(slot, to=request.user)
    context = _context(
        project, slot, answer, shown=shown, draft=draft, letters=letters, suggested=suggested, faults=faults
    )
    if draft is None:
        seen = request.POST.get("draft")
        context["draft_version"] = drafts.version_of(drafts.draft_of(slot, by=request.user)) if seen is None else seen
        context["is_unsaved"] = status == Unacceptable.status
    said = {name: request.POST.get(name, "") for name in FLAG_FIELDS}
    context |= {"errors_heading": heading, "flag_said": said} | more
    return _render(request, project, context, status=status)


def _gone(
    request: PersonRequest, project: Project, lost: LeaseLost, *, only_here: Answer | None = None
) -> HttpResponse:
    """The page is someone else's now: only the sentence and the way on, and ticks that are kept nowhere else."""
    context = {"heading": _("This page is not yours any more"), "action": _("Next page"), "reason": lost.sentence}
    if only_here is not None:
        names = {label.key: label.name for label in schemas.in_force(project).labels}
        context |= {"only_here": drafts.in_words(only_here.as_draft(), names), "note": only_here.note}
    return _render(request, project, context | {"assignment": None, "is_lost": True}, status=lost.status)


def _render(request: PersonRequest, project: Project, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    context |= {
        "progress": progress(request.user, project),
        "focus": True,
        "comfort": request.user,
        "person": person_mark(request.user),
    }
    return page_or_fragment(request, "labeling/annotate.html", "labeling/_assignment.html", context, status=status)


def _context(
    project: Project,
    slot: Assignment,
    answer: dict[str, Any],
    *,
    shown: schemas.Schema,
    draft: Draft | None,
    letters: Mapping[str, str],
    suggested: Sequence[str] | None,
    faults: Sequence[Fault] = (),
) -> dict[str, Any]:
    asked = set(slot.asked or shown.keys)
    rows = rows_of(shown, asked, said=verdicts_in(answer), letters=letters, suggested=suggested)
    where = [project.slug, slot.pk]
    return {
        "assignment": slot,
        "lease_expires_at": slot.available_at,
        "page": material(slot.item, slot.snapshot, project=project),
        "labels": marked(rows, faults),
        "suggested": suggested,
        "errors": faults,
        "wrong": wrong_fields(faults),
        "none": bool(answer.get("none")),
        "confidence": answer.get("confidence") or "",
        "note": answer.get("note") or "",
        "guideline_number": shown.number,
        "idempotency_key": uuid.uuid4().hex,
        "place": place_mark(slot),
        "draft_saved_at": draft.saved_at if draft else None,
        "draft_version": drafts.version_of(draft),
        "reasons": skip_reasons(project),
        "urls": {
            "submit": reverse("labeling:submit", args=where),
            "skip": reverse("labeling:skip", args=where),
            "release": reverse("labeling:release", args=where),
            "draft": reverse("api:draft", args=[slot.pk]),
            "renew": reverse("api:renew", args=[slot.pk]),
        },
    } | flag_form(project, slot, shown.asked)


def skip_reasons(project: Project) -> list[tuple[str, str]]:
    """Why a page is passed on, beside the reason that nobody has to give; only that nobody can judge it, at times."""
    others = [(code, str(words)) for code, words in SkipReason.choices if code != SkipReason.RATHER_NOT]
    return others if project.may_skip else [(code, words) for code, words in others if code in NOT_ASSESSABLE]


def progress(user: User, project: Project) -> dict[str, Any]:
    """How many pages this person answered today here, their own goal and how far it is; if they wish."""
    found = today.of(user, project)
    if found is None:
        return {"is_hidden": True}
    return {"done_today": found.answers, "goal": found.goal, "pace": today.in_words(found)}


# ---- one slot, one form, one effect ---------------------------------------------------------------------------------
def _slot(request: PersonRequest, project: Project, assignment_id: int) -> Assignment:
    slot = queue.slot_of(request.user, assignment_id)
    if slot is None or slot.project_id != project.pk:
        raise Http404
    return slot


def _once(request: PersonRequest, work: Callable[[], object]) -> None:
    """Do the work unless the same form did it before: its key and its answer are stored together, or neither is.

    A copy that comes while the first is at work waits for it. Raises ChangedSince for another answer under its key.
    """
    key = request.POST.get("idempotency_key", "")[:64]
    if not key.isalnum():  # a form without a key is always fresh
        work()
        return
    fingerprint = _fingerprint(request)
    refused: Refused | None = None
    with transaction.atomic():
        row, fresh = idempotency.claim(request.user, f"page:{key}", fingerprint, status=201)
        if fresh:
            try:
                work()
            except Refused as why:  # nothing was done, so that a retry runs; ticks that were kept as a draft stay
                refused = why
                row.delete()
        elif row.request_sha256 != fingerprint:
            refused = ChangedSince(_(CHANGED_SINCE))
    if refused is not None:
        raise refused


def _fingerprint(request: PersonRequest) -> str:
    """SHA-256 of the answer itself: neither the CSRF token, new after a login, nor the clock makes it another one."""
    answer = sorted((name, value) for name, value in request.POST.items() if name not in TRANSIENT_FIELDS)
    return hashlib.sha256(json.dumps([request.path, answer]).encode()).hexdigest()
