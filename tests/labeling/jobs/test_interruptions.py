"""Cut off by the database or told to end, a job goes on later; only what is wrong with the job itself fails it."""

import signal
import sqlite3
import threading
from contextlib import closing, suppress

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from config.supervisor import StopRequested
from labeling import jobs, sweeping
from labeling.models import Job
from tests.factories import make_project
from tests.labeling.jobs.work import kinds_of_events, long_ago, make_job

State = Job.State
pytestmark = pytest.mark.django_db(transaction=True)


def lose_the_database() -> None:
    """What really happens: the server ends our session, or another process holds SQLite's one write lock too long."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        make_project()


@pytest.mark.parametrize("is_in_a_transaction", [False, True])
def test_a_job_whose_database_goes_away_waits_and_is_done_in_its_next_attempt(kind, is_in_a_transaction):
    attempts = []

    @kind
    def work(claim):
        attempts.append(claim.job.attempt)
        if len(attempts) == 1 and is_in_a_transaction:
            with transaction.atomic():
                make_project("half-made")
                lose_the_database_in_a_transaction()
        if len(attempts) == 1:
            lose_the_database()

    job = make_job()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (State.QUEUED, "The database interrupted it; waiting to go on")
    assert jobs.run(job.pk) == State.DONE
    assert attempts == [1, 2]


def lose_the_database_in_a_transaction() -> None:
    if connection.vendor == "postgresql":
        lose_the_database()
    raise OperationalError("disk I/O error")


def test_what_copy_raises_is_known_as_well(kind):
    """COPY goes past Django's cursor: its errors are the driver's own."""

    @kind
    def work(claim):
        raise connection.Database.InterfaceError("the connection is closed")

    job = make_job()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == State.QUEUED


@pytest.mark.parametrize(
    "trouble", [OperationalError("deadlock detected"), InterfaceError("connection already closed")]
)
def test_a_job_that_is_cut_off_each_time_fails_in_the_end_and_says_why(kind, settings, trouble):
    settings.JOB_MAX_ATTEMPTS = 2

    @kind
    def work(claim):
        raise trouble

    job = make_job()
    jobs.run(job.pk)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.FAILED, 2)
    assert job.message.startswith("The database interrupted it 2 times.")
    assert kinds_of_events(job) == ["job.failed.test"]


def test_a_job_that_cannot_even_be_given_back_is_left_to_the_sweep(kind, monkeypatch):
    @kind
    def work(claim):
        raise OperationalError("server closed the connection unexpectedly")

    def still_away(*_args: object, **_more: object) -> str:
        raise OperationalError("the database system is in recovery mode")

    job = make_job()
    with monkeypatch.context() as away:
        away.setattr(jobs, "give_back", still_away)
        assert jobs.run(job.pk) == "left to the sweep"
    Job.objects.filter(pk=job.pk, state=State.RUNNING).update(heartbeat_at=long_ago())
    assert sweeping.sweep()["requeued"] == 1


def test_a_job_cut_off_after_another_took_it_gives_nothing_back(kind):
    @kind
    def work(claim):
        Job.objects.filter(pk=claim.job.pk).update(fence=claim.fence + 1)
        raise OperationalError("server closed the connection unexpectedly")

    job = make_job()
    assert jobs.run(job.pk) == "fence lost"
    job.refresh_from_db()
    assert (job.state, job.fence) == (State.RUNNING, 2)


@pytest.mark.parametrize("request_to_end", [StopRequested, SystemExit, KeyboardInterrupt])
def test_a_process_told_to_end_gives_its_job_back_without_counting_the_attempt(kind, request_to_end):
    @kind
    def work(claim):
        raise request_to_end

    job = make_job()
    with pytest.raises(request_to_end):
        jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.message) == (State.QUEUED, 0, "It was stopped; waiting to go on")


@pytest.fixture
def asked_to_end():
    """SIGTERM as the supervisor's children and Celery's hear it: it raises at whatever line we are on."""

    def on_signal(number, frame):
        raise StopRequested

    before = signal.signal(signal.SIGTERM, on_signal)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("is_after", [False, True], ids=["before a statement", "after it"])
def test_at_whatever_statement_it_is_told_to_end_the_job_is_done_or_waits(kind, asked_to_end, is_after):
    @kind
    def work(claim):
        with transaction.atomic():
            claim.progress(0.5, "Half of it")
        claim.guard()

    class Signal:
        """SIGTERM around one statement of many."""

        def __init__(self, number: int) -> None:
            self.left = number

        def __call__(self, execute, *statement):
            self.left -= 1
            if self.left == 0 and not is_after:
                signal.raise_signal(signal.SIGTERM)
            answer = execute(*statement)
            if self.left == 0 and is_after:
                signal.raise_signal(signal.SIGTERM)
            return answer

    ended = []
    for number in range(1, 100):
        job, sent = make_job(), Signal(number)
        with suppress(StopRequested), connection.execute_wrapper(sent):
            jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.attempt) in {(State.QUEUED, 0), (State.DONE, 1)}, number
        ended.append(job.state)
        if sent.left > 0:
            break
    assert set(ended) == {State.QUEUED, State.DONE} and len(ended) < 99


def test_a_transaction_left_in_nobodys_hands_does_not_keep_the_job(kind):
    @kind
    def work(claim):
        transaction.atomic().__enter__()  # told to end right here, before the block's own end is assured
        raise StopRequested

    job = make_job()
    with pytest.raises(StopRequested):
        jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.QUEUED, 0)


def test_the_heartbeat_tells_that_the_worker_lives_while_it_computes(kind, settings):
    settings.JOB_HEARTBEAT_SECONDS = 0.05
    job, beaten = make_job(), []

    @kind
    def compute(claim):
        Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago())
        for _ in range(100):
            threading.Event().wait(0.05)
            beaten.append(Job.objects.get(pk=job.pk).heartbeat_at > long_ago(60))
            if beaten[-1]:
                return

    jobs.run(job.pk)
    assert beaten[-1]
