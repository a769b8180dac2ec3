"""What people's days cost them, as they and their managers read it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling import exposure_reports, opt_outs
from labeling.models import User
from tests.factories import make_member
from tests.labeling.care.people import NOON, has_read, make_careful_project

pytestmark = pytest.mark.django_db
SIX = {"games": None, "news": 1, "romance": 2, "violence": 3, "self_harm": 4, "abuse": 4}


def report_of(project, person, *, now=NOON):
    return next(each for each in exposure_reports.of_project(project, [person], now=now))


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_day_counts_pages_by_severity_and_their_points():
    project = make_careful_project()
    alice = make_member(project, "annotator")
    has_read(alice, project, 0, 1, 4, 3, 3)
    today = report_of(project, alice).today
    assert today.pages == {0: 1, 1: 1, 2: 0, 3: 2, 4: 1}
    assert today.points == 11


def test_fourteen_days_are_told_newest_first_and_days_without_an_answer_left_out():
    project = make_careful_project()
    alice = make_member(project, "annotator")
    for days_ago in (0, 13, 14):
        has_read(alice, project, 4, until=NOON - timedelta(days=days_ago))
    assert [day.day.day for day in report_of(project, alice).days] == [2, 17]


def test_the_longest_row_is_broken_by_a_page_that_is_not_serious_and_by_the_night():
    project = make_careful_project()
    alice = make_member(project, "annotator")
    has_read(alice, project, 4, 4, 4, until=datetime(2026, 3, 2, 0, 0, tzinfo=UTC))
    has_read(alice, project, 4, 2, 3, 4, 0, 3)
    assert report_of(project, alice).longest_row == 2


def test_a_manager_reads_of_other_projects_only_that_a_day_is_full():
    here, elsewhere = make_careful_project(exposure_per_day=8), make_careful_project()
    alice, bob = make_member(here, "annotator"), make_member(here, "annotator")
    has_read(alice, elsewhere, 4, 4)
    has_read(bob, here, 4)
    full, other = exposure_reports.of_project(here, [alice, bob], now=NOON)
    assert (full.is_at_limit, full.points, full.longest_row) == (True, 0, 0)
    assert (other.is_at_limit, other.points) == (False, 4)


def test_ones_own_days_count_every_project():
    here, elsewhere = make_careful_project(), make_careful_project()
    alice = make_member(here, "annotator")
    has_read(alice, elsewhere, 4)
    has_read(alice, here, 1, until=NOON - timedelta(hours=1))
    assert exposure_reports.own(here, alice, now=NOON).today.points == 5


def test_how_many_labels_somebody_leaves_to_others_is_told_and_never_that_it_is_all_of_them():
    project = make_careful_project(severities=SIX)
    few, every, none = (make_member(project, "annotator") for _ in range(3))
    opt_outs.choose(project, few, ["self_harm", "abuse"])
    opt_outs.choose(project, every, list(SIX))
    told = [each.opted_out for each in exposure_reports.of_project(project, [few, every, none])]
    assert told == [2, exposure_reports.FEW, 0]


def test_with_few_labels_the_number_would_tell_which_so_it_is_not_told():
    project = make_careful_project()
    alice, bob = make_member(project, "annotator"), make_member(project, "annotator")
    opt_outs.choose(project, alice, ["self_harm"])
    assert [each.opted_out for each in exposure_reports.of_project(project, [alice, bob])] == [None, None]


def test_many_people_cost_as_many_queries_as_one():
    project = make_careful_project(severities=SIX, exposure_per_day=10)
    people = [make_member(project, "annotator") for _ in range(5)]
    for person in people:
        has_read(person, project, 4, 4)

    def cost(those):
        with CaptureQueriesContext(connection) as asked:
            exposure_reports.of_project(project, those, now=NOON)
        return len(asked)

    assert cost(people[:1]) == cost(people) <= 6


def test_the_page_of_the_manager_names_people_days_and_who_has_read_enough():
    project = make_careful_project("pages", severities=SIX, exposure_per_day=4)
    alice = make_member(project, "annotator", name="alice")
    opt_outs.choose(project, alice, ["abuse"])
    has_read(alice, project, 4, until=timezone.now())
    olga = make_member(project, "manager")
    page = client_of(olga).get("/p/pages/exposure/").content.decode()
    assert "1 person has read enough for today" in page
    assert "<strong>Full</strong>" in page and "abuse" not in page.lower()
    for before in ("/p/pages/queue/", "/p/pages/settings/members/"):
        assert "/p/pages/exposure/" in client_of(olga).get(before).content.decode()


def test_whoever_may_be_given_pages_reads_nobody_elses_days():
    """A day of one page would be that page's answer."""
    project = make_careful_project("pages")
    both = make_member(project, "manager")
    project.memberships.create(user=both, role="annotator")
    assert client_of(both).get("/p/pages/exposure/").status_code == 403
    assert client_of(both).get("/api/v1/projects/pages/exposure/").status_code == 403
    assert "/p/pages/exposure/" not in client_of(both).get("/p/pages/queue/").content.decode()


def test_a_project_of_nobody_yet_says_so():
    project = make_careful_project("pages")
    olga = make_member(project, "manager")
    assert "Nobody answers pages here yet" in client_of(olga).get("/p/pages/exposure/").content.decode()


def test_a_program_reads_the_days_of_a_project_and_its_owners():
    project = make_careful_project("pages", exposure_per_day=40)
    alice, olga = make_member(project, "annotator", name="alice"), make_member(project, "manager")
    has_read(alice, project, 3, until=timezone.now())
    [person] = client_of(olga).get("/api/v1/projects/pages/exposure/").json()["results"]
    own = client_of(alice).get("/api/v1/projects/pages/exposure/mine/").json()
    assert person["username"] == "alice" and person["opted_out"] is None
    assert own["exposure_per_day"] == 40 and own["is_at_limit"] is False
    for told in (person, own):
        assert told["days"][0]["points"] == 3
        assert told["days"][0]["pages"] == {"no_severity": 0, "mild": 0, "moderate": 0, "serious": 1, "grave": 0}


def test_my_work_says_what_my_days_cost_where_something_did():
    project = make_careful_project("pages")
    alice = make_member(project, "annotator")
    assert "What my days cost" not in client_of(alice).get("/p/pages/mine/").content.decode()
    has_read(alice, project, 4, until=timezone.now())
    assert "What my days cost" in client_of(alice).get("/p/pages/mine/").content.decode()
