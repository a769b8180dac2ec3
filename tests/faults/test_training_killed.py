"""kill -9 of the whole worker group while it trains: one model, every page scored once, no half a file."""

import time
from collections.abc import Callable

import pytest

from active_learning import training
from active_learning.learner import artifacts
from active_learning.models import TrainingRun
from labeling import bulk, scores, weburls
from labeling.models import Item, Job, Project
from tests.active_learning.projects import LISTS, make_learning_project
from tests.conftest import this_database_url
from tests.servers import Worker

PAGES = 40_000
QUICK = {"JOB_HEARTBEAT_SECONDS": "1", "JOB_STALE_SECONDS": "10", "JOB_SWEEP_SECONDS": "2"}


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["Scored", pytest.param("Learning", marks=pytest.mark.slow)])
def test_a_killed_training_run_goes_on_with_another_worker(step, broker, settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"
    where = {"database_url": this_database_url(), "redis_url": broker.url, "TOUCHSTONE_DATA": str(tmp_path), **QUICK}
    project = make_learning_project(n_pages=300, n_answered=300, n_random=100, labels=LISTS[:2])
    add_pages(project, PAGES)
    run = training.request(project, by=None)
    kill_when(lambda: message_of(run).startswith(step), where)
    assert training.current(project) is None, "the run was over before it could be killed"
    with Worker(**where):
        wait_until(lambda: Job.objects.get(pk=run.job_id).state == Job.State.DONE, seconds=120)
    run = TrainingRun.objects.get()
    assert run == training.current(project) and run.n_scored == PAGES + 300
    assert sum(shard.n_items for shard in run.shards.all()) == PAGES + 300
    assert whole_files(settings.BLOB_DIR, run)
    assert Job.objects.get().attempt == 2


def add_pages(project: Project, n_pages: int) -> None:
    addresses = [weburls.parse(f"https://page{n}.example{n}.com/a/path/of/page/{n}") for n in range(n_pages)]
    bulk.insert(
        [
            Item(project=project, public_id=address.public_id, url_raw=address.raw, url_key=address.key,
                 url_display=address.display, host=address.host, registrable_domain=address.registrable_domain)
            for address in addresses
        ]
    )  # fmt: skip


def whole_files(folder, run: TrainingRun) -> bool:
    """Every file under a final name is exactly what its name says."""
    for model in (folder / "models").glob("[!.]*"):
        artifacts.load(model, artifact_sha256=model.stem)
    for shard in (folder / "scores").glob("[!.]*"):
        scores.verify(folder / "scores", shard.stem)
    return (folder / "models" / run.artifact_name).exists()


def kill_when(holds: Callable[[], bool], where: dict[str, str]) -> None:
    with Worker(**where) as worker:
        wait_until(holds, seconds=90)
        worker.kill()


def message_of(run: TrainingRun) -> str:
    return Job.objects.values_list("message", flat=True).get(pk=run.job_id)


def wait_until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.02)
