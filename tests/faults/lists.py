"""A list long enough to be interrupted while it is imported, and what must be true of it afterwards."""

import time
from collections.abc import Callable, Iterator

from labeling import imports
from labeling.models import Import, Item, Job, Selection, Snapshot
from tests.factories import make_project

ROWS = 15_000
NONSENSE = ROWS // 3000
REPEATED = ROWS // 1000 - NONSENSE
QUICK = {"JOB_HEARTBEAT_SECONDS": "1", "JOB_STALE_SECONDS": "10", "JOB_SWEEP_SECONDS": "2"}


def start_import() -> Import:
    return imports.start(make_project(), by=None, chunks=rows(), queue=True)


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


def is_under_way(run: Import) -> bool:
    return 0 < rows_done(run) < ROWS


def is_done(run: Import) -> bool:
    job = Job.objects.get(pk=run.pk)
    assert job.state != Job.State.FAILED, job.message
    return job.state == Job.State.DONE


def assert_whole(run: Import) -> None:
    """Nothing lost, nothing doubled."""
    run = Import.objects.get(pk=run.pk)
    whole = ROWS - REPEATED - NONSENSE
    assert (run.rows_total, run.rows_created, run.rows_duplicate, run.rows_refused) == (
        ROWS, whole, REPEATED, NONSENSE,
    )  # fmt: skip
    assert run.refused.count() == NONSENSE
    items = Item.objects.filter(project=run.project)
    assert items.count() == whole and not items.filter(assignments=None).exists()
    for model in (Selection, Snapshot):
        assert model.objects.filter(item__in=items).count() == whole


def wait_until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.05)
