"""/healthz says "alive", /readyz says what works, /metrics counts. Outside the API, and cheap."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from labeling import health
from labeling.models import ApiToken
from labeling.web import page


@page("health.live")
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "alive"})


@page("health.live")
def readyz(request: HttpRequest) -> HttpResponse:
    """503 only when people could not work; a missing broker or worker is "degraded". Details are for operators."""
    found = health.checks()
    body: dict[str, object] = {
        "status": "ready" if health.ready(found) else "not ready",
        "checks": {check.name: check.state for check in found},
    }
    if request.user.is_authenticated and request.user.is_superuser:
        body |= {"details": {check.name: check.detail for check in found}, "depths": health.depths()}
        body["version"] = settings.VERSION
    return JsonResponse(body, status=200 if health.ready(found) else 503)


@page("health.live")
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for a superuser's token or from this machine itself."""
    if not (_from_loopback(request) or _operator(request)):
        return JsonResponse({"detail": "Metrics are for this machine or an operator's token."}, status=403)
    registry = CollectorRegistry()
    up = Gauge("touchstone_check", "1 ok, 0.5 degraded, 0 failed", ["check"], registry=registry)
    for check in health.checks():
        up.labels(check.name).set({"ok": 1, "degraded": 0.5, "failed": 0}[check.state])
    rows = Gauge("touchstone_rows", "rows by state", ["kind", "state"], registry=registry)
    for name, n in health.depths().items():
        kind, _, state = name.partition("_")
        rows.labels(kind, state).set(n)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_loopback(request: HttpRequest) -> bool:
    if "X-Forwarded-For" in request.headers:
        return False  # a proxy on this machine speaks for somebody else
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _operator(request: HttpRequest) -> bool:
    if request.user.is_authenticated and request.user.is_superuser:
        return True
    word, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = ApiToken.objects.live().by_secret(secret.strip()).select_related("user").first()
    return word.lower() in {"token", "bearer"} and token is not None and token.user.is_superuser
