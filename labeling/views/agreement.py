"""Who agrees on what, and with whom: the finding first, every number behind it as a table and as CSV."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling import permissions, phrases, reports, schemas, standing
from labeling.models import Project
from labeling.rater_totals import monday_of
from labeling.reports import Narrowed, Report
from labeling.views import agreement_parts, figures
from labeling.views.csv_files import csv_file, ends
from labeling.views.material import label_row
from labeling.views.shown import Shown
from labeling.web import PersonRequest, page

PEOPLE_SHOWN = 8
MEASURES = ("alpha", "ac1", "positive_agreement", "negative_agreement", "prevalence")


@require_GET
@page("agreement.read_project")
def agreement(request: PersonRequest, project: Project) -> HttpResponse:
    shown, report = _report(request, project)
    names_people = _sees_others(request, project)
    context: dict[str, Any] = {
        "shown": shown.choices(),
        "query": f"?{shown.query}" if shown.query else "",
        "n_answers": report.n_answers,
        "n_people": report.n_people,
        "counted": reports.COUNTED,
        "headline": standing.reliability(report),
        "finding": standing.about_people(report.ticks_most, report.votes.names) if report.ticks_most else "",
    }
    label = agreement_parts.chosen(report, request.GET.get("label", ""))
    if report.n_answers and label:
        context |= {
            "label": label.key,
            "labels": [(one.key, one.name) for one in report.labels],
            "weeks": agreement_parts.by_week(report, label),
            "without": agreement_parts.without_each(report, label) if names_people else None,
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
        + [part for name in MEASURES for part in ends(getattr(label, name))]
        for label in report.labels
    ]
    return csv_file(f"{project.slug}-agreement", head, rows)


@require_GET
@page("agreement.read_project")
def weeks_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Alpha of every label, week by week."""
    _, report = _report(request, project)
    return csv_file(f"{project.slug}-agreement-weeks", *agreement_parts.weeks_csv(report))


@require_GET
@page("agreement.read_per_annotator")
def without_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """By how much alpha of every label rises without each person. Annotators, who see their own row only, get none."""
    _, report = _report(request, project)
    head, rows = agreement_parts.without_csv(report)
    return csv_file(f"{project.slug}-without", head, rows if _sees_others(request, project) else [])


def _weakest(report: Report, project: Project) -> dict[str, Any] | None:
    """The label whose alpha has the lowest lower end among those to revise, with what people were told it means."""
    labels = [label for label in report.by_lower_end if label.reading == "revise"]
    return label_row(schemas.in_force(project).label(labels[-1].key)) if labels else None


def _sees_others(request: PersonRequest, project: Project) -> bool:
    return permissions.sees_others(request.user, project, roles=_roles(request))


def _report(request: PersonRequest, project: Project) -> tuple[Shown, Report]:
    """What the address asks for: over all time, unless it says otherwise. Weeks are whole ones."""
    shown = Shown.asked(request.GET, today=timezone.now().date(), usual="all")
    since = monday_of(shown.since) if shown.since else None
    return shown, reports.of_project(project, Narrowed(stream=shown.stream, since=since))


def _in_words(report: Report, distance: str) -> str:
    return phrases.estimate(report.set_alphas[distance])


def _roles(request: PersonRequest) -> frozenset[str]:
    return request.roles
