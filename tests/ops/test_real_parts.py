"""The real broker and worker that other tests lean on."""

import time

import pytest

from labeling import jobs
from labeling.models import Job

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
PATIENCE_SECONDS = 30


def test_a_job_written_here_is_done_by_the_worker_process(worker):
    job = jobs.enqueue("unknown-kind")
    assert state_after_waiting(job) == Job.State.FAILED
    job.refresh_from_db()
    assert "does not know how" in job.message


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
