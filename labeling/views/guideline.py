"""Where the guideline fails: labels people mix up as a matrix and in sentences, and each label beside its pages."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from labeling import flags, guideline_report, permissions, phrases, schemas, summaries
from labeling.guideline_report import Confusion, Contested, Page, Report
from labeling.models import Label, Project, Stream
from labeling.plots import Forest, Scale
from labeling.views.csv_files import csv_file, ends
from labeling.views.figures import TICKS_OF_SHARES
from labeling.views.material import address, label_row
from labeling.web import PersonRequest, page

AXIS = Forest(Scale(0.0, 1.0))
IN_MATRIX = 12
HEAT_STEPS = (0.02, 0.08, 0.16, 0.28, 0.45)  # share of swaps from which the next darker field is used
WORST = 3


@require_GET
@page("agreement.read_project")
def guideline(request: PersonRequest, project: Project) -> HttpResponse:
    """All labels: which are mixed up, and which people differ on most."""
    summaries.freshen(project)
    stream = _stream(request)
    report = guideline_report.of_project(project, stream=stream)
    known = [one for one in report.confusions if one.is_known and one.pages]
    context = {
        "headline": _headline(report, known),
        "has_any": any(one.differs.n for one in report.labels),
        "matrix": _matrix(project, report),
        "worst": [_sentence(project, one) for one in known[:WORST]],
        "forest": [_row(project, one) for one in report.labels],
        "ticks": TICKS_OF_SHARES,
        "confusions": [_numbers(one) for one in report.confusions if one.pages],
        "stream": stream,
        "streams": Stream.choices,
        "counted": guideline_report.COUNTED,
        **_may(request, project),
    }
    return render(request, "labeling/guideline.html", context)


@require_GET
@page("agreement.read_project")
def guideline_label(request: PersonRequest, project: Project, key: str) -> HttpResponse:
    """One label: what people were told, what they say is missing, what they mix it up with, and the pages."""
    schema = schemas.in_force_if_any(project)
    if schema is None or key not in schema.keys:
        raise Http404
    summaries.freshen(project)
    other, may = request.GET.get("with", ""), _may(request, project)
    other = other if other in schema.keys and other != key else ""
    report = guideline_report.of_project(project)
    contested = report.label(key)
    pages = guideline_report.pages_of(project, key, other=other) if may["may_read_pages"] else []
    context = {
        "label": label_row(contested.label),
        "differs": phrases.percents(contested.differs) if contested.differs.n else "",
        "n": contested.differs.n,
        "confusions": [_with(project, one, key) for one in contested.confusions[:8]],
        "other": label_row(schema.label(other)) if other else None,
        "pages": [_page_row(project, one) for one in pages],
        "gaps": [_gap(project, flag) for flag in _gaps(request, project, key)] if may["may_read_flags"] else [],
        "n_gaps": contested.flags,
        **may,
    }
    return render(request, "labeling/guideline_label.html", context)


@require_GET
@page("agreement.read_project")
def confusions_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Every two labels somebody could have swapped."""
    report = guideline_report.of_project(project, stream=_stream(request))
    head = ["label", "other", "pages_swapped", "pages_differing", "share", "share_low", "share_high", "swaps"]
    rows = (
        [one.left.key, one.right.key, one.pages, one.share.n, *ends(one.share), one.swaps] for one in report.confusions
    )
    return csv_file(f"{project.slug}-confusions", head, rows)


# ---- who sees what --------------------------------------------------------------------------------------------------
def _may(request: PersonRequest, project: Project) -> dict[str, bool]:
    def may(action: str) -> bool:
        return permissions.may(request.user, action, project, roles=request.roles)

    return {
        "may_edit": may("schema.create_version"),
        "may_read_flags": may("flag.resolve"),
        # What people answered to a page is for those who are not asked about it.
        "may_read_pages": may("consensus.read"),
        "may_decide": may("adjudication.list"),
        "may_rejudge": may("rejudge.draw"),
        "may_read_doubts": may("doubt.read"),
    }


def _stream(request: PersonRequest) -> str:
    stream = request.GET.get("stream", "")
    return stream if stream in Stream.values else ""


def _gaps(request: PersonRequest, project: Project, key: str) -> Any:
    return guideline_report.gaps(project, flags.reader(request.user, project, roles=request.roles), key)


# ---- all labels -----------------------------------------------------------------------------------------------------
def _headline(report: Report, known: list[Confusion]) -> str:
    if not any(one.differs.n for one in report.labels):
        return "Nothing to compare yet"
    if known:
        return f"People take {known[0].left.name} and {known[0].right.name} for each other"
    gaps = sum(one.flags for one in report.labels)
    if gaps:
        return f"{phrases.sentence_start(phrases.count(gaps))} times people said that the guideline does not say"
    return "No two labels are mixed up for certain yet"


