"""Jobs: claimed once, fenced, swept from the database alone, safe without a broker."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from rest_framework.test import APIClient

from labeling import jobs, retention
from labeling.models import Event, Job
from labeling.refusals import Refused
from tests.factories import make_member, make_project, make_user

State = Job.State


@pytest.fixture
def kind() -> Iterator[Callable]:
    """Register a handler for the kind "test" while the test lasts."""
    yield lambda handler: jobs.handles("test")(handler)
    jobs._handlers.pop("test", None)


def make_job(**fields) -> Job:
    return Job.objects.create(kind=fields.pop("kind", "test"), **fields)


def long_ago(seconds: float = 3600):
    return timezone.now() - timedelta(seconds=seconds)


# ---- claiming -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_that_look_at_once_one_claims():
    job = make_job()
    start, claims = threading.Barrier(8), []

    def look():
        try:
            start.wait()
            claims.append(jobs.claim(job.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 8
    assert sum(claim is not None for claim in claims) == 1
    job.refresh_from_db()
    assert (job.state, job.attempt, job.fence) == (State.RUNNING, 1, 1)


@pytest.mark.django_db
def test_a_job_delivered_twice_is_done_once(kind):
    done = []
    kind(lambda claim: done.append(claim.params["n"]) or {"n": 7})
    job = make_job(params={"n": 7})
    assert [jobs.run(job.pk), jobs.run(job.pk)] == ["done", "not ours"]
    job.refresh_from_db()
    assert (done, job.state, job.progress, job.result) == ([7], State.DONE, 1.0, {"n": 7})


@pytest.mark.django_db
def test_a_refusal_fails_the_job_with_its_sentence(kind):
    @kind
    def refuse(claim):
        raise Refused("Nothing to train on yet.")

    job = make_job()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (State.FAILED, "Nothing to train on yet.")


@pytest.mark.django_db
def test_an_unexpected_error_is_named_without_its_words(kind):
    @kind
    def fail(claim):
        raise ValueError("a secret")

    job = make_job()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (State.FAILED, "Stopped by an unexpected error (ValueError).")


@pytest.mark.django_db
def test_a_kind_nobody_knows_fails_with_a_sentence():
    job = make_job(kind="dance")
    assert jobs.run(job.pk) == State.FAILED


# ---- the fence ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_worker_thought_dead_writes_nothing_after_its_successor(settings):
    job = make_job()
    zombie = jobs.claim(job.pk)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago())
    assert jobs.sweep()["requeued"] == 1
    successor = jobs.claim(job.pk)
    with pytest.raises(jobs.FenceLost):
        zombie.progress(0.9, "from the grave")
    with pytest.raises(jobs.FenceLost), transaction.atomic():
        zombie.guard()
    assert not zombie.beat()
    assert jobs._finish(zombie, State.DONE, message="Done") == "fence lost"
    successor.progress(0.5, "half")
    job.refresh_from_db()
    assert (job.message, job.attempt) == ("half", 2)


@pytest.mark.django_db
def test_a_cancelled_job_stops_at_its_next_step(kind):
    job, by = make_job(), make_user()
    reached = []

    @kind
    def work(claim):
        jobs.cancel(job, by=by)
        claim.progress(0.5)
        reached.append("after")

    assert jobs.run(job.pk) == "fence lost"
    job.refresh_from_db()
    assert (job.state, reached) == (State.CANCELLED, [])


@pytest.mark.django_db(transaction=True)
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


# ---- the sweep ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_stale_job_waits_again_and_fails_after_its_last_attempt(settings):
    settings.JOB_MAX_ATTEMPTS = 3
    stale = make_job(state=State.RUNNING, attempt=2, fence=2, heartbeat_at=long_ago())
    last = make_job(state=State.RUNNING, attempt=3, fence=3, heartbeat_at=long_ago())
    alive = make_job(state=State.RUNNING, attempt=1, fence=1, heartbeat_at=timezone.now())
    swept = jobs.sweep()
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
    jobs.sweep()
    assert told == [forgotten.pk]


# ---- exclusive ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_fifty_presses_make_one_running_and_one_waiting():
    first = jobs.enqueue("test", exclusive="train:1")
    jobs.claim(first.pk)
    waiting = {jobs.enqueue("test", exclusive="train:1").pk for _ in range(50)}
    assert len(waiting) == 1
    assert Job.objects.count() == 2
    assert jobs.claim(waiting.pop()) is None  # its twin still runs


@pytest.mark.django_db
def test_a_stale_job_whose_twin_waits_already_leaves_the_work_to_it():
    first = jobs.enqueue("test", exclusive="train:1")
    jobs.claim(first.pk)
    second = jobs.enqueue("test", exclusive="train:1")
    Job.objects.filter(pk=first.pk).update(heartbeat_at=long_ago())
    jobs.sweep()
    assert Job.objects.get(pk=first.pk).state == State.CANCELLED
    assert jobs.claim(second.pk) is not None


# ---- the broker -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_job_is_still_written(broker):
    broker.kill()
    job = jobs.enqueue("test")
    assert jobs.nudge(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.nudged_at) == (State.QUEUED, None)


@pytest.mark.django_db(transaction=True)
def test_with_a_broker_the_nudge_is_remembered(broker):
    job = jobs.enqueue("test")
    job.refresh_from_db()
    assert job.nudged_at is not None


# ---- people ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_failed_job_can_be_tried_again_with_all_its_attempts():
    job, by = make_job(state=State.FAILED, attempt=3), make_user()
    jobs.retry(job, by=by)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.QUEUED, 0)
    with pytest.raises(Refused, match="Only a failed or cancelled job"):
        jobs.retry(job, by=by)


@pytest.mark.django_db
def test_every_change_of_a_job_is_on_record(kind):
    kind(lambda claim: None)
    job = jobs.enqueue("test")
    jobs.run(job.pk)
    kinds = list(Event.objects.filter(about=f"job:{job.pk}").order_by("id").values_list("kind", flat=True))
    assert kinds == ["job.queued.test", "job.done.test"]


@pytest.mark.django_db
def test_old_finished_jobs_are_deleted_and_unfinished_ones_never(settings):
    old = long_ago(86_400 * (settings.JOB_RETENTION_DAYS + 1))
    make_job(state=State.DONE, finished_at=old)
    kept = {make_job(state=State.DONE, finished_at=timezone.now()).pk, make_job(created_at=old).pk}
    retention.apply()
    assert set(Job.objects.values_list("pk", flat=True)) == kept


@pytest.mark.django_db
def test_the_page_names_what_is_stuck_and_offers_the_way_out(client):
    project = make_project("pages")
    client.force_login(make_member(project, "manager"))
    job = make_job(kind="import", project=project, state=State.FAILED, message="The file is a PDF.",
                   finished_at=timezone.now())  # fmt: skip
    page = client.get("/p/pages/jobs/").content.decode()
    assert "1 job failed" in page
    assert "The file is a PDF." in page
    assert "Waiting to be tried again." in client.post(f"/p/pages/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "Cancelled." in client.post(f"/p/pages/jobs/{job.pk}/cancel/", follow=True).content.decode()
    assert Job.objects.get().state == State.CANCELLED


@pytest.mark.django_db
def test_a_job_is_shown_to_its_managers_and_to_who_asked_for_it():
    project = make_project()
    asker, other = make_member(project, "annotator"), make_member(project, "annotator")
    job = make_job(project=project, created_by=asker)
    manager, stranger = make_member(project, "manager"), make_member(make_project(), "manager")
    statuses = []
    for person in (asker, manager, other, stranger):
        client = APIClient()
        client.force_login(person)
        statuses.append(client.get(f"/api/v1/jobs/{job.pk}/").status_code)
    assert statuses == [200, 200, 404, 404]


@pytest.mark.django_db
def test_a_job_is_cancelled_over_the_api_by_a_manager_only():
    project = make_project()
    asker, manager = make_member(project, "annotator"), make_member(project, "manager")
    job = make_job(project=project, created_by=asker)
    client = APIClient()
    client.force_login(asker)
    assert client.post(f"/api/v1/jobs/{job.pk}/cancel/").status_code == 403
    client.force_login(manager)
    assert client.post(f"/api/v1/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"
    assert client.post(f"/api/v1/jobs/{job.pk}/cancel/").status_code == 409


# ---- any order of events --------------------------------------------------------------------------------------------
class JobLife(RuleBasedStateMachine):
    """Whatever the order of presses, claims, deaths, sweeps and ends: no two hold one job, no key runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.claims: list[jobs.Claim] = []
        self.pressed: list[UUID] = []  # in order of the presses: an id is random, and a run must repeat itself

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(key=st.sampled_from(["", "a", "b"]))
    def press(self, key):
        job = jobs.enqueue("test", exclusive=key)
        if job.pk not in self.pressed:
            self.pressed.append(job.pk)

    @rule(data=st.data())
    def claim(self, data):
        queued = set(Job.objects.filter(state=State.QUEUED).values_list("pk", flat=True))
        waiting = [job_id for job_id in self.pressed if job_id in queued]
        if waiting and (held := jobs.claim(data.draw(st.sampled_from(waiting)))):
            self.claims.append(held)

    @rule(data=st.data())
    def worker_dies(self, data):
        if self.claims:
            held = data.draw(st.sampled_from(self.claims))
            Job.objects.filter(pk=held.job.pk, fence=held.fence).update(heartbeat_at=long_ago())

    @rule()
    def sweep(self):
        jobs.sweep()

    @rule(data=st.data())
    def worker_ends(self, data):
        """Any worker that ever held a claim, the dead ones too, says that it is done."""
        if self.claims:
            held = data.draw(st.sampled_from(self.claims))
            current = Job.objects.get(pk=held.job.pk)
            is_holder = (current.state, current.fence) == (State.RUNNING, held.fence)
            said = jobs._finish(held, State.DONE, message="Done")
            assert said == (State.DONE if is_holder else "fence lost")

    @invariant()
    def one_holder_a_job(self):
        for job in Job.objects.filter(state=State.RUNNING):
            holders = [held for held in self.claims if held.job.pk == job.pk and held.fence == job.fence]
            assert len(holders) == 1

    @invariant()
    def one_running_and_one_waiting_a_key(self):
        for key in ("a", "b"):
            for state in (State.RUNNING, State.QUEUED):
                assert Job.objects.filter(exclusive=key, state=state).count() <= 1


@pytest.mark.django_db
def test_any_order_of_events_keeps_one_holder_a_job():
    JobLife.TestCase.settings = hypothesis_settings(
        max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
    )
    JobLife.TestCase().runTest()
