"""How each person answers: beside known answers, the others and themself, with honest intervals."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import conduct, people_report, permissions, rater_totals, summaries
from labeling.api.agreement import STREAM, EstimateShape
from labeling.api.base import ActionView
from labeling.models import Rater, Stream
from labeling.people_report import Filters, LabelRates, Person, Report

LABEL = OpenApiParameter("label", str, description="one label; without it all")
WEEKS = OpenApiParameter("weeks", int, enum=rater_totals.PERIODS, description="answers of the last so many weeks")


class KnownRateShape(serializers.Serializer):
    sensitivity = EstimateShape(help_text="of pages known to be a yes, how often this person says yes")
    specificity = EstimateShape(help_text="of pages known to be a no, how often this person says no")


class RateShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    sensitivity = EstimateShape(help_text="the same beside the others' answers; model-based, interval widened by 1.3")
    specificity = EstimateShape()
    known = KnownRateShape(allow_null=True, help_text="null in one's own figures: see My work")
    self_consistency = EstimateShape(allow_null=True, help_text="same verdict on pages asked twice; null as above")


class AnnotatorShape(serializers.Serializer):
    annotator = serializers.CharField(help_text="pseudonym")
    n_judgments = serializers.IntegerField()
    seconds = EstimateShape(help_text="median active time of an answer")
    self_consistency = EstimateShape(allow_null=True, help_text="whole pages answered alike twice")
    drift_alarms = serializers.ListField(child=serializers.DateField(), allow_null=True, help_text="Mondays")
    labels = RateShape(many=True)


class AnnotatorsShape(serializers.Serializer):
    results = AnnotatorShape(many=True)
    against = serializers.CharField()
    counted_at = serializers.DateTimeField(allow_null=True)


class AnnotatorsView(ActionView):
    actions = {"GET": "agreement.read_per_annotator"}
    query = frozenset({"stream", "weeks", "label"})

    @extend_schema(responses=AnnotatorsShape, parameters=[STREAM, WEEKS, LABEL])
    def get(self, request, slug: str) -> Response:
        """Each person beside known answers, the others and themself. Annotators: their own row, of weeks gone by."""
        filters, label = self.filters(), request.query_params.get("label")
        summaries.freshen(self.project)
        counted_at = conduct.freshen(self.project)
        sees_all = permissions.sees_others(request.user, self.project, roles=self.roles)
        report = self.report(filters, sees_all=sees_all)
        if label is not None and label not in dict(report.labels):
            raise exceptions.ParseError("label is not a label of this project.")
        people = [_shape(person, label, sees_all=sees_all) for person in report.people]
        return Response({"results": people, "against": people_report.COUNTED, "counted_at": counted_at})

    def report(self, filters: Filters, *, sees_all: bool) -> Report:
        today = timezone.now().date()
        if sees_all:
            return people_report.of_project(self.project, filters, today=today)
        own = Rater.objects.filter(project=self.project, user=self.person)
        until = rater_totals.monday_of(today)
        return people_report.of_project(self.project, filters, today=today, raters=own, until=until)

    def filters(self) -> Filters:
        stream, weeks = (self.request.query_params.get(name, "") for name in ("stream", "weeks"))
        if stream and stream not in Stream.values:
            raise exceptions.ParseError(f"stream is one of {', '.join(Stream.values)}.")
        periods = [str(one) for one in rater_totals.PERIODS]
        if weeks and weeks not in periods:
            raise exceptions.ParseError(f"weeks is one of {', '.join(periods)}.")
        return Filters(weeks=int(weeks) if weeks else None, stream=stream)


def _shape(person: Person, label: str | None, *, sees_all: bool) -> dict[str, Any]:
    return {
        "annotator": person.code,
        "n_judgments": person.n_answers,
        "seconds": person.seconds.as_dict(),
        "self_consistency": person.again_pages.as_dict() if sees_all else None,
        "drift_alarms": list(person.alarms) if sees_all else None,
        "labels": [_rates(one, sees_all=sees_all) for one in person.labels if label in {None, one.key}],
    }


def _rates(one: LabelRates, *, sees_all: bool) -> dict[str, Any]:
    return {
        "label": one.key,
        "sensitivity": one.others.sensitivity.as_dict(),
        "specificity": one.others.specificity.as_dict(),
        "known": {name: rate.as_dict() for name, rate in one.known._asdict().items()} if sees_all else None,
        "self_consistency": one.again.same.as_dict() if sees_all else None,
    }
