"""My work: what waits for a person in a project, what they may still change, what they did. One section a part.

A section is a function that gathers what one fragment shows, `labeling/_mine_<name>.html` with that in `found`; to add
one, add a line to SECTIONS and the fragment. A section that finds nothing to show answers None and is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling import (
    drafts,
    exposure_reports,
    flags,
    opt_outs,
    outcomes,
    own_letters,
    own_work,
    person_quality,
    returned,
    schemas,
)
from labeling.forms.care import OptOutForm
from labeling.models import Comment, Draft, Honeypot, Judgment, Project, User
from labeling.phrases import duration, estimate, listed, share
from labeling.refusals import Refused
from labeling.views.annotate import progress
from labeling.views.exposure import pages_of
from labeling.views.figures import consistency_rows
from labeling.views.flags import row as flag_row
from labeling.views.material import address, in_words
from labeling.web import PersonRequest, page

ANSWERS_A_PAGE = 20
DRAFTS_SHOWN = 50
TOLD_SHOWN = 20
RETURNED_SHOWN = 20
DECIDED_SHOWN = 20

Found = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    gather: Callable[[PersonRequest, Project], Found]
    aside: bool = False  # beside the work, not in it


@require_GET
@page("judgment.read_own")
def mine(request: PersonRequest, project: Project) -> HttpResponse:
    shown = [
        {"template": f"labeling/_mine_{section.name}.html", "found": found, "aside": section.aside}
        for section in SECTIONS
        if (found := section.gather(request, project)) is not None
    ]
    return render(request, "labeling/mine.html", {"sections": shown, "progress": progress(request.user, project)})


# ---- to do ----------------------------------------------------------------------------------------------------------
def to_do(request: PersonRequest, project: Project) -> Found:
    waits = own_work.waiting_for(project, request.user)
    held = address(waits.held.item, project=project) if waits.held else ""
    return {"held": held, "lease": waits.held, "is_put_by": waits.is_put_by, "sentence": waits.sentence}


# ---- drafts ---------------------------------------------------------------------------------------------------------
def kept_drafts(request: PersonRequest, project: Project) -> Found:
    """What was begun and is no answer yet."""
    kept = list(drafts.kept_by(request.user, project)[: DRAFTS_SHOWN + 1])
    if not kept:
        return None
    names = {label.key: label.name for label in schemas.in_force(project).labels}
    rows = [
        {
            "draft": draft,
            "address": address(draft.item, project=project),
            "words": drafts.in_words(draft.answer, names),
            "standing": drafts.standing(draft),
        }
        for draft in kept[:DRAFTS_SHOWN]
    ]
    return {"rows": rows, "more": len(kept) > DRAFTS_SHOWN, "shown": DRAFTS_SHOWN}


@require_POST
@page("queue.claim")
def go_on(request: PersonRequest, project: Project, draft_id: int) -> HttpResponse:
    """Lease exactly the page of a draft; My work says so where it is not to be had."""
    try:
        drafts.go_on(_own_draft(request, project, draft_id), by=request.user)
    except Refused as refused:
        messages.warning(request, refused.sentence)
        return redirect("labeling:mine", project.slug)
    return redirect("labeling:annotate", project.slug)


@require_POST
@page("draft.save_own")
def throw_away(request: PersonRequest, project: Project, draft_id: int) -> HttpResponse:
    drafts.throw_away(_own_draft(request, project, draft_id))
    messages.success(request, _("The draft is thrown away."))
    return redirect("labeling:mine", project.slug)


def _own_draft(request: PersonRequest, project: Project, draft_id: int) -> Draft:
    return get_object_or_404(drafts.of_person(request.user, project), pk=draft_id)


# ---- what came back --------------------------------------------------------------------------------------------------
def came_back(request: PersonRequest, project: Project) -> Found:
    """Pages to judge once more, and what the managers answered since I read it."""
    pages = list(returned.pages(project, request.user)[: RETURNED_SHOWN + 1])
    reader = flags.reader(request.user, project, roles=request.roles)
    answered = list(returned.answers(project, reader)[: RETURNED_SHOWN + 1])
    return {
        "pages": [
            {"address": address(slot.item, project=project), "message": returned.message_with(slot)}
            for slot in pages[:RETURNED_SHOWN]
        ],
        "answers": [flag_row(flag, project) for flag in answered[:RETURNED_SHOWN]],
        "more": max(len(pages), len(answered)) > RETURNED_SHOWN,
        "shown": RETURNED_SHOWN,
    }


def decided(request: PersonRequest, project: Project) -> Found:
    """What was decided on pages this person answered."""
    rows = [_decided_row(outcome, project) for outcome in outcomes.of(project, request.user, most=DECIDED_SHOWN)]
    return {"rows": rows} if rows else None


def _decided_row(outcome: outcomes.Outcome, project: Project) -> dict[str, str]:
    schema, verdict = schemas.by_id(outcome.decision.schema_id), {"yes": _("yes"), "no": _("no"), "unsure": _("unsure")}
    names = {label.key: label.name for label in schema.labels}
    parts = [
        _("%(name)s: %(right)s, and you said %(said)s")
        % {"name": names.get(key, key), "right": verdict[right], "said": verdict[said]}
        for key, (said, right) in outcome.differ.items()
    ]
    words = listed(parts, most=8) if parts else ""
    return {"address": address(outcome.item, project=project), "words": words, "note": outcome.decision.note}


# ---- what I told the managers ---------------------------------------------------------------------------------------
def told(request: PersonRequest, project: Project) -> Found:
    """Own flags, those with an answer first said so; nobody else's."""
    reader = flags.reader(request.user, project, roles=request.roles)
    own = flags.listed(project, reader).filter(raised_by=request.user).order_by("-pk")[:TOLD_SHOWN]
    answers = {
        each.flag_id: each.text
        for each in Comment.objects.filter(flag__in=[flag.pk for flag in own]).exclude(author=request.user)
    }
    rows = [flag_row(flag, project) | {"answer": answers.get(flag.pk, "")} for flag in own]
    return {"rows": rows} if rows else None


