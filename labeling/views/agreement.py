"""Who agrees on what, and with whom: the finding first, every number behind it as a table and as CSV."""

import csv
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from labeling import permissions, phrases, reports, schemas, standing
from labeling.exports import spreadsheet_safe
from labeling.models import Project, Stream
from labeling.quality.intervals import Estimate
from labeling.reports import Report
from labeling.views import figures
from labeling.views.material import label_row
from labeling.web import PersonRequest, page

PEOPLE_SHOWN = 8
MEASURES = ("alpha", "ac1", "positive_agreement", "negative_agreement", "prevalence")


@require_GET
@page("agreement.read_project")
def agreement(request: PersonRequest, project: Project) -> HttpResponse:
    stream, report = _report(request, project)
    names_people = permissions.may(request.user, "agreement.read_per_annotator", project, roles=_roles(request))
    context: dict[str, Any] = {
        "stream": stream,
        "streams": Stream.choices,
        "n_answers": report.n_answers,
        "n_people": report.n_people,
        "counted": reports.COUNTED,
        "headline": standing.reliability(report),
        "finding": standing.about_people(report.ticks_most, report.votes.names) if report.ticks_most else "",
    }
    if report.n_answers:
        context |= {
            "forest": figures.forest(report, names_people=names_people),
            "sets": [("MASI", _in_words(report, "masi")), ("Jaccard", _in_words(report, "jaccard"))],
            "matrix": figures.matrix(report, most=PEOPLE_SHOWN) if names_people else None,
            "paradoxes": figures.paradoxes(report),
            "worst": _weakest(report, project),
            "may_decide": permissions.may(request.user, "adjudication.list", project, roles=_roles(request)),
        }
    return render(request, "labeling/agreement.html", context)


@require_GET
@page("agreement.read_project")
def labels_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Every label with each measure and its interval."""
    _, report = _report(request, project)
    head = ["label", "reading", "n_items", "n_positive"]
    head += [f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")]
    rows = [
        [label.key, label.reading, label.n_items, label.n_positive]
        + [part for name in MEASURES for part in _parts(getattr(label, name))]
        for label in report.labels
    ]
    return _csv(f"{project.slug}-agreement.csv", head, rows)


@require_GET
@page("agreement.read_per_annotator")
def pairs_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Every two people with pages in common. Annotators, who see their own figures only, get no pair."""
    _, report = _report(request, project)
    sees_all = permissions.may(request.user, "agreement.read_project", project, roles=_roles(request))
    people = range(len(report.votes.codes)) if sees_all else range(0)
    rows, pairs = [], report.pairs
    for right in people:
        for left in range(right):
            if pairs.n_common(left, right):
                found = pairs.estimate(left, right)
                rows.append([report.votes.codes[left], report.votes.codes[right], *_parts(found), found.n])
    return _csv(f"{project.slug}-pairs.csv", ["person", "other", "kappa", "kappa_low", "kappa_high", "n"], rows)


def _weakest(report: Report, project: Project) -> dict[str, Any] | None:
    """The label whose alpha has the lowest lower end among those to revise, with what people were told it means."""
    labels = [label for label in report.by_lower_end if label.reading == "revise"]
    return label_row(schemas.in_force(project).label(labels[-1].key)) if labels else None


def _report(request: PersonRequest, project: Project) -> tuple[str, Report]:
    stream = request.GET.get("stream", "")
    stream = stream if stream in Stream.values else ""
    return stream, reports.of_project(project, stream=stream)


def _in_words(report: Report, distance: str) -> str:
    return phrases.estimate(report.set_alphas[distance])


def _parts(found: Estimate) -> list[float | str]:
    """Value and both ends; an empty cell where undefined."""
    return ["" if part is None else part for part in (found.value, found.low, found.high)]


def _csv(name: str, head: list[str], rows: Iterable[list[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(head)
    # Codes of raters come with imported files: a spreadsheet must not run one that looks like a formula.
    writer.writerows([spreadsheet_safe(str(cell)) for cell in row] for row in rows)
    return response


def _roles(request: PersonRequest) -> frozenset[str]:
    return request.roles
