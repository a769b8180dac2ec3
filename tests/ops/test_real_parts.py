"""The real broker and worker that other tests lean on."""

import time

import pytest

from labeling import imports, jobs
from labeling.models import Item, Job
from tests.factories import make_project

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
PATIENCE_SECONDS = 30


def test_a_job_written_here_is_done_by_the_worker_process(worker):
    job = jobs.enqueue("unknown-kind")
    assert state_after_waiting(job) == Job.State.FAILED
    job.refresh_from_db()
    assert "does not know how" in job.message


def test_a_message_delivered_twice_does_its_job_once(worker):
    run = imports.start(make_project(), by=None, chunks=iter([b"url\nhttps://a.example/\n"]))
    for _ in range(2):
        assert jobs.nudge(run.pk)
    assert state_after_waiting(run.job) == Job.State.DONE
    after = jobs.enqueue("unknown-kind")  # one worker takes one message after the other: the copies are behind us
    assert state_after_waiting(after) == Job.State.FAILED
    run.job.refresh_from_db()
    assert (run.job.state, run.job.attempt, Item.objects.count()) == (Job.State.DONE, 1, 1)


def test_a_job_is_written_while_the_broker_is_away(broker):
    broker.kill()
    assert not jobs.nudge(jobs.enqueue("unknown-kind").pk)


def state_after_waiting(job):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        job.refresh_from_db()
        if job.state in {Job.State.DONE, Job.State.FAILED}:
            break
        time.sleep(0.1)
    return job.state
