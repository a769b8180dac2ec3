"""Agreement: per label with intervals, between every two people, and of each person with the others."""

from typing import Any

import numpy as np
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import permissions, reports
from labeling.api.base import ActionView
from labeling.label_reports import LabelReport
from labeling.models import Rater, Stream
from labeling.pair_sums import Pairs
from labeling.reports import Report

STREAM = OpenApiParameter("stream", str, enum=Stream.values, description="answers to pages chosen in this way only")
LABEL = OpenApiParameter("label", str, description="one label; without it all labels are pooled")


class EstimateShape(serializers.Serializer):
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    level = serializers.FloatField()
    n = serializers.IntegerField()
    reason = serializers.CharField(allow_null=True, help_text="why a part is null, or a warning about the interval")


class LabelAgreementShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    name = serializers.CharField()
    alpha = EstimateShape(help_text="Krippendorff's alpha")
    ac1 = EstimateShape(help_text="Gwet's AC1; never enough by itself for a rare label")
    positive_agreement = EstimateShape()
    negative_agreement = EstimateShape()
    prevalence = EstimateShape()
    n_items = serializers.IntegerField(help_text="pages with two answers or more")
    n_positive = serializers.IntegerField(help_text="yes answers on them")
    reading = serializers.ChoiceField(choices=["reliable", "tentative", "revise", "cannot tell yet"])
    positives_needed = serializers.IntegerField(help_text="positive pages until alpha is known to ±0.10")


class AgreementShape(serializers.Serializer):
    labels = LabelAgreementShape(many=True)
    set_alpha_masi = EstimateShape()
    set_alpha_jaccard = EstimateShape()
    n_judgments = serializers.IntegerField()
    n_annotators = serializers.IntegerField()
    counted = serializers.CharField(help_text="which answers are counted")


class PairShape(serializers.Serializer):
    annotators = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    kappa = EstimateShape(help_text="undefined under 20 pages in common")
    n = serializers.IntegerField()


class PairsShape(serializers.Serializer):
    annotators = serializers.ListField(child=serializers.CharField(), help_text="pseudonyms: rows and columns")
    kappa = serializers.ListField(child=serializers.ListField(child=serializers.FloatField(allow_null=True)))
    n = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    pairs = PairShape(many=True)


class AgreementView(ActionView):
    actions = {"GET": "agreement.read_project"}
    query = frozenset({"stream"})

    @extend_schema(responses=AgreementShape, parameters=[STREAM])
    def get(self, request, slug: str) -> Response:
        """Agreement per label and on whole answers. Undefined is null with its reason."""
        report = _report(self, request)
        sets = report.set_alphas
        return Response(
            {
                "labels": [label_shape(label) for label in report.labels],
                "set_alpha_masi": sets["masi"].as_dict(),
                "set_alpha_jaccard": sets["jaccard"].as_dict(),
                "n_judgments": report.n_answers,
                "n_annotators": report.n_people,
                "counted": reports.COUNTED,
            }
        )


class PairsView(ActionView):
    actions = {"GET": "agreement.read_per_annotator"}
    query = frozenset({"label", "stream"})

    @extend_schema(responses=PairsShape, parameters=[LABEL, STREAM])
    def get(self, request, slug: str) -> Response:
        """Cohen's kappa of every two people, with the pages both judged. Annotators see no pair: it names others."""
        report = _report(self, request)
        key = request.query_params.get("label")
        if key is not None and key not in report.votes.keys:
            raise exceptions.ParseError("label is not a label of this project.")
        shown = _people_shown(self, request, report)
        pairs = report.pairs_on(key)
        return Response(
            {
                "annotators": [report.votes.codes[rater] for rater in shown],
                "kappa": [[_number(pairs.kappa(row, column)) for column in shown] for row in shown],
                "n": [[pairs.n_common(row, column) for column in shown] for row in shown],
                "pairs": [
                    _pair_shape(report, pairs, row, column)
                    for place, row in enumerate(shown)
                    for column in shown[:place]
                    if pairs.n_common(row, column)
                ],
            }
        )


def label_shape(label: LabelReport) -> dict[str, Any]:
    measures = ("alpha", "ac1", "positive_agreement", "negative_agreement", "prevalence")
    return {
        "label": label.key,
        "name": label.name,
        **{name: getattr(label, name).as_dict() for name in measures},
        "n_items": label.n_items,
        "n_positive": label.n_positive,
        "reading": label.reading,
        "positives_needed": label.positives_needed,
    }


def _report(view: ActionView, request) -> Report:
    stream = request.query_params.get("stream", "")
    if stream and stream not in Stream.values:
        raise exceptions.ParseError(f"stream is one of {', '.join(Stream.values)}.")
    return reports.of_project(view.project, stream=stream)


def _people_shown(view: ActionView, request, report: Report) -> list[int]:
    """Everyone who answered; for annotators themselves alone."""
    if permissions.sees_others(request.user, view.project, roles=view.roles):
        return [rater for rater in range(len(report.votes.codes)) if report.answers_per_rater[rater]]
    own = Rater.objects.filter(project=view.project, user=request.user).values_list("pk", flat=True).first()
    return [report.votes.rater_ids.index(own)] if own in report.votes.rater_ids else []


def _pair_shape(report: Report, pairs: Pairs, row: int, column: int) -> dict[str, Any]:
    found = pairs.estimate(row, column)
    return {
        "annotators": [report.votes.codes[column], report.votes.codes[row]],
        "kappa": found.as_dict(),
        "n": found.n,
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
