"""One's own tokens. A token's secret is in the answer that makes it, and nowhere else."""

from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.response import Response

from labeling import tokens
from labeling.api.base import ActionView, paged
from labeling.api.conventions import JSONRenderer
from labeling.models import ApiToken


class TokenInput(serializers.Serializer):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiToken.SCOPES), min_length=1, max_length=2)
    expires_at = serializers.DateTimeField(required=False, help_text="default: in 90 days; at most in 365")
    days = serializers.IntegerField(required=False, min_value=1, max_value=tokens.MAX_DAYS)


class TokenShape(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="the first characters")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiToken.SCOPES))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewTokenShape(TokenShape):
    token = serializers.CharField(help_text="the secret, shown this once")


def token_shape(token: ApiToken) -> dict[str, Any]:
    names = ("id", "name", "hint", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    return {name: getattr(token, name) for name in names}


class TokensView(ActionView):
    actions = {"GET": "token.create_own", "POST": "token.create_own", "DELETE": "token.create_own"}
    query = frozenset({"id"})

    @extend_schema(responses=TokenShape(many=True))
    def get(self, request) -> Response:
        """Your tokens, without their secrets."""
        return paged(self, ApiToken.objects.filter(user=request.user), token_shape)

    @extend_schema(request=TokenInput, responses={201: NewTokenShape})
    def post(self, request) -> Response:
        """Make a token. Its secret is in this answer and is kept nowhere."""
        body = TokenInput(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        if "days" in data and "expires_at" not in data:
            data["expires_at"] = timezone.now() + timedelta(days=data["days"])
        token, secret = tokens.issue(
            request.user, name=data["name"], scopes=data["scopes"], expires_at=data.get("expires_at")
        )
        response = Response({**token_shape(token), "token": secret}, status=201)
        kept = JSONRenderer().render({**token_shape(token), "token": None})
        response.content_to_keep = kept  # type: ignore[attr-defined]  # what a repeat of the call is answered
        return response

    @extend_schema(responses={204: None}, parameters=[OpenApiParameter("id", int, required=True)])
    def delete(self, request) -> Response:
        """End one of your tokens at once."""
        return ended(request, request.query_params.get("id", ""))


class TokenView(ActionView):
    actions = {"GET": "token.read_other", "DELETE": "token.create_own"}

    @extend_schema(responses={403: None}, operation_id="tokens_read_again")
    def get(self, request, token_id: int) -> Response:
        """Never answered: nobody reads a token again. The policy refuses it to everyone."""
        raise AssertionError("the policy lets nobody come here")

    @extend_schema(responses={204: None}, operation_id="tokens_end")
    def delete(self, request, token_id: int) -> Response:
        """End one of your tokens at once."""
        return ended(request, str(token_id))


def ended(request, number: str) -> Response:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise ParseError("Name the token: ?id=NUMBER.")
    token = get_object_or_404(ApiToken, pk=int(number), user=request.user)
    tokens.revoke(token, by=request.user)
    return Response(status=204)