def _url(project: Project, label: Label, other: Label | None = None) -> str:
    query = f"?{urlencode({'with': other.key})}" if other else ""
    return reverse("labeling:guideline_label", args=[project.slug, label.key]) + query


def _sentence(project: Project, one: Confusion) -> dict[str, str]:
    pages = phrases.counted(one.share.n, "page")
    return {
        "words": f"Where people differ about {one.left.name} or {one.right.name} ({pages}), one says the first and "
        f"another the second on {phrases.percents(one.share)}.",
        "url": _url(project, one.left, one.right),
        "pair": f"{one.left.name} and {one.right.name}",
        "heading": f"{one.left.name} and {one.right.name}: {phrases.percents(one.share)} of the pages people differ on",
    }


def _matrix(project: Project, report: Report) -> dict[str, Any] | None:
    """The lower triangle of the labels that are mixed up most, in the order people see them."""
    most: dict[str, int] = {}
    for one in report.confusions:
        for label in (one.left, one.right):
            most[label.key] = most.get(label.key, 0) + one.pages
    shown = sorted(most, key=lambda key: -most[key])[:IN_MATRIX]
    labels = [one.label for one in report.labels if one.label.key in shown and most[one.label.key]]
    labels.sort(key=lambda label: label.position)
    pairs = {frozenset((one.left.key, one.right.key)): one for one in report.confusions}
    if len(labels) < 2:
        return None
    return {
        "columns": [label.name for label in labels[:-1]],
        "rows": [
            {
                "name": row.name,
                "cells": [_cell(project, pairs.get(frozenset((row.key, column.key)))) for column in labels[:place]],
            }
            for place, row in enumerate(labels)
            if place
        ],
        "left_out": len(report.labels) - len(labels),
    }


def _cell(project: Project, one: Confusion | None) -> dict[str, Any]:
    if one is None or not one.is_known or one.share.value is None:
        return {"class": "hx", "value": "", "n": one.share.n if one else 0}
    step = sum(one.share.value >= start for start in HEAT_STEPS)
    url = _url(project, one.left, one.right) if one.pages else ""
    return {"class": f"h{step}", "value": f"{100 * one.share.value:.0f}", "n": one.share.n, "url": url,
            "pair": f"{one.left.name} and {one.right.name}"}  # fmt: skip


def _numbers(one: Confusion) -> dict[str, Any]:
    return {
        "pair": f"{one.left.name}, {one.right.name}",
        "share": phrases.percents(one.share),
        "pages": one.pages,
        "n": one.share.n,
        "swaps": one.swaps,
    }


def _row(project: Project, one: Contested) -> dict[str, Any]:
    worst = next((found for found in one.confusions if found.is_known), None)
    other = worst.other(one.label.key).name if worst else ""
    return {
        "name": one.label.name,
        "url": _url(project, one.label),
        "mark": AXIS.interval(one.differs),
        "words": phrases.percents(one.differs) if one.differs.n else "no page with two answers yet",
        "value": phrases.share(one.differs.value) if one.differs.value is not None else "",
        "n": one.differs.n,
        "flags": one.flags,
        "with": other,
    }


# ---- one label ------------------------------------------------------------------------------------------------------
def _with(project: Project, one: Confusion, key: str) -> dict[str, Any]:
    other = one.other(key)
    return {
        "key": other.key,
        "name": other.name,
        "url": _url(project, one.left if one.left.key == key else one.right, other),
        "share": phrases.percents(one.share) if one.is_known else phrases.too_few(one.share),
        "pages": one.pages,
        "n": one.share.n,
    }


def _page_row(project: Project, one: Page) -> dict[str, Any]:
    item, is_open = one.dispute.item, one.dispute.settled_at is None
    return {
        "address": address(item, project=project),
        "url": reverse("labeling:item", args=[project.slug, item.public_id]),
        "case": reverse("labeling:case", args=[project.slug, item.public_id]) if is_open else "",
        "said": f"{one.yes} yes, {one.no} no",
        "other": f"{one.other_yes} yes, {one.other_no} no",
        "is_open": is_open,
    }


def _gap(project: Project, flag: Any) -> dict[str, Any]:
    first = next(iter(flag.comments.all()), None)
    return {
        "words": first.text if first else "",
        "address": address(flag.item, project=project),
        "url": reverse("labeling:flag", args=[project.slug, flag.pk]),
        "raised_at": flag.raised_at,
    }
