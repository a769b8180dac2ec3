"""What suggestions do to people's answers: the rates in both halves, pooled and per label."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import anchoring
from labeling.api.agreement import EstimateShape
from labeling.api.base import ActionView
from labeling.quality.anchoring import Anchoring, Halves


class HalvesShape(serializers.Serializer):
    shown = EstimateShape()
    hidden = EstimateShape()
    shift = EstimateShape(help_text="shown less hidden")


class AnchoringShape(serializers.Serializer):
    accepted_when_wrong = HalvesShape(help_text="of answers where the suggestion is wrong, how many say the same")
    accepted_wrong_yes = HalvesShape(help_text="of those where it wrongly says yes")
    accepted_wrong_no = HalvesShape(help_text="of those where it wrongly says no")
    yes_after_yes = HalvesShape(help_text="of answers where it says yes, right or wrong, how many say yes")
    yes_after_no = HalvesShape(help_text="of answers where it says no, right or wrong, how many say yes")


class LabelAnchoringShape(AnchoringShape):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    name = serializers.CharField()
    alpha_shown = EstimateShape(help_text="Krippendorff's alpha between people who were shown the suggestion")
    alpha_hidden = EstimateShape(help_text="between people who were not, on pages where there was one")


class AnchoringReportShape(AnchoringShape):
    n_shown = serializers.IntegerField(help_text="answers given with the suggestion shown")
    n_hidden = serializers.IntegerField()
    labels = LabelAnchoringShape(many=True)
    sentence = serializers.CharField()
    measured_against = serializers.CharField()


def halves_shape(halves: Halves) -> dict[str, Any]:
    return {"shown": halves.shown.as_dict(), "hidden": halves.hidden.as_dict(), "shift": halves.shift.as_dict()}


def anchoring_shape(found: Anchoring) -> dict[str, Any]:
    return {
        "accepted_when_wrong": halves_shape(found.accepted),
        "accepted_wrong_yes": halves_shape(found.accepted_yes),
        "accepted_wrong_no": halves_shape(found.accepted_no),
        "yes_after_yes": halves_shape(found.yes_after_yes),
        "yes_after_no": halves_shape(found.yes_after_no),
    }


class AnchoringView(ActionView):
    actions = {"GET": "suggestion.read_anchoring"}

    @extend_schema(responses=AnchoringReportShape)
    def get(self, request, slug: str) -> Response:
        """What suggestions do to answers, all labels pooled and each by itself. Undefined is null with its reason."""
        report = anchoring.report(self.project)
        labels = [
            {
                "label": label.key, "name": label.name, **anchoring_shape(label.found),
                "alpha_shown": label.alpha_shown.as_dict(), "alpha_hidden": label.alpha_hidden.as_dict(),
            }
            for label in report.labels
        ]  # fmt: skip
        return Response(
            {
                "n_shown": report.n_shown,
                "n_hidden": report.n_hidden,
                **anchoring_shape(report.pooled),
                "labels": labels,
                "sentence": anchoring.sentence(report.pooled),
                "measured_against": anchoring.MEASURED_AGAINST,
            }
        )
