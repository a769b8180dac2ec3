"""Where the guideline fails: how often people differ on each label, and which labels they take for each other."""

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import guideline_report, summaries
from labeling.api.agreement import STREAM, EstimateShape
from labeling.api.base import ActionView
from labeling.models import Stream


class ContestedShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    differs = EstimateShape(help_text="share of pages with two answers or more on which not all say the same")
    gaps = serializers.IntegerField(help_text="open flags that say that the guideline does not say")


class ConfusionShape(serializers.Serializer):
    labels = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    share = EstimateShape(help_text="of pages on which people differ about either label, those with a swap")
    pages = serializers.IntegerField(help_text="pages on which two people swap them")
    swaps = serializers.IntegerField(help_text="pairs of answers that do")


class GuidelineShape(serializers.Serializer):
    labels = ContestedShape(many=True)
    confusions = ConfusionShape(many=True)
    counted = serializers.CharField()


class GuidelineView(ActionView):
    actions = {"GET": "agreement.read_project"}
    query = frozenset({"stream"})

    @extend_schema(responses=GuidelineShape, parameters=[STREAM])
    def get(self, request, slug: str) -> Response:
        """Labels by how surely people differ on them, pairs by how surely people take one for the other."""
        stream = request.query_params.get("stream", "")
        if stream and stream not in Stream.values:
            raise exceptions.ParseError(f"stream is one of {', '.join(Stream.values)}.")
        summaries.freshen(self.project)
        report = guideline_report.of_project(self.project, stream=stream)
        labels = [
            {"label": one.label.key, "differs": one.differs.as_dict(), "gaps": one.flags} for one in report.labels
        ]
        confusions = [
            {
                "labels": [one.left.key, one.right.key],
                "share": one.share.as_dict(),
                "pages": one.pages,
                "swaps": one.swaps,
            }
            for one in report.confusions
        ]
        return Response({"labels": labels, "confusions": confusions, "counted": guideline_report.COUNTED})
