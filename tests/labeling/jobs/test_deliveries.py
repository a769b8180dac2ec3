"""Every task is delivered twice: the second delivery changes nothing."""

import pytest
from celery import current_app

from active_learning import tasks as learning_tasks
from labeling import imports, refits, tasks
from labeling.models import Event, IdempotencyKey, Import, Item, Job, Judgment
from tests.factories import make_project
from tests.labeling.jobs.work import kinds_of_events, long_ago, make_job
from tests.labeling.keeping.test_retention import ago, make_key
from tests.labeling.truth.crowd import GOOD, crowd

pytestmark = pytest.mark.django_db
State = Job.State
PAGES = b"url\nhttps://a.example/\nhttps://a.example/\nhttps://b.example/\nno address\n"
ANSWERS = b"url,annotator,yes\nhttps://a.example/,r1,games\nhttps://b.example/,r1,news\n"


@pytest.fixture(autouse=True)
def files_of_its_own(settings, tmp_path) -> None:
    settings.BLOB_DIR = tmp_path / "blobs"


def test_every_task_of_ours_is_delivered_twice_by_a_test():
    """Here, and `poll` by tests/active_learning/test_retrain.py."""
    ours = {name for name in current_app.tasks if not name.startswith("celery.")}
    told = {task.name for task in (tasks.run_job, tasks.sweep, tasks.retain, tasks.refit, learning_tasks.poll)}
    assert ours == told


@pytest.mark.parametrize("kind", Import.Kind.values)
def test_an_import(kind):
    project = make_project()
    pages = imports.start(project, by=None, chunks=iter([PAGES]), filename="pages.csv")
    run = pages
    if kind == Import.Kind.JUDGMENTS:
        assert tasks.run_job(str(pages.pk)) == State.DONE
        run = imports.start(project, by=None, chunks=iter([ANSWERS]), filename="answers.csv", kind=kind)
    assert [tasks.run_job(str(run.pk)), tasks.run_job(str(run.pk))] == [State.DONE, "not ours"]
    run.refresh_from_db()
    counts = (run.rows_total, run.rows_created, run.rows_duplicate, run.rows_refused)
    assert counts == ((4, 2, 1, 1) if kind == Import.Kind.ITEMS else (2, 2, 0, 0))
    assert Item.objects.count() == 2 and Judgment.objects.count() == (2 if kind == Import.Kind.JUDGMENTS else 0)
    assert [name for name in kinds_of_events(run.job) if name.startswith("job.done")] == [f"job.done.{run.job.kind}"]


def test_the_sweep():
    stale = make_job(state=State.RUNNING, attempt=1, fence=1, heartbeat_at=long_ago())
    assert [tasks.sweep()["requeued"], tasks.sweep()["requeued"]] == [1, 0]
    stale.refresh_from_db()
    assert (stale.state, stale.attempt, stale.fence) == (State.QUEUED, 1, 2)
    assert not Event.objects.filter(kind="job.failed.test").exists()


def test_the_retention(settings):
    make_key(created_at=ago(hours=settings.IDEMPOTENCY_HOURS, minutes=1))
    kept = make_key()
    assert [tasks.retain()["idempotency_keys"], tasks.retain()["idempotency_keys"]] == [1, 0]
    assert IdempotencyKey.objects.get() == kept


def test_the_refit():
    project = make_project()
    crowd(project, 40, {"ann": GOOD, "ben": GOOD, "cat": GOOD})
    tasks.refit()
    waiting = list(Job.objects.unfinished().values_list("kind", "project"))
    assert waiting == [(refits.KIND, project.pk)]
    tasks.refit()
    assert list(Job.objects.unfinished().values_list("kind", "project")) == waiting


def test_what_the_scheduler_sends_is_worth_nothing_once_the_next_is_due(settings):
    schedule = settings.CELERY_BEAT_SCHEDULE.values()
    assert {entry["task"] for entry in schedule} <= set(current_app.tasks)
    assert [entry["options"]["expires"] for entry in schedule] == [entry["schedule"] for entry in schedule]
