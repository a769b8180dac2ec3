"""The sweep: dead and forgotten jobs go on, told in the audit trail, and soon enough on the settings we ship."""

import os
import subprocess
import sys
from functools import cache

import pytest
from django.utils import timezone

from labeling import jobs, sweeping
from labeling.models import Job
from tests.labeling.jobs.work import kinds_of_events, long_ago, make_job

State = Job.State
PROMISED_SECONDS = 60
NUDGE_AND_CLAIM_SECONDS = 20  # the message, a worker that finishes a step first, a process that starts


@pytest.mark.django_db
def test_a_stale_job_waits_again_and_fails_after_its_last_attempt(settings):
    settings.JOB_MAX_ATTEMPTS = 3
    stale = make_job(state=State.RUNNING, attempt=2, fence=2, heartbeat_at=long_ago())
    last = make_job(state=State.RUNNING, attempt=3, fence=3, heartbeat_at=long_ago())
    alive = make_job(state=State.RUNNING, attempt=1, fence=1, heartbeat_at=timezone.now())
    swept = sweeping.sweep()
    states = [Job.objects.get(pk=job.pk).state for job in (stale, last, alive)]
    assert states == [State.QUEUED, State.FAILED, State.RUNNING]
    assert (swept["requeued"], swept["failed"]) == (1, 1)
    assert "lost 3 times" in Job.objects.get(pk=last.pk).message


@pytest.mark.django_db
def test_a_forgotten_job_is_nudged_again(monkeypatch):
    told = []
    monkeypatch.setattr(jobs, "nudge", lambda pk: bool(told.append(pk)) or True)
    forgotten = make_job(created_at=long_ago(), nudged_at=long_ago())
    make_job(created_at=long_ago(), nudged_at=timezone.now())
    sweeping.sweep()
    assert told == [forgotten.pk]


@pytest.mark.django_db
def test_a_stale_job_whose_twin_waits_already_leaves_the_work_to_it():
    first = jobs.enqueue("test", exclusive="train:1")
    jobs.claim(first.pk)
    second = jobs.enqueue("test", exclusive="train:1")
    Job.objects.filter(pk=first.pk).update(heartbeat_at=long_ago())
    sweeping.sweep()
    assert Job.objects.get(pk=first.pk).state == State.CANCELLED
    assert jobs.claim(second.pk) is not None


@pytest.mark.django_db
def test_every_job_the_sweep_ends_has_its_own_line_in_the_audit_trail(settings):
    settings.JOB_MAX_ATTEMPTS = 1
    lost = [make_job(state=State.RUNNING, attempt=1, fence=1, heartbeat_at=long_ago()) for _ in range(2)]
    settings.JOB_MAX_ATTEMPTS = 3
    left = make_job(state=State.RUNNING, exclusive="train:1", attempt=1, fence=1, heartbeat_at=long_ago())
    jobs.enqueue("test", exclusive="train:1")
    sweeping.sweep()
    settings.JOB_MAX_ATTEMPTS = 1
    Job.objects.filter(pk__in=[job.pk for job in lost]).update(state=State.RUNNING, heartbeat_at=long_ago())
    sweeping.sweep()
    assert [kinds_of_events(job) for job in lost] == [["job.failed.test"]] * 2
    assert kinds_of_events(left) == ["job.cancelled.test"]


@pytest.mark.django_db
def test_a_broker_that_is_away_for_one_job_is_not_asked_for_the_next(monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "nudge", lambda pk: bool(asked.append(pk)))
    for _ in range(3):
        make_job(created_at=long_ago())
    assert sweeping.sweep()["nudged"] == 0
    assert len(asked) == 1


# ---- how soon -------------------------------------------------------------------------------------------------------
def test_on_the_settings_we_ship_a_lost_job_runs_again_within_a_minute():
    heartbeat, stale, sweep, _ = shipped()
    assert stale + sweep + NUDGE_AND_CLAIM_SECONDS <= PROMISED_SECONDS
    assert stale >= 3 * heartbeat


def test_a_worker_that_waits_for_the_write_lock_is_not_taken_for_dead():
    heartbeat, stale, _, write_lock = shipped()
    assert stale > heartbeat + write_lock


@cache
def shipped() -> list[float]:
    """Seconds of heartbeat, staleness, sweep and SQLite's lock, as a process sees them that nobody told anything."""
    names = ("JOB_HEARTBEAT_SECONDS", "JOB_STALE_SECONDS", "JOB_SWEEP_SECONDS")
    ask = (
        "from django.conf import settings as s; "
        f"print(*(getattr(s, name) for name in {names}), s.DATABASES['default']['OPTIONS']['timeout'])"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOB_")}
    answer = subprocess.run(
        [sys.executable, "-c", ask],
        env={**kept, "DATABASE_URL": "sqlite:///nothing.sqlite3"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in answer.stdout.split()]
