"""How people do, as managers see it: the pool of known answers, scores with their intervals, pauses."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from labeling import honeypots, pauses, permissions, person_quality, phrases, schemas
from labeling.forms.quality import KnownPageForm, PauseForm, PlaceForm
from labeling.models import Honeypot, Project, User
from labeling.person_quality import PersonQuality
from labeling.plots import Forest, Scale
from labeling.quality.intervals import Estimate
from labeling.refusals import Refused, Unacceptable
from labeling.views import anchoring
from labeling.views.figures import consistency_rows
from labeling.views.material import address
from labeling.web import PersonRequest, page

AXIS = Forest(Scale(0.0, 1.0))
TICKS = (0, 0.25, 0.5, 0.75, 1)


# ---- people ---------------------------------------------------------------------------------------------------------
@require_safe
@page("annotator.pause_reinstate")
def quality(request: PersonRequest, project: Project) -> HttpResponse:
    return _quality(request, project)


def _quality(
    request: PersonRequest, project: Project, *, form: PauseForm | None = None, status: int = 200
) -> HttpResponse:
    people = person_quality.of_everyone(project)
    paused = [row for row in people if row.is_paused]
    context = {
        "headline": _headline(people, paused),
        "rows": [person_row(row) for row in people],
        "paused": [person_row(row) for row in paused],
        "bar": AXIS.scale.percent(project.pause_below) if project.pause_below is not None else "",
        "bar_words": phrases.number(project.pause_below) if project.pause_below is not None else "",
        "ticks": [(AXIS.scale.percent(value), f"{value:g}") for value in TICKS],
        "lacking": honeypots.lacking(project),
        "counts": honeypots.counts(project),
        "may_manage": permissions.may(request.user, "honeypot.manage", project, roles=request.roles),
        "anchoring": anchoring.section(project),
        "pause_form": form or _pause_form(people),
    }
    return render(request, "labeling/quality.html", context, status=status)


def _pause_form(people: list[PersonQuality], data: Any = None) -> PauseForm:
    return PauseForm(data, people=[row.user for row in people if not row.is_paused], auto_id="pause_%s")


def _headline(people: list[PersonQuality], paused: list[PersonQuality]) -> str:
    if paused:
        who = phrases.listed([row.user.username for row in paused])
        return f"{who} {'is' if len(paused) == 1 else 'are'} paused and cannot go on without you"
    known = sum(row.known.n for row in people)
    if not known:
        return "Nobody has answered a page with a known answer yet"
    return f"Nobody is paused; {phrases.counted(known, 'answer')} to pages with known answers so far"


def person_row(row: PersonQuality) -> dict[str, Any]:
    return {
        "user": row.user,
        "desk": row.desk,
        "is_paused": row.is_paused,
        "mark": AXIS.interval(row.known),
        "known": phrases.estimate(row.known),
        "value": phrases.number(row.known.value) if row.known.value is not None else "",
        "n": row.known.n,
        "too_few": _none_yet(row.known),
        "first_pages": phrases.estimate(row.first_pages) if row.first_pages.n else "",
        "pages_again": phrases.estimate(row.consistency.pages) if row.consistency else "",
        "n_again": row.consistency.pages.n if row.consistency else 0,
        "labels": consistency_rows(row.consistency),
    }


def _none_yet(found: Estimate) -> str:
    return "no page with a known answer yet" if not found.n else ""


@require_POST
@page("annotator.pause_reinstate")
def pause(request: PersonRequest, project: Project) -> HttpResponse:
    form = _pause_form(person_quality.of_everyone(project), request.POST)
    if not form.is_valid():
        return _quality(request, project, form=form, status=422)
    person = _person(project, form.cleaned_data["person"])
    pauses.pause(project, person, by=request.user, detail=form.cleaned_data["detail"])
    messages.success(request, f"{person} is paused. The page they have open stays theirs.")
    return redirect("labeling:quality", project.slug)


@require_POST
@page("annotator.pause_reinstate")
def reinstate(request: PersonRequest, project: Project, user_id: int) -> HttpResponse:
    person = _person(project, user_id)
    pauses.reinstate(project, person, by=request.user)
    messages.success(request, f"{person} can go on. What was before does not pause them again.")
    return redirect("labeling:quality", project.slug)


def _person(project: Project, user_id: int) -> User:
    return get_object_or_404(person_quality.people(project), pk=user_id)


# ---- the pool -------------------------------------------------------------------------------------------------------
@require_GET
@page("honeypot.manage")
def pool(request: PersonRequest, project: Project) -> HttpResponse:
    return _pool(request, project, initial={"item": request.GET.get("item", "")})


@require_POST
@page("honeypot.manage")
def add(request: PersonRequest, project: Project) -> HttpResponse:
    schema = schemas.in_force(project)
    form = KnownPageForm(request.POST, schema=schema, auto_id="known_%s")
    if not form.is_valid():
        return _pool(request, project, form=form, status=422)
    given = form.cleaned_data
    try:
        item = honeypots.find_item(project, given["item"])
        honeypots.add(item, by=request.user, verdicts=form.verdicts(), explanation=given["explanation"],
                      is_onboarding=given["is_onboarding"])  # fmt: skip
    except Unacceptable as refused:
        form.add_error("item", refused.sentence)
        return _pool(request, project, form=form, status=422)
    except Refused as refused:
        form.add_error("item", refused.sentence)
        return _pool(request, project, form=form, status=refused.status)
    messages.success(request, f"{item.host} is in the pool. Nobody is asked about it as ordinary work.")
    return redirect("labeling:known_pages", project.slug)


@require_http_methods(["GET", "POST"])
@page("honeypot.manage")
def change(request: PersonRequest, project: Project, honeypot_id: int) -> HttpResponse:
    """Another explanation, another place. What is right on the page is shown and stays."""
    known = get_object_or_404(Honeypot.objects.select_related("item", "project"), pk=honeypot_id, project=project)
    initial = {"explanation": known.explanation, "is_onboarding": known.is_onboarding}
    form = PlaceForm(request.POST or None, initial=initial, auto_id="known_%s")
    if request.method == "POST" and form.is_valid():
        honeypots.change(known, by=request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("labeling:known_pages", project.slug)
    context = {"form": form, "row": _known_row(known, project)}
    return render(request, "labeling/known_page.html", context, status=422 if form.errors else 200)


@require_POST
@page("honeypot.manage")
def retire(request: PersonRequest, project: Project, honeypot_id: int) -> HttpResponse:
    known = get_object_or_404(Honeypot.objects.select_related("item", "project"), pk=honeypot_id, project=project)
    honeypots.retire(known, by=request.user)
    messages.success(request, "Nobody is given it any more. Whoever answered it is told what is right.")
    return redirect("labeling:known_pages", project.slug)


def _pool(
    request: PersonRequest, project: Project, *, form: KnownPageForm | None = None,
    initial: dict[str, str] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    schema = schemas.in_force(project)
    rows = [_known_row(known, project) for known in honeypots.pool(project)]
    context = {
        "rows": [row for row in rows if not row["known"].retired_at],
        "retired": [row for row in rows if row["known"].retired_at],
        "counts": honeypots.counts(project),
        "lacking": honeypots.lacking(project),
        "form": form or KnownPageForm(schema=schema, initial=initial, auto_id="known_%s"),
    }
    return render(request, "labeling/known_pages.html", context, status=status)


def _known_row(known: Honeypot, project: Project) -> dict[str, Any]:
    schema = schemas.by_id(known.schema_id)
    yes = [key for key, verdict in known.verdicts.items() if verdict == "yes"]
    return {
        "known": known,
        "address": address(known.item, project=project),
        "words": ", ".join(f"{name} yes" for name in schema.names(yes)) or "None of these",
        "n_labels": len(known.verdicts),
        "people": phrases.counted(getattr(known, "n_answers", 0), "person", "people"),
    }
