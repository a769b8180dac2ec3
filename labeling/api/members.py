"""Members of a project: one row per role."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.response import Response

from labeling import members, rules
from labeling.api.base import ActionView, paged
from labeling.api.project_shapes import field_of
from labeling.models import Membership, Role


class MemberShape(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices)
    quota_per_day = serializers.IntegerField(read_only=True, allow_null=True, help_text="null: as the project says")
    quota_total = serializers.IntegerField(read_only=True, allow_null=True)
    quota_share = serializers.FloatField(read_only=True, allow_null=True)
    added_at = serializers.DateTimeField(read_only=True)


class MemberChange(serializers.Serializer):
    """Which membership, and what is other here than the project says; null follows the project again."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices)

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {setting.name: field_of(setting) for setting in rules.QUOTAS}


def member_shape(membership: Membership) -> dict[str, Any]:
    quotas = {setting.name: getattr(membership, setting.name) for setting in rules.QUOTAS}
    named = {"username": membership.user.username, "role": membership.role}
    return named | quotas | {"added_at": membership.added_at}


class MembersView(ActionView):
    actions = {
        "GET": "member.list",
        "POST": "member.add_remove_role",
        "PATCH": "member.set_quota",
        "DELETE": "member.add_remove_role",
    }
    query = frozenset({"username", "role"})
    page_key = "id"

    @extend_schema(responses=MemberShape(many=True))
    def get(self, request, slug: str) -> Response:
        """Who is in the project, in which role."""
        found = self.project.memberships.select_related("user")
        wanted = {"user__username": request.query_params.get("username"), "role": request.query_params.get("role")}
        for name, value in wanted.items():
            if value is not None:
                found = found.filter((name, value))
        return paged(self, found, member_shape)

    @extend_schema(request=MemberShape, responses={201: MemberShape})
    def post(self, request, slug: str) -> Response:
        """Give a person a role. Harmless when they have it."""
        body = MemberShape(data=request.data)
        body.is_valid(raise_exception=True)
        membership = members.add(self.project, **body.validated_data, by=request.user)
        return Response(member_shape(membership), status=201)

    @extend_schema(request=MemberChange, responses=MemberShape)
    def patch(self, request, slug: str) -> Response:
        """Say how much one person may answer, in one of their roles."""
        body = MemberChange(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        rows = self.project.memberships.select_related("user")
        membership = get_object_or_404(rows, user__username=values.pop("username"), role=values.pop("role"))
        return Response(member_shape(members.set_quotas(membership, values, by=request.user)))

    @extend_schema(
        responses={204: None},
        parameters=[OpenApiParameter("username", str, required=True), OpenApiParameter("role", str, required=True)],
    )
    def delete(self, request, slug: str) -> Response:
        """Take a role away; it counts from the next request. The last manager stays."""
        named = {**request.data, **request.query_params.dict()} if isinstance(request.data, dict) else {}
        if not (isinstance(named.get("username"), str) and isinstance(named.get("role"), str)):
            raise ParseError("Name the person and the role: ?username=NAME&role=ROLE.")
        rows = self.project.memberships.select_related("user")
        membership = get_object_or_404(rows, user__username=named["username"], role=named["role"])
        members.remove(membership, by=request.user)
        return Response(status=204)
