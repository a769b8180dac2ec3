"""kill -9 of the whole worker group in the middle of an import: nothing lost, nothing doubled, on again within 60 s."""

import time
from collections.abc import Callable, Iterator

import pytest

from labeling import imports
from labeling.models import Import, Item, Job, Selection, Snapshot
from tests.conftest import this_database_url
from tests.factories import make_project
from tests.servers import Worker

ROWS = 30_000
QUICK = {"JOB_HEARTBEAT_SECONDS": "1", "JOB_STALE_SECONDS": "10", "JOB_SWEEP_SECONDS": "2"}


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_killed_import_goes_on_with_another_worker(broker):
    run = imports.start(make_project(), by=None, chunks=rows(), queue=True)
    where = {"database_url": this_database_url(), "redis_url": broker.url}
    with Worker(**where, **QUICK) as worker:
        wait_until(lambda: 0 < rows_done(run) < ROWS, seconds=60)
        worker.kill()
    stopped_at = rows_done(run)
    assert 0 < stopped_at < ROWS, "the import was over before it could be killed"
    with Worker(**where, **QUICK):
        wait_until(lambda: rows_done(run) > stopped_at, seconds=60)
        wait_until(lambda: Job.objects.get(pk=run.pk).state == Job.State.DONE, seconds=120)
    run = Import.objects.get(pk=run.pk)
    assert (run.rows_total, run.rows_created, run.rows_duplicate, run.rows_refused) == (ROWS, ROWS - 30, 20, 10)
    assert run.refused.count() == 10
    assert Item.objects.count() == Selection.objects.count() == Snapshot.objects.count() == ROWS - 30
    assert not Item.objects.filter(assignments=None).exists()
    assert Job.objects.get(pk=run.pk).attempt == 2


def rows() -> Iterator[bytes]:
    """Of every 1,000 rows one repeats the row before it or, every third time, is no address."""
    yield b"url,title\n"
    for n in range(ROWS):
        if n % 3000 == 999:
            yield b"nonsense,t\n"
        elif n % 1000 == 999:
            yield f"https://h{n - 1}.example/,t{n - 1}\n".encode()
        else:
            yield f"https://h{n}.example/,t{n}\n".encode()


def rows_done(run: Import) -> int:
    return Import.objects.values_list("rows_done", flat=True).get(pk=run.pk)


def wait_until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.05)
