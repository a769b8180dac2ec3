"""Flags: what people tell the managers about a page, and the thread that follows."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from labeling import flags, permissions
from labeling.api.base import ActionView, paged
from labeling.models import Flag, FlagKind, Project

STATES = ("open", "resolved", "all")


class FlagSerializer(serializers.Serializer):
    item = serializers.CharField(max_length=32, help_text="a page the caller was given; any page for managers")
    kind = serializers.ChoiceField(FlagKind.choices)
    label = serializers.CharField(max_length=40, default="", allow_blank=True, help_text="where kind is guideline")  # type: ignore[assignment]
    text = serializers.CharField(default="", allow_blank=True, max_length=flags.MAX_TEXT)


class MessageSerializer(serializers.Serializer):
    text = serializers.CharField(max_length=flags.MAX_TEXT)


class ResolutionSerializer(serializers.Serializer):
    """`decision` where the page is set aside: back to the queue, or out of the project."""

    text = serializers.CharField(default="", allow_blank=True, max_length=flags.MAX_TEXT)
    decision = serializers.ChoiceField([(each, each) for each in flags.DECISIONS], default="", allow_blank=True)


class CommentShape(serializers.Serializer):
    by = serializers.CharField(help_text="a name, a pseudonym, or on which side of the thread they are")
    text = serializers.CharField()
    written_at = serializers.DateTimeField()


class FlagShape(serializers.Serializer):
    """`kind`, `label` and `raised_by` are null where the caller may still be given the page and has not opened it."""

    id = serializers.IntegerField()
    item = serializers.CharField()
    kind = serializers.ChoiceField(FlagKind.choices, allow_null=True)
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    raised_by = serializers.CharField(allow_null=True)
    raised_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    is_new = serializers.BooleanField(
        help_text="the caller's own: answered or settled since they read it; of others: open, and not read as it stands"
    )


class ThreadShape(FlagShape):
    set_aside = serializers.BooleanField(help_text="the page waits for a decision")
    comments = CommentShape(many=True)


class FlagsView(ActionView):
    actions = {"GET": "flag.read", "POST": "flag.create"}
    query = frozenset({"state"})

    @extend_schema(responses=FlagShape(many=True), parameters=[OpenApiParameter("state", str, enum=STATES)])
    def get(self, request, slug: str) -> Response:
        """Annotators get their own flags; adjudicators and managers all, newest first."""
        state = request.query_params.get("state", "all")
        if state not in STATES:
            raise exceptions.ParseError(f"state is one of {', '.join(STATES)}.")
        reader = flags.reader(self.person, self.project, roles=self.roles)
        found = flags.listed(self.project, reader)
        if state != "all":
            found = found.filter(resolved_at__isnull=state == "open")
        return paged(self, found, lambda flag: flag_shape(flag, reader))

    @extend_schema(request=FlagSerializer, responses={201: ThreadShape})
    def post(self, request, slug: str) -> Response:
        """Tell the managers about a page. One that looks illegal is given to nobody until a manager has decided."""
        body = FlagSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        reader = flags.reader(self.person, self.project, roles=self.roles)
        item = flags.flaggable(self.project, reader).filter(public_id=said.pop("item")).first()
        if item is None:
            raise Http404
        flag = flags.raise_flag(item, by=self.person, **said)
        return Response(thread_shape(flag, reader), status=201)


class OneFlagView(ActionView):
    """A call about one flag the caller knows of; any other is not found. Who reads it is never given its page."""

    def scope_project(self) -> None:
        number = self.kwargs["flag_id"]
        flag = Flag.objects.filter(pk=number, project__in=Project.objects.visible_to(self.person)).first()
        if flag is None:
            raise Http404
        project = flag.project
        self.project = project
        self.roles = permissions.roles_of(self.person, project)
        permissions.require(self.person, self.actions[str(self.request.method)], project, roles=self.roles)
        self.reader = flags.reader(self.person, project, roles=self.roles)
        told = flags.listed(project, self.reader).filter(pk=number).first()
        if told is None:
            raise Http404
        self.flag = told

    def thread(self, *, status: int = 200) -> Response:
        self.flag.refresh_from_db()
        return Response(thread_shape(self.flag, self.reader), status=status)


class FlagView(OneFlagView):
    actions = {"GET": "flag.read"}

    @extend_schema(responses=ThreadShape)
    def get(self, request, flag_id: int) -> Response:
        """A flag with its thread. 409 while the caller holds its page and it is another person's."""
        flags.mark_read(flags.opened(self.flag, self.reader), self.reader)
        return self.thread()


class CommentsView(OneFlagView):
    actions = {"POST": "flag.comment"}

    @extend_schema(request=MessageSerializer, responses={201: ThreadShape})
    def post(self, request, flag_id: int) -> Response:
        """Say more. A settled flag waits again when the person who raised it does."""
        body = MessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        flags.comment(flags.opened(self.flag, self.reader), by=self.person, **body.validated_data)
        return self.thread(status=201)


class ResolveView(OneFlagView):
    actions = {"POST": "flag.resolve"}

    @extend_schema(request=ResolutionSerializer, responses=ThreadShape)
    def post(self, request, flag_id: int) -> Response:
        """Settle it. Of a page that was set aside a manager says what becomes of it: back, or out."""
        body = ResolutionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        flag = flags.opened(self.flag, self.reader)
        flags.resolve(flag, by=self.person, decides=self.reader.decides, **body.validated_data)
        return self.thread()


def flag_shape(flag: Flag, reader: flags.Reader) -> dict[str, Any]:
    veiled = getattr(flag, "veiled", False)
    return {
        "id": flag.pk,
        "item": flag.item.public_id,
        "kind": None if veiled else flag.kind,
        "label": None if veiled or not flag.label else flag.label,
        "raised_by": None if veiled else flags.who_said(flag.raised_by, flag, reader),
        "raised_at": flag.raised_at,
        "resolved_at": flag.resolved_at,
        "is_new": getattr(flag, "is_new", False),  # annotated by flags.listed; one just raised is known to its author
    }


def thread_shape(flag: Flag, reader: flags.Reader) -> dict[str, Any]:
    said = [
        {"by": flags.who_said(each.author, flag, reader), "text": each.text, "written_at": each.written_at}
        for each in flag.comments.select_related("author")
    ]
    flag.item.refresh_from_db(fields=["state", "state_reason"])
    aside = flags.waits_for_decision(flag, flag.item)
    return {**flag_shape(flag, reader), "set_aside": aside, "comments": said}
