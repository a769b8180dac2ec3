"""/healthz says "alive", /readyz says what works, /metrics counts. Outside the API, and cheap."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from labeling import clients, health, sessions, tokens
from labeling.permissions import may_globally
from labeling.web import page


@page("health.live")
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "alive"})


@page("health.live")
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 only when people could not work; a missing broker or worker is "degraded". Details are for operators."""
    found = health.checks()
    ready = health.ready(found)
    body: dict[str, object] = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: check.state for check in found},
    }
    if ready and _may_see_details(request):  # who asks stands in the database
        body |= {"details": {check.name: check.detail for check in found}, "depths": health.depths()}
        body["version"] = settings.VERSION
    return JsonResponse(body, status=200 if ready else 503)


@page("health.metrics")
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for an operator's token or from this machine itself."""
    found = health.checks()
    ready = health.ready(found)
    if not (clients.is_this_machine(request) or (ready and _may_see_details(request))):
        return JsonResponse({"detail": "Metrics are for this machine or an operator's token."}, status=403)
    registry = CollectorRegistry()
    up = Gauge("touchstone_check", "1 ok, 0.5 degraded, 0 failed", ["check"], registry=registry)
    for check in found:
        up.labels(check.name).set({"ok": 1, "degraded": 0.5, "failed": 0}[check.state])
    rows = Gauge("touchstone_rows", "rows by state", ["kind", "state"], registry=registry)
    for name, n in health.depths().items() if ready else ():
        kind, _, state = name.partition("_")
        rows.labels(kind, state).set(n)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_details(request: HttpRequest) -> bool:
    """An operator, in a browser session or by a token that may read."""
    header = request.headers.get("Authorization", "")
    if not tokens.is_sent(header):
        is_over = sessions.is_too_old(request, timezone.now())
        return not is_over and may_globally(request.user, "health.detail")
    token = tokens.sent_in(header)
    return token is not None and "read" in token.scopes and may_globally(token.user, "health.detail")
