"""Why a person is given nothing: one reason at a time, true for them, and nothing about anyone's answers."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from labeling import judging, projects, queue, slots, waiting
from labeling.models import Assignment, Selection
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))
NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)


def project_of(pages, **rules):
    project = make_project(lease_seconds=24 * 3600, **rules)
    items = [make_item(project) for _ in range(pages)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    Assignment.objects.update(available_at=NOON - timedelta(days=1))
    return project


def takes(project, person):
    return queue.lease_next(project, annotator=person, now=NOON)


def told(project, person, *, now=NOON):
    assert queue.lease_next(project, annotator=person, now=now) is None
    return waiting.nothing_left(project, annotator=person, now=now)


@pytest.fixture
def people():
    return lambda project: [make_member(project, "annotator") for _ in range(2)]


def test_nothing_was_queued(people):
    project = project_of(0)
    assert told(project, people(project)[0]).startswith("No pages are waiting yet.")


def test_all_is_answered_by_this_person(people):
    project = project_of(1)
    anna, _ = people(project)
    judging.submit(takes(project, anna), by=anna, answer=NEWS, now=NOON)
    assert told(project, anna).startswith("You have answered every page that waits for you.")


def test_all_is_with_others(people):
    project = project_of(2)
    anna, ben = people(project)
    takes(project, ben)
    judging.submit(takes(project, anna), by=anna, answer=NEWS, now=NOON)
    assert told(project, anna) == "Nothing left for you. 1 page is with other people; this page looks again by itself."


def test_a_page_this_person_skipped_comes_back_and_when(people):
    project = project_of(1, skip_policy="back")
    anna, _ = people(project)
    judging.skip(takes(project, anna), by=anna, now=NOON)
    assert told(project, anna) == "Nothing left for you. A page you skipped comes back to you at 13:00 UTC."


def test_pages_this_person_skipped_wait_for_a_manager_and_others_hear_nothing_of_it(people):
    project = project_of(2, skip_policy="aside")
    anna, ben = people(project)
    for _ in range(2):
        judging.skip(takes(project, anna), by=anna, now=NOON)
    assert told(project, anna) == "Nothing left for you. 2 pages you skipped wait for a manager."
    assert "skipped" not in told(project, ben)


def test_a_quota_is_the_reason_before_any_other(people):
    project = project_of(2, quota_total=1)
    anna, _ = people(project)
    judging.submit(takes(project, anna), by=anna, answer=NEWS, now=NOON)
    assert told(project, anna).startswith("You have answered 1 page, which is what one person does")


def test_page_and_api_give_the_same_reason(people):
    project = project_of(1, skip_policy="aside")
    anna, _ = people(project)
    judging.skip(takes(project, anna), by=anna, now=NOON)
    client = Client()
    client.force_login(anna)
    answer = client.post(f"/api/v1/projects/{project.slug}/next/").json()
    assert answer == {"assignment": None, "reason": "Nothing left for you. 1 page you skipped waits for a manager."}
    assert "1 page you skipped waits for a manager." in client.get(f"/p/{project.slug}/annotate/").content.decode()


def test_an_archived_project_says_so(people):
    project = project_of(1)
    anna, _ = people(project)
    projects.archive(project, by=make_member(project, "manager"))
    project.refresh_from_db()
    assert told(project, anna).startswith("This project is archived")
