"""kill -9 of the whole worker group while it trains: one model, every page scored once, no half a file.

Where the kill falls is no matter of luck: the test holds a row that the worker must wait for at that very step.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psycopg
import pytest

from active_learning import scoring, training
from active_learning.learner import artifacts
from active_learning.models import TrainingRun
from labeling import bulk, scores, weburls
from labeling.models import Item, Job, Project
from tests.active_learning.projects import LISTS, make_learning_project
from tests.conftest import this_database_url
from tests.servers import Worker

ANSWERED, OTHERS, SHARD = 300, 750, 200  # 6 shards, the last of 50 pages
THIRD_SHARD = (
    "INSERT INTO active_learning_scoreshard (run_id, number, sha256, first_item, last_item, n_items) "
    "VALUES (%s, 3, '', 0, 0, 0)"
)
THE_RUN = "SELECT 1 FROM active_learning_trainingrun WHERE id = %s FOR UPDATE"
QUICK = {
    "JOB_HEARTBEAT_SECONDS": "1", "JOB_STALE_SECONDS": "5", "JOB_SWEEP_SECONDS": "1", "SCORE_SHARD_ITEMS": str(SHARD),
}  # fmt: skip

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def where(broker, settings, tmp_path) -> dict[str, str]:
    """What a worker needs to know to share this test's database, broker and folder."""
    settings.BLOB_DIR = tmp_path / "blobs"
    return {"database_url": this_database_url(), "redis_url": broker.url, "TOUCHSTONE_DATA": str(tmp_path), **QUICK}


@pytest.fixture
def run(where) -> TrainingRun:
    project = make_learning_project(n_pages=ANSWERED, n_answered=ANSWERED, n_random=100, labels=LISTS[:2])
    add_pages(project, OTHERS)
    return training.request(project, by=None)


def test_killed_between_two_shards_it_keeps_those_it_had_and_scores_every_page_once(run, where):
    with Worker(**where) as worker, held(THIRD_SHARD, run):
        wait_until(lambda: run.shards.count() == 2, seconds=60)
        worker.kill()
    kept = shards_of(run)
    assert sorted(kept) == [1, 2] and training.current(run.project) is None
    finish(run, where)
    found = shards_of(run)
    assert {number: found[number] for number in kept} == kept, "the shards of the first attempt are not written again"
    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert_whole(run)


@pytest.mark.slow
def test_killed_with_its_model_on_the_disk_but_not_on_record_it_learns_once_more(run, where, settings):
    with Worker(**where) as worker, held(THE_RUN, run):
        wait_until(lambda: files_in(settings.BLOB_DIR / "models"), seconds=60)
        worker.kill()
    run.refresh_from_db()
    assert run.artifact_sha256 == "" and not run.shards.exists()
    finish(run, where)
    assert_whole(run)


def add_pages(project: Project, n_pages: int) -> None:
    addresses = [weburls.parse(f"https://page{n}.example{n}.com/a/path/of/page/{n}") for n in range(n_pages)]
    bulk.insert(
        [
            Item(project=project, public_id=address.public_id, url_raw=address.raw, url_key=address.key,
                 url_display=address.display, host=address.host, registrable_domain=address.registrable_domain)
            for address in addresses
        ]
    )  # fmt: skip


@contextmanager
def held(statement: str, run: TrainingRun) -> Iterator[None]:
    """A row that others wait for, as long as this lasts; then it is as if it had never been held."""
    with psycopg.connect(this_database_url()) as connection:
        connection.execute(statement, [run.pk])
        yield
        connection.rollback()


def finish(run: TrainingRun, where: dict[str, str]) -> None:
    with Worker(**where):
        wait_until(lambda: Job.objects.get(pk=run.job_id).state == Job.State.DONE, seconds=60)


def shards_of(run: TrainingRun) -> dict[int, tuple[int, str, int]]:
    """The row, the digest and the time of writing of each shard, by its number."""
    written = {path.stem: path.stat().st_mtime_ns for path in files_in(scoring.folder())}
    return {shard.number: (shard.pk, shard.sha256, written[shard.sha256]) for shard in run.shards.all()}


def assert_whole(run: TrainingRun) -> None:
    """One run, finished in its second attempt; each page in one shard; every file is what its name says."""
    run = TrainingRun.objects.get(pk=run.pk)
    assert TrainingRun.objects.get() == run == training.current(run.project)
    assert Job.objects.get(pk=run.job_id).attempt == 2
    scored = np.concatenate(
        [scores.read(scoring.folder(), shard.sha256).items for shard in run.shards.order_by("number")]
    )
    assert scored.tolist() == sorted(run.project.items.values_list("pk", flat=True))
    assert run.n_scored == len(scored) == ANSWERED + OTHERS
    for model in files_in(training.folder()):
        artifacts.load(model, artifact_sha256=model.stem)
    for shard in files_in(scoring.folder()):
        scores.verify(scoring.folder(), shard.stem)
    assert (training.folder() / run.artifact_name).exists()


def files_in(folder: Path) -> list[Path]:
    """Files under a final name; what is still being written begins with a dot."""
    return list(folder.glob("[!.]*"))


def wait_until(holds: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.05)
