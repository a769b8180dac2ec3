"""Any order of events, as hypothesis finds it."""

from contextlib import AbstractContextManager, nullcontext
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from labeling import jobs, sweeping
from labeling.models import Job
from labeling.refusals import Refused
from tests.labeling.jobs.work import long_ago

State = Job.State
OVER = (State.DONE, State.FAILED, State.CANCELLED)


class JobLife(RuleBasedStateMachine):
    """Whatever the order of presses, claims, deaths, sweeps, ends, stops and second tries: no two hold one job, no key
    runs twice, and nobody sees an error of the database."""

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

    def in_state(self, *states: str) -> list[UUID]:
        found = set(Job.objects.filter(state__in=states).values_list("pk", flat=True))
        return [job_id for job_id in self.pressed if job_id in found]

    @rule(data=st.data())
    def claim(self, data):
        waiting = self.in_state(State.QUEUED)
        if waiting and (held := jobs.claim(data.draw(st.sampled_from(waiting)))):
            self.claims.append(held)

    @rule(data=st.data())
    def worker_dies(self, data):
        if self.claims:
            held = data.draw(st.sampled_from(self.claims))
            Job.objects.filter(pk=held.job.pk, fence=held.fence).update(heartbeat_at=long_ago())

    @rule()
    def sweep(self):
        sweeping.sweep()

    @rule(data=st.data())
    def cancel(self, data):
        if self.pressed:
            job = Job.objects.get(pk=data.draw(st.sampled_from(self.pressed)))
            with expected_refusal(job.state in OVER):
                jobs.cancel(job, by=None)

    @rule(data=st.data())
    def retry(self, data):
        if self.pressed:
            job = Job.objects.get(pk=data.draw(st.sampled_from(self.pressed)))
            twin_waits = job.exclusive and Job.objects.filter(exclusive=job.exclusive, state=State.QUEUED).exists()
            with expected_refusal(job.state not in (State.FAILED, State.CANCELLED) or twin_waits):
                jobs.retry(job, by=None)

    @rule(data=st.data())
    def worker_is_interrupted(self, data):
        """Any worker that ever held a claim, the dead ones too, gives it back."""
        if self.claims:
            held = data.draw(st.sampled_from(self.claims))
            is_holder = self.holds(held)
            said = jobs.give_back(held._mine(), trouble="The database interrupted it")
            assert (said in (State.QUEUED, State.FAILED, State.CANCELLED)) is is_holder

    @staticmethod
    def holds(held: jobs.Claim) -> bool:
        current = Job.objects.get(pk=held.job.pk)
        return (current.state, current.fence) == (State.RUNNING, held.fence)

    @rule(data=st.data(), end=st.sampled_from([State.DONE, State.FAILED]))
    def worker_ends(self, data, end):
        """Any worker that ever held a claim, the dead ones too, says that it is over."""
        if self.claims:
            held = data.draw(st.sampled_from(self.claims))
            is_holder = self.holds(held)
            said = jobs._finish(held, end, message="Over")
            assert said == (end if is_holder else "fence lost")

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


def expected_refusal(is_expected: object) -> AbstractContextManager[object]:
    return pytest.raises(Refused) if is_expected else nullcontext()


@pytest.mark.django_db
def test_any_order_of_events_keeps_one_holder_a_job():
    JobLife.TestCase.settings = hypothesis_settings(
        max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
    )
    JobLife.TestCase().runTest()
