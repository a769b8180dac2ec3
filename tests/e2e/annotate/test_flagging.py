"""Telling the managers about a page with the keyboard alone, while the answer waits as it is."""

import pytest
from playwright.sync_api import expect

from labeling.models import Flag, Item
from tests.e2e.annotate.screen import answers, saved, ticks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def say(visitor, kind, text):
    visitor.press("!")
    expect(visitor.page.locator("#flag-kind")).to_be_focused()
    visitor.page.locator("#flag-kind").select_option(kind)
    visitor.press("Tab", "Tab")
    visitor.page.keyboard.type(text)
    visitor.press("Tab")
    expect(visitor.page.locator("#flag-send")).to_be_focused()
    visitor.press("Enter")


def test_a_remark_is_sent_and_the_answer_stays_as_it_was(at_work):
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    say(at_work, "comment", "Half of it is missing, g and n.")
    expect(at_work.page.get_by_text("The managers have it.")).to_be_visible()
    assert ticks(at_work) == {"games": "yes"} and Flag.objects.get().kind == "comment"
    at_work.press("Escape", "Enter")
    at_work.sees("Second page")
    assert answers() == [{"games": "yes", "news": "no", "self_harm": "no"}]


def test_a_page_that_looks_illegal_goes_away_at_once(at_work):
    say(at_work, "illegal", "")
    at_work.sees("Second page")
    expect(at_work.page.get_by_text("The page is set aside")).to_be_visible()
    assert Item.objects.get(snapshot__title="First page").state == "archived"
    assert answers() == []


def test_what_could_not_be_sent_stays_in_the_form_and_says_nothing_of_the_answer(at_work):
    at_work.excuse("503", "htmx:")
    at_work.page.route("**/flag/", lambda route: route.fulfill(status=503, body="busy"), times=1)
    say(at_work, "broken", "Only a banner.")
    expect(at_work.page.get_by_text("Not sent: what you wrote is still here.")).to_be_visible()
    expect(at_work.page.locator("#flag-text")).to_have_value("Only a banner.")
    expect(at_work.page.locator(".stay.refused")).to_be_hidden()
    at_work.page.get_by_role("button", name="Tell the managers").click()
    expect(at_work.page.get_by_text("The managers have it.")).to_be_visible()
    assert Flag.objects.get().comments.get().text == "Only a banner."
