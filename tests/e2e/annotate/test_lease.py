"""The lease as the annotate page shows it: kept while the person is at work, asked about before it ends."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from playwright.sync_api import expect

from labeling import queue
from labeling.models import Assignment
from tests.e2e.annotate.screen import WORK, answers, bar, question, saved

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MINUTE = 60_000
STILL_THERE = "Still there? This page goes to someone else in 2 minutes."


@pytest.fixture
def clock(at_work):
    """The browser's clock, in the test's hand. The page is opened with 15 minutes of lease to go."""
    at_work.page.clock.install()
    at_work.open(WORK)
    return at_work.page.clock


def ends_at(person):
    return Assignment.objects.get(annotator=person).available_at


def test_the_lease_is_renewed_while_the_person_is_active(at_work, clock, alice):
    Assignment.objects.update(available_at=Now() + timedelta(minutes=1))
    before = ends_at(alice)
    clock.fast_forward(6 * MINUTE)
    with at_work.page.expect_response("**/renew/"):
        at_work.page.mouse.move(200, 200)
    assert ends_at(alice) > before + timedelta(minutes=10)


def test_two_minutes_before_the_end_an_idle_person_is_asked(at_work, clock, alice):
    Assignment.objects.update(available_at=Now() + timedelta(minutes=1))
    before = ends_at(alice)
    clock.fast_forward(12 * MINUTE)
    expect(question(at_work)).to_be_hidden()
    clock.fast_forward(MINUTE + 5_000)
    expect(question(at_work)).to_contain_text(STILL_THERE)
    at_work.page.get_by_role("button", name="Keep this page").click()
    expect(question(at_work)).to_be_hidden()
    assert ends_at(alice) > before + timedelta(minutes=10)


def test_who_comes_back_after_the_end_keeps_a_page_nobody_wanted(at_work, clock, alice):
    Assignment.objects.update(available_at=Now())
    before = ends_at(alice)
    clock.fast_forward(40 * MINUTE)
    expect(question(at_work)).to_contain_text("Still there?")
    with at_work.page.expect_response("**/renew/"):
        at_work.press("g")
    expect(question(at_work)).to_be_hidden()
    assert ends_at(alice) > before + timedelta(minutes=10)


def test_the_question_neither_hides_nor_stops_an_answer_that_was_not_saved(at_work, clock):
    at_work.excuse("503", "htmx:")
    at_work.page.route("**/submit/", lambda route: route.fulfill(status=503, body="busy"))
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    clock.fast_forward(13 * MINUTE + 10_000)
    expect(question(at_work)).to_contain_text("Still there?")
    expect(bar(at_work)).to_contain_text("Not saved.")
    at_work.page.get_by_role("button", name="Keep this page").click()
    expect(question(at_work)).to_be_hidden()
    expect(bar(at_work)).to_contain_text("Not saved.")
    at_work.page.unroute("**/submit/")
    clock.run_for(31_000)
    at_work.sees("Second page")
    assert len(answers()) == 1


def test_a_draft_that_is_taken_does_not_hide_that_the_page_is_someone_elses(at_work, clock, project, alice, bob):
    at_work.excuse("409")
    Assignment.objects.filter(annotator=alice).update(available_at=Now())
    assert queue.lease_next(project, annotator=bob)
    clock.fast_forward(6 * MINUTE)
    with at_work.page.expect_response("**/renew/"):
        at_work.page.mouse.move(200, 200)
    expect(bar(at_work)).to_contain_text("This page went to someone else while it was open.")
    with at_work.page.expect_response("**/draft/"):
        at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    expect(bar(at_work)).to_contain_text("This page went to someone else while it was open.")
