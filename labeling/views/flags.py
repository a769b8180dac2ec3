"""Flags: read and settled in an inbox, followed in one thread."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling import flags, permissions, schemas
from labeling.models import Assignment, Flag, FlagKind, Label, Project
from labeling.refusals import Refused, Unacceptable
from labeling.views.material import address
from labeling.web import PersonRequest, page

SHOWN = 100


def flag_form(project: Project, slot: Assignment, labels: Iterable[Label]) -> dict[str, Any]:
    """What the small form on the annotate page offers."""
    return {
        "flag_kinds": [*FlagKind.choices],
        "flag_labels": [(label.key, label.name) for label in labels],
        "flag_url": reverse("labeling:flag_raise", args=[project.slug, slot.pk]),
    }


# ---- the inbox ------------------------------------------------------------------------------------------------------
@require_GET
@page("flag.resolve")
def inbox(request: PersonRequest, project: Project) -> HttpResponse:
    """Open first. Of pages one may still be given, only that somebody said something."""
    reader = _reader(request, project)
    found = flags.in_order(flags.listed(project, reader), reader)
    n_open = Flag.objects.open().filter(project=project).count()
    rows = [row(flag, project) for flag in found[: SHOWN + 1]]
    context = {"rows": rows[:SHOWN], "more": len(rows) > SHOWN, "shown": SHOWN, "n_open": n_open, "reader": reader}
    return render(request, "labeling/flags.html", context)


def row(flag: Flag, project: Project) -> dict[str, Any]:
    """One flag in a list. What is veiled says no more than that it is there."""
    veiled = flag.veiled  # type: ignore[attr-defined]  # annotated by flags.listed
    return {
        "flag": flag,
        "veiled": veiled,
        "is_new": flag.is_new,  # type: ignore[attr-defined]
        "title": _("Somebody said something about this page") if veiled else _title(flag, project),
        "address": address(flag.item, project=project),
        "url": reverse("labeling:flag", args=[project.slug, flag.pk]),
    }


def _title(flag: Flag, project: Project) -> str:
    names = {label.key: label.name for label in schemas.in_force(project).labels}
    kind = str(FlagKind(flag.kind).label)
    return f"{kind}: {names.get(flag.label, flag.label)}" if flag.label else kind


# ---- one thread -----------------------------------------------------------------------------------------------------
@require_GET
@page("flag.read")
def thread(request: PersonRequest, project: Project, flag_id: int) -> HttpResponse:
    reader = _reader(request, project)
    flag = flags.opened(_flag(project, reader, flag_id), reader)
    flags.mark_read(flag, reader)
    return _thread(request, project, flag, reader)


@require_POST
@page("flag.comment")
def comment(request: PersonRequest, project: Project, flag_id: int) -> HttpResponse:
    reader = _reader(request, project)
    flag = flags.opened(_flag(project, reader, flag_id), reader)
    text = request.POST.get("text", "")
    try:
        flags.comment(flag, by=request.user, text=text)
    except Unacceptable as fault:
        return _thread(request, project, flag, reader, wrong=fault.sentence, text=text)
    messages.success(request, _("Your message is sent."))
    return redirect("labeling:flag", project.slug, flag.pk)


@require_POST
@page("flag.resolve")
def resolve(request: PersonRequest, project: Project, flag_id: int) -> HttpResponse:
    reader = _reader(request, project)
    flag = flags.opened(_flag(project, reader, flag_id), reader)
    text, decision = request.POST.get("text", ""), request.POST.get("decision", "")
    try:
        flags.resolve(flag, by=request.user, text=text, decision=decision, decides=reader.decides)
    except Unacceptable as fault:
        return _thread(request, project, flag, reader, wrong=fault.sentence, text=text)
    except Refused as refused:
        messages.warning(request, refused.sentence)
        return redirect("labeling:flag", project.slug, flag.pk)
    messages.success(request, _("This is settled."))
    return redirect("labeling:flags", project.slug)


def _thread(
    request: PersonRequest, project: Project, flag: Flag, reader: flags.Reader, *, wrong: str = "", text: str = ""
) -> HttpResponse:
    said = [
        {"who": flags.who_said(each.author, flag, reader), "text": each.text, "at": each.written_at}
        for each in flag.comments.select_related("author")
    ]
    reads_items = permissions.may(request.user, "item.list", project, roles=request.roles)
    context = {
        "flag": flag,
        "title": _title(flag, project),
        "address": address(flag.item, project=project),
        "raised_by": flags.who_said(flag.raised_by, flag, reader),
        "comments": said,
        "reader": reader,
        "to_decide": flags.waits_for_decision(flag, flag.item),
        "item_url": reverse("labeling:item", args=[project.slug, flag.item.public_id]) if reads_items else "",
        "wrong": wrong,
        "text": text,
        "max_text": flags.MAX_TEXT,
    }
    return render(request, "labeling/flag.html", context, status=422 if wrong else 200)


def _reader(request: PersonRequest, project: Project) -> flags.Reader:
    return flags.reader(request.user, project, roles=request.roles)


def _flag(project: Project, reader: flags.Reader, flag_id: int) -> Flag:
    return get_object_or_404(flags.listed(project, reader), pk=flag_id)
