"""Two clocks beside every answer: the time the page was in hand by the wall, and the time a person was at it."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from labeling import judging, queue, slots
from labeling.answers import Answer
from labeling.models import Assignment, Selection
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project(slug="pages")
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=2)
    return project


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


def test_wall_time_runs_from_the_lease_to_the_answer(project, alice):
    now = timezone.now()
    slot = queue.lease_next(project, annotator=alice, now=now)
    queue.renew(slot, by=alice, now=now + timedelta(seconds=60))
    said = judging.submit(
        slot, by=alice, answer=Answer(none=True, active_seconds=12.5), now=now + timedelta(seconds=95)
    )
    assert (said.wall_seconds, said.active_seconds) == (95.0, 12.5)


def test_on_the_databases_clock_it_is_more_than_nothing(project, alice):
    slot = queue.lease_next(project, annotator=alice)
    Assignment.objects.filter(pk=slot.pk).update(leased_at=Now() - timedelta(seconds=40))
    slot.refresh_from_db()
    said = judging.submit(slot, by=alice, answer=Answer(none=True))
    assert 40 <= said.wall_seconds < 100


def test_a_correction_keeps_both_times(project, alice):
    now = timezone.now()
    slot = queue.lease_next(project, annotator=alice, now=now)
    said = judging.submit(slot, by=alice, answer=Answer(none=True, active_seconds=5), now=now + timedelta(seconds=9))
    revised = judging.revise(said, by=alice, answer=Answer(yes=("games",)))
    assert (revised.wall_seconds, revised.active_seconds) == (9.0, 5.0)


def test_an_answer_that_came_too_late_for_its_lease_has_no_wall_time(project, alice):
    now = timezone.now()
    slot = queue.lease_next(project, annotator=alice, now=now)
    late = now + timedelta(seconds=project.lease_seconds + 1)
    Assignment.objects.exclude(pk=slot.pk).update(state="withdrawn", available_at=None)
    assert queue.lease_next(project, annotator=make_member(project, "annotator"), now=late) == slot
    Assignment.objects.exclude(pk=slot.pk).update(state="open", available_at=now)
    slot.refresh_from_db()
    said = judging.submit(slot, by=alice, answer=Answer(none=True, active_seconds=3), now=late + timedelta(seconds=1))
    assert said.assignment_id != slot.pk and said.wall_seconds is None


def test_both_times_are_in_what_a_manager_takes_out(project, alice):
    now = timezone.now()
    slot = queue.lease_next(project, annotator=alice, now=now)
    judging.submit(slot, by=alice, answer=Answer(none=True, active_seconds=5), now=now + timedelta(seconds=9))
    browser = Client()
    browser.force_login(make_member(project, "manager"))
    path = "/api/v1/projects/pages/judgments/"
    assert browser.get(path).json()["results"][0]["wall_seconds"] == 9.0
    line = b"".join(browser.get(path, headers={"Accept": "application/x-ndjson"}).streaming_content)
    assert json.loads(line)["wall_seconds"] == 9.0
    table = b"".join(browser.get(path, headers={"Accept": "text/csv"}).streaming_content).decode()
    assert next(csv.DictReader(io.StringIO(table)))["wall_seconds"] == "9.0"
