"""Jobs: claimed once, fenced, safe without a broker."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import jobs, sweeping
from labeling.models import Event, Job
from labeling.refusals import Refused
from tests.factories import make_member, make_project, make_user
from tests.labeling.jobs.work import long_ago, make_job

State = Job.State


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
    assert sweeping.sweep()["requeued"] == 1
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
def test_a_press_just_when_a_worker_takes_the_twin_makes_a_job_of_its_own():
    """The row is refused because one waits; before we look for that one, a worker claims it."""
    first = jobs.enqueue("test", exclusive="train:1")

    def claim_before_the_look(execute, sql, *rest):
        if sql.startswith("SELECT") and Job.objects.filter(pk=first.pk, state=State.QUEUED).update(state=State.RUNNING):
            taken.append(first.pk)
        return execute(sql, *rest)

    taken: list[object] = []
    with connection.execute_wrapper(claim_before_the_look):
        second = jobs.enqueue("test", exclusive="train:1")
    assert taken == [first.pk] and second.pk != first.pk
    assert second.state == State.QUEUED


@pytest.mark.django_db
def test_a_failed_job_whose_twin_waits_is_not_tried_again():
    failed = jobs.enqueue("test", exclusive="train:1")
    jobs._finish(jobs.claim(failed.pk), State.FAILED, message="No.")
    waiting = jobs.enqueue("test", exclusive="train:1")
    with pytest.raises(Refused, match="need not be tried again"):
        jobs.retry(failed, by=make_user())
    jobs.claim(waiting.pk)
    jobs.retry(failed, by=make_user())
    assert set(Job.objects.values_list("pk", "state")) == {
        (failed.pk, State.QUEUED), (waiting.pk, State.RUNNING),
    }  # fmt: skip


# ---- the broker -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_job_is_still_written(broker):
    broker.kill()
    job = jobs.enqueue("test")
    assert jobs.nudge(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.nudged_at) == (State.QUEUED, None)


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_broker_that_is_away(broker, monkeypatch):
    def sleep(seconds: float) -> None:
        pytest.fail(f"the caller waits {seconds} s to try again")

    broker.kill()
    monkeypatch.setattr("kombu.utils.functional.sleep", sleep)
    assert jobs.nudge(make_job().pk) is False


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