# ---- answers that may still be changed ------------------------------------------------------------------------------
def done(request: PersonRequest, project: Project) -> Found:
    """A page of them; whether there is another is found by one row more."""
    number = _page_number(request)
    start = (number - 1) * ANSWERS_A_PAGE
    answers = list(own_work.revisable(project, request.user)[start : start + ANSWERS_A_PAGE + 1])
    return {
        "rows": [_answer_row(judgment, project) for judgment in answers[:ANSWERS_A_PAGE]],
        "is_first": number == 1,
        "earlier_url": f"?page={number - 1}#done" if number > 1 else "",
        "more_url": f"?page={number + 1}#done" if len(answers) > ANSWERS_A_PAGE else "",
    }


def _page_number(request: PersonRequest) -> int:
    raw = request.GET.get("page", "1")
    return max(1, int(raw)) if raw.isascii() and raw.isdigit() and len(raw) < 7 else 1


def _answer_row(judgment: Judgment, project: Project) -> dict[str, Any]:
    return {
        "judgment": judgment,
        "address": address(judgment.item, project=project),
        "words": in_words(judgment, schemas.by_id(judgment.schema_id)),
        "url": reverse("labeling:change", args=[project.slug, judgment.pk]),
    }


# ---- figures and comfort --------------------------------------------------------------------------------------------
def figures(request: PersonRequest, project: Project) -> Found:
    if not request.user.shows_figures:
        return {"is_hidden": True}
    own = own_work.figures(project, request.user)
    if not own.days and not own.skips:
        return None
    return {
        "own": own,
        "active": duration(own.active_seconds),
        "none_share": share(own.none_share) if own.none_share else "",
        "n_days": own_work.FIGURE_DAYS,
        "days": [{"day": row.day, "answers": row.answers, "active": duration(row.active_seconds)} for row in own.days],
    }


@require_POST
@page("desk.set_own")
def show_figures(request: PersonRequest, project: Project) -> HttpResponse:
    """See one's own figures beside the work, or see none of them; back to where that was asked."""
    User.objects.filter(pk=request.user.pk).update(shows_figures=request.POST.get("show") == "1")
    return redirect("labeling:annotate" if request.POST.get("back") == "annotate" else "labeling:mine", project.slug)


def known(request: PersonRequest, project: Project) -> Found:
    """How they do on known answers and with themself: only what is closed, and only for them."""
    own = person_quality.shown_to(project, request.user)
    if own.is_empty:
        return None
    again = own.consistency
    return {
        "known": estimate(own.known) if own.known.value is not None else "",
        "n": own.known.n,
        "examples": [_missed_row(one.missed, page, project) for one, page in own.examples],
        "pages_again": estimate(again.pages) if again else "",
        "labels": consistency_rows(again),
    }


def _missed_row(missed: Sequence[str], page: Honeypot, project: Project) -> dict[str, str]:
    schema = schemas.by_id(page.schema_id)
    yes, no = _("%(name)s: yes"), _("%(name)s: no")
    right = [(yes if page.verdicts[key] == "yes" else no) % {"name": schema.label(key).name} for key in missed]
    return {
        "address": address(page.item, project=project),
        "right": _("Right is %(these)s") % {"these": listed(right, most=8)},
        "explanation": page.explanation,
    }


def comfort(request: PersonRequest, project: Project) -> Found:
    return {"person": request.user}


def letters(request: PersonRequest, project: Project) -> Found:
    schema = schemas.in_force_if_any(project)
    if schema is None or not schema.asked:
        return None
    shown = own_letters.of(schema, own_letters.wanted_by(request.user, project))
    own = [(label.name, shown[label.key]) for label in schema.asked if shown.get(label.key, "") != label.shortcut]
    return {"own": own, "n_without": len(schema.asked) - len(shown)}


def care(request: PersonRequest, project: Project) -> Found:
    chosen = opt_outs.of(project, request.user)
    form = OptOutForm(project=project, initial={"opted_out": chosen}) if opt_outs.choices(project) else None
    return {"form": form} if form or project.help_text or project.help_contact else None


def exposure(request: PersonRequest, project: Project) -> Found:
    """Where there is nothing to bear and no budget, nothing is said."""
    own = exposure_reports.own(project, request.user)
    if not own.points and project.exposure_per_day is None:
        return None
    return {"own": own, "budget": project.exposure_per_day, "rows": [(day, pages_of(day)) for day in own.days]}


SECTIONS = (
    Section("todo", to_do),
    Section("returned", came_back),
    Section("drafts", kept_drafts),
    Section("told", told),
    Section("done", done),
    Section("decided", decided),
    Section("quality", known),
    Section("figures", figures, aside=True),
    Section("letters", letters, aside=True),
    Section("care", care, aside=True),
    Section("exposure", exposure, aside=True),
    Section("comfort", comfort, aside=True),
)
