"""Whether this installation can work: database, migrations, broker, worker. Doors decide who may see how much of it."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from django.utils import timezone

from labeling.models import Assignment, Heartbeat, Job


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    state: str  # ok, degraded, failed
    detail: str = ""


def checks() -> list[Check]:
    """Each only where those before it are no failure: without its tables a database can be asked nothing."""
    found = [_database()]
    if ready(found):
        found.append(_migrations())
    if ready(found):
        found += [broker(), _worker()]
    return found


def ready(found: list[Check]) -> bool:
    """A broker or worker that is away is degraded, not down: people go on judging without them."""
    return all(check.state != "failed" for check in found)


def _database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as trouble:
        return Check("database", "failed", type(trouble).__name__)
    return Check("database", "ok")


def _migrations() -> Check:
    return Check("migrations", "ok") if _migrated() else Check("migrations", "failed", "run migrate")


def _migrated() -> bool:
    if _known_migrated():
        return True
    _known_migrated.cache_clear()
    return False


@lru_cache(maxsize=1)
def _known_migrated() -> bool:
    """Asked once it is true: the plan of a running process does not grow."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def broker() -> Check:
    try:
        with current_app.connection_for_write(connect_timeout=1) as connected:
            connected.ensure_connection(max_retries=0, timeout=1)
    except Exception as away:  # noqa: BLE001  transport errors differ by broker
        return Check("broker", "degraded", type(away).__name__)
    return Check("broker", "ok")


def worker_seen(*, within_seconds: float) -> bool:
    """Whether a worker of this database said so lately that it may still run."""
    since = timezone.now() - timedelta(seconds=within_seconds)
    return Heartbeat.objects.filter(process="worker", at__gt=since).exists()


def _worker() -> Check:
    beat = Heartbeat.objects.filter(process="worker").first()
    if beat is None:
        return Check("worker", "degraded", "no worker has reported yet")
    age = timezone.now() - beat.at
    fresh = age < timedelta(seconds=4 * settings.JOB_SWEEP_SECONDS)
    return Check("worker", "ok" if fresh else "degraded", f"last seen {int(age.total_seconds())} s ago")


def depths() -> dict[str, int]:
    """Rows by state in the queue and among jobs, for /metrics and the operators' view."""
    slots = dict(Assignment.objects.values_list("state").annotate(n=Count("id")))
    work = dict(Job.objects.values_list("state").annotate(n=Count("id")))
    return {f"slots_{state}": n for state, n in slots.items()} | {f"jobs_{state}": n for state, n in work.items()}
