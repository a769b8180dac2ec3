"""The line or the session breaks in the middle of a page: the person goes on, and nothing they did is lost."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from labeling.models import Draft, Judgment
from tests.e2e.annotate.screen import PASSWORD, WORK, bar, note, saved, ticks, try_now, write_note

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_line_that_breaks_in_the_middle_costs_nothing_and_mends_itself(at_work, alice):
    at_work.excuse("ERR_INTERNET_DISCONNECTED", "htmx:")
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    at_work.context.set_offline(True)
    at_work.press("Shift+N")
    write_note(at_work, "in the train")
    expect(bar(at_work)).to_contain_text("Not saved. Your ticks are still here. Trying again in")
    expect(saved(at_work)).to_be_hidden()
    at_work.context.set_offline(False)
    expect(saved(at_work)).to_be_visible()  # by itself
    expect(bar(at_work)).to_be_hidden()
    kept = Draft.objects.get(annotator=alice).answer
    assert (kept["yes"], kept["unsure"], kept["note"]) == (["games"], ["news"], "in the train")
    at_work.context.set_offline(True)
    at_work.press("Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    at_work.context.set_offline(False)
    at_work.sees("Second page")  # by itself, too
    judgment = Judgment.objects.get()
    assert (judgment.yes, judgment.unsure, judgment.note) == (["games"], ["news"], "in the train")
    at_work.awake()
    at_work.press("0", "Enter")
    at_work.sees("Nothing left for you")
    assert Judgment.objects.count() == 2


def test_a_session_that_ends_while_ticking_keeps_every_tick_and_word(at_work, alice):
    at_work.excuse("401", "403")
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    Session.objects.all().delete()
    at_work.press("Shift+S")
    write_note(at_work, "typed after the end")
    expect(bar(at_work)).to_contain_text("You were logged out. Log in in a new tab; your ticks stay here.")
    with at_work.context.expect_page() as opened:
        bar(at_work).get_by_role("link", name="Log in").click()
    at_work.log_in("alice", PASSWORD, page=opened.value)
    opened.value.close()
    assert ticks(at_work) == {"games": "yes", "self_harm": "unsure"}
    expect(note(at_work)).to_have_value("typed after the end")
    try_now(at_work)
    expect(saved(at_work)).to_be_visible()
    expect(bar(at_work)).to_be_hidden()
    at_work.press("Enter")
    at_work.sees("Second page")
    judgment = Judgment.objects.get()
    assert (judgment.yes, judgment.unsure, judgment.note) == (["games"], ["self_harm"], "typed after the end")


def test_a_browser_that_dies_after_the_session_ended_still_has_the_ticks(at_work):
    """The last ticks reached no server. After the login on the same computer the page has them again."""
    at_work.excuse("401", "403")
    Session.objects.all().delete()
    at_work.press("g", "Shift+N")
    expect(bar(at_work)).to_contain_text("You were logged out.")
    at_work.page.close()
    at_work.page = at_work.new_tab()
    at_work.log_in("alice", PASSWORD)
    at_work.open(WORK)
    assert ticks(at_work) == {"games": "yes", "news": "unsure"}


def test_a_plain_form_sent_after_the_session_ended_says_so_and_leads_back_to_the_page(visit, alice, pages):
    visitor = visit(alice, java_script_enabled=False)
    page = visitor.open(WORK)
    page.get_by_label("Games: yes").check()
    Session.objects.all().delete()
    page.get_by_role("button", name="Submit and next").click()
    expect(page.get_by_text("You were logged out, so what you sent was not saved.")).to_be_visible()
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    visitor.sees("First page")
    assert not Judgment.objects.exists()
