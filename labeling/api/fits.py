"""The fit that says how far answers are believed: what it learned, whether it came true, and making another."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import fits, refits
from labeling.api.agreement import EstimateShape
from labeling.api.base import ActionView
from labeling.api.jobs import JobShape, accepted
from labeling.models import ConsensusFit


class BinShape(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()
    n = serializers.IntegerField(help_text="decided labels given such a probability by a fit that knew no decision")
    mean_p = serializers.FloatField(allow_null=True)
    share_yes = EstimateShape(help_text="of them, those decided yes")


class LearnedShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    prevalence = EstimateShape(help_text="by pages drawn by chance")
    sensitivity = serializers.FloatField(help_text="of a usual person")
    specificity = serializers.FloatField(help_text="of a usual person")
    expected_error = EstimateShape(help_text="how likely the recorded verdict is wrong, the mean over pages")


class FitShape(serializers.Serializer):
    id = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    n_items = serializers.IntegerField()
    n_judgments = serializers.IntegerField()
    n_decisions = serializers.IntegerField()
    temperature = serializers.FloatField(help_text="log odds are divided by it")
    temperature_reason = serializers.CharField(help_text="why it is the usual one; empty when decisions taught it")
    has_converged = serializers.BooleanField()
    labels = LearnedShape(many=True)
    calibration = BinShape(many=True)
    log_loss = EstimateShape()
    calibration_error = EstimateShape()


class FitView(ActionView):
    actions = {"GET": "agreement.read_project", "POST": "project.update_settings"}

    @extend_schema(responses=FitShape)
    def get(self, request, slug: str) -> Response:
        """The fit in force. 404 before the first, which is made by itself when 100 answers are in."""
        made = fits.newest(self.project)
        if made is None:
            raise exceptions.NotFound("No fit was made yet. The first is made by itself when 100 answers are in.")
        return Response(_shape(made))

    @extend_schema(request=None, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Learn from all answers and decisions again, in the background. Who asks meanwhile gets the same job."""
        return accepted(refits.request(self.project, by=request.user), request)


def _shape(made: ConsensusFit) -> dict[str, Any]:
    own = ("id", "made_at", "n_items", "n_judgments", "n_decisions", "temperature", "temperature_reason")
    labels = ("label", "prevalence", "sensitivity", "specificity", "expected_error")
    return {
        **{name: getattr(made, name) for name in own},
        "has_converged": made.has_converged,
        "labels": [{name: row[name] for name in labels} for row in made.labels],
        "calibration": made.calibration["bins"],
        "log_loss": made.calibration["log_loss"],
        "calibration_error": made.calibration["error"],
    }
