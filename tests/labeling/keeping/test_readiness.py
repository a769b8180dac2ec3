"""What /healthz, /readyz and /metrics say when all is well, when something is away, and when the database is."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from labeling import health, tokens
from labeling.models import Heartbeat, Job, State
from tests.factories import make_assignment, make_item, make_project, make_user
from tests.labeling.jobs.work import make_job

pytestmark = pytest.mark.django_db


@contextmanager
def database_down(how: Exception):
    def refuse(*_args: object) -> None:
        raise how

    with connection.execute_wrapper(refuse):
        yield


def visitors() -> dict[str, Client]:
    """Somebody new, an operator's browser with its cookie, and an operator's program with its token."""
    operator = make_user(is_superuser=True)
    browser = Client()
    browser.force_login(operator)
    secret = tokens.issue(operator, name="probe", scopes=["read"])[1]
    return {"new": Client(), "browser": browser, "program": Client(headers={"Authorization": f"Token {secret}"})}


@pytest.mark.parametrize("how", [OperationalError("connection refused"), InterfaceError("connection already closed")])
def test_without_a_database_health_still_answers_whoever_asks(how):
    for name, client in visitors().items():
        with database_down(how):
            live, ready, metrics = (client.get(path) for path in ("/healthz", "/readyz", "/metrics"))
        assert (live.status_code, ready.status_code, metrics.status_code) == (200, 503, 200), name
        assert ready.json() == {"status": "not ready", "checks": {"database": "failed"}}
        assert numbers(metrics) == {("touchstone_check", "database"): 0}


def test_the_metrics_are_nobodys_elsewhere_while_nobody_can_be_known():
    with database_down(OperationalError("connection refused")):
        assert Client().get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403


def test_a_session_that_is_over_shows_no_details(settings):
    browser = visitors()["browser"]
    assert "details" in browser.get("/readyz").json()
    settings.SESSION_MAX_DAYS = 0
    assert "details" not in browser.get("/readyz").json()


def test_without_a_broker_people_can_work(broker):
    assert checks()["broker"] == "ok"
    broker.kill()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["checks"]["broker"] == "degraded"


def test_a_worker_that_has_been_silent_for_long_is_degraded(settings):
    assert checks()["worker"] == "degraded"
    Heartbeat.beat("worker")
    assert checks()["worker"] == "ok"
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=10 * settings.JOB_SWEEP_SECONDS))
    assert checks()["worker"] == "degraded"


def test_before_the_tables_are_made_nothing_is_asked_of_them():
    health._known_migrated.cache_clear()
    MigrationRecorder(connection).migration_qs.filter(app="labeling").delete()
    with connection.execute_wrapper(without_tables):
        answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "ok", "migrations": "failed"})
    health._known_migrated.cache_clear()


def without_tables(execute, sql, *rest):
    assert "labeling_" not in sql, sql
    return execute(sql, *rest)


def test_the_metrics_count_slots_and_jobs_by_state_and_grade_each_check():
    project = make_project()
    item = make_item(project)
    for slot in (1, 2):
        make_assignment(project, item, slot=slot)
    make_assignment(project, leased_to=make_user(), expires_at=timezone.now())
    make_job()
    make_job(state=Job.State.FAILED)
    Heartbeat.beat("worker")
    found = numbers(Client().get("/metrics"))
    assert found.pop(("touchstone_check", "broker")) in (0.5, 1)
    assert found == {
        ("touchstone_check", "database"): 1,
        ("touchstone_check", "migrations"): 1,
        ("touchstone_check", "worker"): 1,
        ("touchstone_rows", "slots", State.OPEN): 2,
        ("touchstone_rows", "slots", State.LEASED): 1,
        ("touchstone_rows", "jobs", Job.State.QUEUED): 1,
        ("touchstone_rows", "jobs", Job.State.FAILED): 1,
    }


def checks() -> dict[str, str]:
    return Client().get("/readyz").json()["checks"]


def numbers(answer) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {(row.name, *row.labels.values()): row.value for family in families for row in family.samples}
