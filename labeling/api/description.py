"""How the OpenAPI document is written: tags by resource, and the two ways to say who asks."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "labeling.api.conventions.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token <key>`"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "labeling.api.conventions.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Schema(AutoSchema):
    """Operation ids from path and method, and the problem body beside every answer."""

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.removeprefix("/api/v1").split("/") if part and "{" not in part]
        return [parts[1] if len(parts) > 1 and parts[0] == "projects" else parts[0] if parts else "api"]
