"""What the pages of a project cost its people, for whoever cares for them."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labeling import exposure_reports
from labeling.exposure_reports import NO_SEVERITY, Day
from labeling.models import Project
from labeling.models.projects import Severity
from labeling.web import PersonRequest, page

PEOPLE_A_PAGE = 50
WORST_FIRST = (*sorted(Severity.values, reverse=True), NO_SEVERITY)


@require_safe
@page("exposure.read_project")
def exposure(request: PersonRequest, project: Project) -> HttpResponse:
    shown = Paginator(exposure_reports.people_of(project), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    reports = exposure_reports.of_project(project, shown.object_list)
    context = {
        "page_obj": shown,
        "reports": reports,
        "rows": [(report.user, day, pages_of(day)) for report in reports for day in report.days],
        "at_limit": [report.user.get_username() for report in reports if report.is_at_limit],
        "n_days": exposure_reports.DAYS,
        "few": exposure_reports.FEW,
    }
    return render(request, "labeling/exposure.html", context)


def pages_of(day: Day) -> list[int]:
    """Grave pages first, those of no severity last."""
    return [day.pages[severity] for severity in WORST_FIRST]
