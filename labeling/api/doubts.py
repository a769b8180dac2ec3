"""Pages most likely to carry a wrong label: the ranking, ranking again, and asking one more person about the first."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import doubts, second_looks
from labeling.api.base import ActionView, paged
from labeling.api.jobs import JobShape, accepted
from labeling.models import Doubt, DoubtRanking


class DoubtedLabelShape(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    verdict = serializers.ChoiceField(choices=["yes", "no"], help_text="as recorded")
    believed = serializers.FloatField(help_text="how far the source believes it, 0 to 1; for sorting")


class DoubtShape(serializers.Serializer):
    rank = serializers.IntegerField()
    item = serializers.CharField()
    risk = serializers.FloatField(help_text="for sorting: no value says by itself that a label is wrong")
    labels = DoubtedLabelShape(many=True, help_text="the least believed first")
    source = serializers.ChoiceField(  # type: ignore[assignment]  # as above
        choices=[doubts.CONSENSUS, doubts.MODEL, doubts.STACK], allow_null=True,
        help_text="answers alone; with a model where there is one answer only; both, weighed as decisions taught",
    )  # fmt: skip


class AskRequest(serializers.Serializer):
    pages = serializers.IntegerField(help_text="how many, from the top")


class AskedShape(serializers.Serializer):
    pages = serializers.IntegerField(help_text="about which one more person is asked")


class DoubtsView(ActionView):
    actions = {"GET": "doubt.read", "POST": "doubt.act"}
    page_key = "rank"

    @extend_schema(responses=DoubtShape(many=True))
    def get(self, request, slug: str) -> Response:
        """The thousand most doubtful pages on which people agree, most doubtful first; empty until they are ranked."""
        ranking = DoubtRanking.objects.filter(project=self.project).first()
        source = ranking.source if ranking else None

        def shape(row: Doubt) -> dict[str, Any]:
            return {"rank": row.rank, "item": row.item.public_id, "risk": row.risk, "labels": row.labels,
                    "source": source}  # fmt: skip

        return paged(self, Doubt.objects.filter(project=self.project).select_related("item"), shape)

    @extend_schema(request=None, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Rank the pages anew, in the background."""
        return accepted(doubts.queue_ranking(self.project, by=request.user), request)


class AskView(ActionView):
    actions = {"POST": "doubt.act"}

    @extend_schema(request=AskRequest, responses=AskedShape)
    def post(self, request, slug: str) -> Response:
        """Ask one more person about the most doubtful pages. Where they differ from the others, somebody decides."""
        body = AskRequest(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"pages": second_looks.ask_again(self.project, body.validated_data["pages"], by=request.user)})
