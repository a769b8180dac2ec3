"""What adjudicators do beside deciding: an answer sent back, one more person asked, pages accepted together."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import acceptances, second_opinions
from labeling.api.adjudication import MATCH, page_of, seen_version
from labeling.api.base import ActionView, paged
from labeling.api.jobs import JobShape, accepted
from labeling.decisions import MAX_NOTE
from labeling.models import Acceptance


class SendBackSerializer(serializers.Serializer):
    judgment = serializers.IntegerField(help_text="the answer, by its id among the `answers` of the case")
    message = serializers.CharField(max_length=MAX_NOTE, help_text="read by whoever gave the answer")


class SentBackShape(serializers.Serializer):
    id = serializers.IntegerField()
    judgment = serializers.IntegerField()
    labels = serializers.ListField(child=serializers.CharField(), help_text="asked once more")
    message = serializers.CharField()


class OneMoreShape(serializers.Serializer):
    item = serializers.CharField()
    assignment = serializers.IntegerField(help_text="the slot that waits for one more person")


class AcceptRequest(serializers.Serializer):
    audit_share = serializers.FloatField(
        required=False, default=acceptances.DEFAULT_SHARE, min_value=0, max_value=1,
        help_text="of the pages, drawn by chance: not accepted, and decided one by one without a look at the answers",
    )  # fmt: skip


class AcceptanceShape(serializers.Serializer):
    id = serializers.IntegerField()
    audit_share = serializers.FloatField()
    seed = serializers.CharField(help_text="with the id of a page it says whether that page was drawn")
    n_accepted = serializers.IntegerField()
    n_drawn = serializers.IntegerField()
    made_at = serializers.DateTimeField()


class SendBackView(ActionView):
    actions = {"POST": "adjudication.decide"}

    @extend_schema(request=SendBackSerializer, responses={201: SentBackShape}, parameters=[MATCH])
    def post(self, request, slug: str, public_id: str) -> Response:
        """Ask whoever gave an answer for the labels in conflict once more. The page leaves the queue until then."""
        item, seen = page_of(self.project, public_id), seen_version(request)
        body = SendBackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        sent = second_opinions.send_back(
            item, by=request.user, judgment_id=said["judgment"], message=said["message"], seen_version=seen
        )
        shape = {"id": sent.pk, "judgment": sent.judgment_id, "labels": sent.labels, "message": sent.message}
        return Response(shape, status=201)


class AskOneMoreView(ActionView):
    actions = {"POST": "adjudication.decide"}

    @extend_schema(request=None, responses={201: OneMoreShape}, parameters=[MATCH])
    def post(self, request, slug: str, public_id: str) -> Response:
        """Ask one more person about the page. It leaves the queue until they have answered."""
        item, seen = page_of(self.project, public_id), seen_version(request)
        slot = second_opinions.ask_one_more(item, by=request.user, seen_version=seen)
        return Response({"item": item.public_id, "assignment": slot.pk}, status=201)


class AcceptancesView(ActionView):
    actions = {"GET": "adjudication.list", "POST": "adjudication.decide"}
    page_key = "-id"

    @extend_schema(responses=AcceptanceShape(many=True))
    def get(self, request, slug: str) -> Response:
        """What was accepted together, the newest first."""
        rows: QuerySet[Acceptance] = Acceptance.objects.filter(project=self.project)
        return paged(self, rows, acceptance_shape)

    @extend_schema(request=AcceptRequest, responses={202: JobShape})
    def post(self, request, slug: str) -> Response:
        """Accept every page on which all agree, but for a share drawn by chance; none the caller answered."""
        body = AcceptRequest(data=request.data)
        body.is_valid(raise_exception=True)
        job = acceptances.queue_accepting(self.project, by=request.user, **body.validated_data)
        return accepted(job, request)


def acceptance_shape(row: Acceptance) -> dict[str, object]:
    return {
        "id": row.pk,
        "audit_share": row.audit_share,
        "seed": row.seed,
        "n_accepted": row.n_accepted,
        "n_drawn": row.n_drawn,
        "made_at": row.made_at,
    }
