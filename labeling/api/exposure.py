"""What the pages cost the people who read them, in points of severity."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import exposure_reports
from labeling.api.base import ActionView
from labeling.exposure_reports import DAYS, FEW, NO_SEVERITY, Day, Report
from labeling.models.projects import Severity

NAMES = {NO_SEVERITY: "no_severity", **{severity.value: severity.name.lower() for severity in Severity}}


class SeverityPagesShape(serializers.Serializer):
    """How many pages, by the severity of what was ticked."""

    no_severity = serializers.IntegerField()
    mild = serializers.IntegerField()
    moderate = serializers.IntegerField()
    serious = serializers.IntegerField()
    grave = serializers.IntegerField()


class ExposureDayShape(serializers.Serializer):
    day = serializers.DateField(help_text="of UTC")
    points = serializers.IntegerField(help_text="1 for a mild page, 4 for a grave one")
    pages = SeverityPagesShape()


class ExposureShape(serializers.Serializer):
    is_at_limit = serializers.BooleanField(help_text="today, with the pages of every project")
    longest_row_today = serializers.IntegerField(help_text="serious or grave pages one after the other")
    today = ExposureDayShape()
    days = ExposureDayShape(many=True, help_text=f"of the last {DAYS} those with an answer, newest first")


class LimitsShape(serializers.Serializer):
    exposure_per_day = serializers.IntegerField(
        allow_null=True, help_text="the budget of a day here; null: none is set"
    )
    severe_in_a_row = serializers.IntegerField(allow_null=True)


class OwnExposureShape(LimitsShape, ExposureShape):
    """One's own days, with the pages of every project: what the budget is counted by."""


class PersonExposureShape(ExposureShape):
    username = serializers.CharField()
    opted_out = serializers.IntegerField(
        allow_null=True, help_text=f"how many labels the person leaves to others, {FEW} meaning {FEW} or more; which "
        f"is told to nobody. null: the project has so few labels that the number would tell",
    )  # fmt: skip


class ProjectExposureShape(LimitsShape):
    """Everybody who may answer here, with the pages of this project."""

    results = PersonExposureShape(many=True)


class ExposureView(ActionView):
    actions = {"GET": "exposure.read_project"}

    @extend_schema(responses=ProjectExposureShape)
    def get(self, request, slug: str) -> Response:
        """What the project's pages cost its people."""
        reports = exposure_reports.of_project(self.project, exposure_reports.people_of(self.project))
        people = [
            {"username": each.user.username, "opted_out": each.opted_out, **report_shape(each)} for each in reports
        ]
        return Response({**self.limits(), "results": people})

    def limits(self) -> dict[str, Any]:
        return {name: getattr(self.project, name) for name in ("exposure_per_day", "severe_in_a_row")}


class OwnExposureView(ExposureView):
    actions = {"GET": "exposure.read_own"}

    @extend_schema(responses=OwnExposureShape)
    def get(self, request, slug: str) -> Response:
        """What the caller's own days cost."""
        return Response({**self.limits(), **report_shape(exposure_reports.own(self.project, self.person))})


def report_shape(report: Report) -> dict[str, Any]:
    return {
        "is_at_limit": report.is_at_limit,
        "longest_row_today": report.longest_row,
        "today": day_shape(report.today),
        "days": [day_shape(day) for day in report.days],
    }


def day_shape(day: Day) -> dict[str, Any]:
    pages = {NAMES[severity]: n for severity, n in day.pages.items()}
    return {"day": day.day, "points": day.points, "pages": pages}
