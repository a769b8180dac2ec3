"""What is the caller's own in a project: their answers, and their drafts."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import drafts, flags, judging, opt_outs, own_work, permissions, returned, today
from labeling.api.base import ActionView, paged
from labeling.api.queue import next_shape_of, shape_of
from labeling.api.shapes import DraftShape, JudgmentShape, NextShape, draft_shape
from labeling.models import Assignment, Draft, Judgment

STATES = ("revisable", "all")


class OwnJudgmentShape(JudgmentShape):
    version = serializers.CharField(help_text="send it as If-Match when revising")


class OwnJudgmentsView(ActionView):
    actions = {"GET": "judgment.read_own"}
    query = frozenset({"state"})

    @extend_schema(
        responses=OwnJudgmentShape(many=True),
        parameters=[OpenApiParameter("state", str, enum=STATES, description="`revisable`: those that may be changed")],
    )
    def get(self, request, slug: str) -> Response:
        """The caller's own answers in force, newest first."""
        state = request.query_params.get("state", "all")
        if state not in STATES:
            raise exceptions.ParseError(f"state is one of {', '.join(STATES)}.")
        if state == "revisable":
            found = own_work.revisable(self.project, request.user)
        else:
            found = own_work.answers_of(self.project, request.user)
        return paged(self, found, _own_shape)


def _own_shape(judgment: Judgment) -> dict[str, Any]:
    return {**shape_of(judgment), "version": judging.version_of(judgment)}


# ---- what waits, and what came back ----------------------------------------------------------------------------------
class TodayShape(serializers.Serializer):
    answers = serializers.IntegerField()
    goal = serializers.IntegerField(allow_null=True)
    active_seconds = serializers.FloatField()
    minutes_to_goal = serializers.IntegerField(allow_null=True, help_text="at the pace of today; null: not known")


class MyWorkShape(serializers.Serializer):
    held = serializers.IntegerField(allow_null=True, help_text="the assignment the caller has open")
    is_put_by = serializers.BooleanField(help_text="a manager gave them pages by name")
    reason = serializers.CharField(help_text="why nothing waits, where nothing does")
    returned = serializers.IntegerField(help_text="pages sent back to them")
    new_answers = serializers.IntegerField(help_text="own flags with an answer they have not read")
    new_flags = serializers.IntegerField(help_text="flags of others that are new to who settles them")
    today = TodayShape(allow_null=True, help_text="null: they chose to see no figures")


class MyWorkView(ActionView):
    actions = {"GET": "judgment.read_own"}

    @extend_schema(responses=MyWorkShape)
    def get(self, request, slug: str) -> Response:
        """What waits for the caller here, what came back to them, and their own day."""
        waits = own_work.waiting_for(self.project, self.person)
        settles = permissions.may(self.person, "flag.resolve", self.project, roles=self.roles)
        news = flags.news(self.project, self.person, settles=settles)
        return Response(
            {
                "held": waits.held.pk if waits.held else None,
                "is_put_by": waits.is_put_by,
                "reason": waits.sentence,
                "returned": returned.pages(self.project, self.person).count(),
                "new_answers": news.answers,
                "new_flags": news.raised,
                "today": _today_shape(today.of(self.person, self.project)),
            }
        )


def _today_shape(found: today.Today | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"answers": found.answers, "goal": found.goal, "active_seconds": found.active_seconds,
            "minutes_to_goal": found.minutes_to_goal}  # fmt: skip


class ReturnedShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="the assignment")
    item = serializers.CharField()
    url = serializers.CharField()
    message = serializers.CharField(allow_blank=True, help_text="of the adjudicator; empty where chance drew the page")
    since = serializers.DateTimeField()


class ReturnedView(ActionView):
    actions = {"GET": "judgment.read_own"}

    @extend_schema(responses=ReturnedShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Pages the caller is asked to judge once more; `next` leases them first."""
        return paged(self, returned.pages(self.project, self.person), self._shape)

    def _shape(self, slot: Assignment) -> dict[str, Any]:
        url = slot.item.url_key if self.project.show_queries else slot.item.url_display
        return {"id": slot.pk, "item": slot.item.public_id, "url": url, "message": returned.message_with(slot),
                "since": slot.created_at}  # fmt: skip


# ---- drafts ---------------------------------------------------------------------------------------------------------
class KeptDraftShape(DraftShape):
    id = serializers.IntegerField()
    item = serializers.CharField()
    url = serializers.CharField()
    state = serializers.ChoiceField(
        [(each.value, each.value) for each in drafts.Standing],
        help_text="held: the caller has the page; free: they can go on with it; away: it went to others",
    )


class DraftsView(ActionView):
    actions = {"GET": "draft.save_own"}

    @extend_schema(responses=KeptDraftShape(many=True))
    def get(self, request, slug: str) -> Response:
        """The caller's drafts, newest first: kept whatever became of the page."""
        return paged(self, drafts.kept_by(self.person, self.project), self._shape)

    def _shape(self, draft: Draft) -> dict[str, Any]:
        item = draft.item
        url = item.url_key if self.project.show_queries else item.url_display
        kept = {"id": draft.pk, "item": item.public_id, "url": url, "state": drafts.standing(draft).value}
        return kept | (draft_shape(draft) or {})


class OneDraftView(ActionView):
    """A call about one draft of the caller's; any other is not found."""

    def own(self) -> Draft:
        draft = drafts.of_person(self.person, self.project).filter(pk=self.kwargs["draft_id"]).first()
        if draft is None:
            raise Http404
        return draft


class DraftView(OneDraftView):
    actions = {"DELETE": "draft.save_own"}

    @extend_schema(responses={204: None})
    def delete(self, request, slug: str, draft_id: int) -> Response:
        """Throw the ticks away. The page, if the caller holds it, stays theirs."""
        drafts.throw_away(self.own())
        return Response(status=204)


class GoOnView(OneDraftView):
    actions = {"POST": "queue.claim"}

    @extend_schema(request=None, responses=NextShape)
    def post(self, request, slug: str, draft_id: int) -> Response:
        """Lease exactly the page of this draft, 409 when it is not to be had. What the caller holds goes back."""
        return Response(next_shape_of(drafts.go_on(self.own(), by=self.person), self.person))


class OptOutsShape(serializers.Serializer):
    opted_out = serializers.ListField(child=serializers.CharField(max_length=40), max_length=500)


class OptOutsView(ActionView):
    actions = {"GET": "desk.set_own", "PUT": "desk.set_own"}

    @extend_schema(responses=OptOutsShape)
    def get(self, request, slug: str) -> Response:
        """The labels the caller would rather not judge here. Nobody else can read them."""
        return Response({"opted_out": opt_outs.of(self.project, self.person)})

    @extend_schema(request=OptOutsShape, responses=OptOutsShape)
    def put(self, request, slug: str) -> Response:
        """Set them: pages on which one is likely go to other people."""
        body = OptOutsShape(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"opted_out": opt_outs.choose(self.project, self.person, body.validated_data["opted_out"])})
