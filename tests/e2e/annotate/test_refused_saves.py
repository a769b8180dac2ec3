"""What the annotate page does when a save is refused: the ticks stay, nothing is lost, doubled or given to another."""

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.models.functions import Now
from playwright.sync_api import expect

from labeling import consensus, judging, queue
from labeling.models import Assignment, Draft, Judgment, Membership
from tests.e2e.annotate.screen import (
    PASSWORD,
    WORK,
    answers,
    bar,
    hold_the_clock,
    note,
    saved,
    ticks,
    try_now,
    write_note,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def take_away(slot, *, give_to):
    """The lease ran out and someone else has the page now."""
    Assignment.objects.filter(pk=slot.pk).update(available_at=Now())
    assert queue.lease_next(slot.project, annotator=give_to) == slot


def reopened(visitor, person):
    """The tab was closed without a word; this person opens the page in the same browser."""
    visitor.page.close()
    visitor.context.clear_cookies()
    visitor.enter(person)
    visitor.page = visitor.new_tab()
    visitor.open(WORK)


def unsent(visitor):
    return visitor.page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('touchstone.unsent.'))")


# ---- the answer -----------------------------------------------------------------------------------------------------
def test_a_page_that_went_to_someone_else_keeps_the_ticks_and_offers_the_next(at_work, alice, bob):
    at_work.excuse("409")
    take_away(Assignment.objects.get(annotator=alice), give_to=bob)
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("This page went to someone else while it was open. Your ticks are kept")
    assert ticks(at_work) == {"games": "yes"}
    assert Draft.objects.get(annotator=alice).answer["yes"] == ["games"]
    at_work.page.get_by_role("link", name="Next page").click()
    at_work.sees("Second page")
    assert answers() == []


def test_a_session_that_ended_is_mended_in_a_second_tab_and_the_answer_goes_through(at_work):
    at_work.excuse("401")
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    Session.objects.all().delete()
    at_work.press("Enter")
    expect(bar(at_work)).to_contain_text("You were logged out. Log in in a new tab; your ticks stay here.")
    with at_work.context.expect_page() as opened:
        at_work.page.get_by_role("link", name="Log in").click()
    at_work.log_in("alice", PASSWORD, page=opened.value)
    try_now(at_work)
    at_work.sees("Second page")
    assert answers() == [{"games": "yes", "news": "no", "self_harm": "no"}]


def test_an_answer_that_could_not_be_sent_stays_and_goes_through_once(at_work):
    at_work.excuse("ERR_INTERNET_DISCONNECTED", "htmx:")
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    at_work.context.set_offline(True)
    at_work.press("Enter")
    expect(bar(at_work)).to_contain_text("Not saved. Your ticks are still here. Trying again in")
    at_work.sees("First page")
    at_work.context.set_offline(False)  # a line that comes back is used at once
    at_work.sees("Second page")
    assert len(answers()) == 1


def test_an_answer_whose_receipt_was_lost_is_sent_again_and_counts_once(at_work):
    """The server took it, the line broke before it could say so: the repeat carries the same key."""
    at_work.excuse("ERR_FAILED", "htmx:")

    def lose_the_receipt(route):
        route.fetch()
        route.abort()

    at_work.page.route("**/submit/", lose_the_receipt, times=1)
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    assert len(answers()) == 1
    try_now(at_work)
    at_work.sees("Second page")
    assert len(answers()) == 1


def test_a_draft_saved_late_does_not_hide_that_the_answer_was_refused(at_work):
    """The draft of the last tick is still on its way when the answer is refused: the bar must outlive its success."""
    at_work.excuse("503", "htmx:")
    drafts = []
    at_work.page.route("**/draft/", lambda route: drafts.append(route))
    at_work.page.route("**/submit/", lambda route: route.fulfill(status=503, body="busy"), times=1)
    with at_work.page.expect_request("**/draft/"):
        at_work.press("g")
    at_work.press("Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    with at_work.page.expect_response("**/draft/"):
        drafts.pop().continue_()
    expect(saved(at_work)).to_be_visible()
    expect(bar(at_work)).to_be_visible()
    try_now(at_work)
    at_work.sees("Second page")
    assert len(answers()) == 1


def test_a_server_in_trouble_is_asked_again_by_itself(at_work):
    at_work.excuse("503", "htmx:")
    busy = [True]
    at_work.page.route("**/submit/", lambda route: route.fulfill(status=503) if busy else route.continue_())
    at_work.press("s", "Enter")
    expect(bar(at_work)).to_contain_text("Trying again in")
    busy.clear()
    expect(at_work.page.locator("h1")).to_contain_text("Second page", timeout=60_000)  # tried after 5 s, then 10 s
    assert answers() == [{"games": "no", "news": "no", "self_harm": "yes"}]


def test_a_server_that_failed_once_takes_the_same_answer_again(at_work, monkeypatch):
    """The database gave up in the middle: nothing was recorded, so the same sending must not count as a repeat."""
    at_work.excuse("500", "htmx:")
    refresh, calls = consensus.refresh, []

    def fail_once(*args, **kwargs):
        calls.append(args)
        if len(calls) == 1:
            raise OperationalError("disk full")
        return refresh(*args, **kwargs)

    monkeypatch.setattr(consensus, "refresh", fail_once)
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Not saved. Your ticks are still here. Trying again in")
    assert answers() == []
    try_now(at_work)
    at_work.sees("Second page")
    assert answers() == [{"games": "yes", "news": "no", "self_harm": "no"}]


@pytest.mark.parametrize(
    "answer", [{"status": 425}, {"status": 409, "headers": {"Retry-After": "1"}}], ids=["425", "409 with Retry-After"]
)
def test_a_sending_that_is_still_under_way_is_waited_for(at_work, answer):
    at_work.excuse("425", "409", "htmx:")
    hold_the_clock(at_work)
    at_work.page.route("**/submit/", lambda route: route.fulfill(body="under way", **answer), times=1)
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Trying again in")
    try_now(at_work)
    at_work.sees("Second page")
    assert len(answers()) == 1


def test_who_may_not_answer_any_more_is_told_whom_to_ask(at_work, alice):
    at_work.excuse("403", "htmx:")
    alice.memberships.update(role="viewer")
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("You may not answer here")
    expect(bar(at_work)).to_contain_text("ask a manager of the project")
    assert ticks(at_work) == {"games": "yes"}
    assert "Trying again" not in bar(at_work).inner_text()
    alice.memberships.update(role="annotator")
    try_now(at_work)
    at_work.sees("Second page")


def test_who_is_no_member_any_more_is_told_whom_to_ask_and_nothing_is_tried_again(at_work):
    at_work.excuse("404", "htmx:")
    Membership.objects.all().delete()
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Your ticks are still here; ask a manager of the project.")
    assert "Trying again" not in bar(at_work).inner_text()
    assert ticks(at_work) == {"games": "yes"}


def test_what_was_changed_after_a_lost_receipt_is_not_taken_for_saved(at_work):
    """The first answer arrived. A note typed since then makes another answer, and the page must not swallow it."""
    at_work.excuse("ERR_FAILED", "409", "htmx:")
    at_work.page.route("**/submit/", lambda route: (route.fetch(), route.abort()), times=1)
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    write_note(at_work, "a casino, not a game")
    at_work.press("Enter")
    expect(bar(at_work)).to_contain_text("Change your answer from My work.")
    at_work.sees("First page")
    expect(note(at_work)).to_have_value("a casino, not a game")
    expect(bar(at_work).get_by_role("link", name="My work")).to_be_visible()
    assert [judgment.note for judgment in Judgment.objects.all()] == [""]


def test_an_answer_that_is_changed_again_is_not_sent_by_itself(at_work):
    at_work.excuse("503", "htmx:")
    hold_the_clock(at_work)
    at_work.page.route("**/submit/", lambda route: route.fulfill(status=503, body="busy"), times=1)
    at_work.press("g", "Enter")
    expect(bar(at_work)).to_contain_text("Trying again in")
    at_work.press("n")
    expect(bar(at_work)).to_be_hidden()
    at_work.page.clock.run_for(10_000)
    expect(saved(at_work)).to_be_visible()
    at_work.sees("First page")
    at_work.press("Enter")
    at_work.sees("Second page")
    assert answers() == [{"games": "yes", "news": "yes", "self_harm": "no"}]


# ---- what this computer keeps ---------------------------------------------------------------------------------------
def lose_drafts(visitor):
    visitor.excuse("503")
    visitor.page.route("**/draft/", lambda route: route.fulfill(status=503, body="busy"))


def test_ticks_no_server_took_come_back_to_the_same_person(at_work, alice):
    lose_drafts(at_work)
    at_work.press("g")
    expect(bar(at_work)).to_contain_text("Not saved.")
    reopened(at_work, alice)
    assert ticks(at_work) == {"games": "yes"}
    expect(saved(at_work)).to_be_visible()
    assert Draft.objects.get(annotator=alice).answer["yes"] == ["games"]
    assert unsent(at_work) == []


def test_ticks_no_server_took_are_never_shown_to_the_next_person(at_work, alice, bob):
    """A shared computer: alice's ticks must not become bob's answer, nor stay where he could find them."""
    lose_drafts(at_work)
    at_work.press("g")
    expect(bar(at_work)).to_contain_text("Not saved.")
    Assignment.objects.filter(annotator=alice).update(available_at=Now())
    reopened(at_work, bob)
    at_work.sees("First page")
    assert ticks(at_work) == {}
    assert unsent(at_work) == []
    assert not Draft.objects.filter(annotator=bob).exists()


def elsewhere(person, **answer):
    """Ticks the same person saves on another device."""
    judging.save_draft(Assignment.objects.get(annotator=person), by=person, answer=judging.Answer(**answer))


def kept_ticks(person):
    kept = Draft.objects.get(annotator=person).answer
    return kept["yes"], kept["unsure"]


@pytest.mark.parametrize(
    ("choice", "shown", "kept"),
    [
        ("Keep what is shown", {"news": "unsure"}, ([], ["news"])),
        ("Take that", {"games": "yes"}, (["games"], [])),
    ],
)
def test_ticks_kept_here_and_a_draft_saved_elsewhere_since_then_are_a_choice(at_work, alice, choice, shown, kept):
    lose_drafts(at_work)
    at_work.press("g")
    expect(bar(at_work)).to_contain_text("Not saved.")
    elsewhere(alice, unsure=("news",))
    reopened(at_work, alice)
    assert ticks(at_work) == {"news": "unsure"}
    expect(bar(at_work)).to_contain_text("On this computer you had ticked: Games yes. That was never saved.")
    at_work.page.get_by_role("button", name=choice).click()
    expect(bar(at_work)).to_be_hidden()
    assert ticks(at_work) == shown
    expect(saved(at_work)).to_be_visible()
    assert kept_ticks(alice) == kept and unsent(at_work) == []


@pytest.mark.parametrize(
    ("choice", "shown", "kept"),
    [
        ("Keep what is here", {"games": "yes", "self_harm": "yes"}, (["games", "self_harm"], [])),
        ("Take the other", {"news": "unsure"}, ([], ["news"])),
    ],
)
def test_a_draft_saved_on_another_device_is_never_overwritten_unasked(at_work, alice, choice, shown, kept):
    at_work.excuse("412")
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    elsewhere(alice, unsure=("news",))
    at_work.press("s")
    expect(bar(at_work)).to_contain_text("You ticked this page on another device meanwhile.")
    expect(bar(at_work)).to_contain_text("What is saved there says: News unsure. What is here is not saved yet.")
    assert ticks(at_work) == {"games": "yes", "self_harm": "yes"} and len(unsent(at_work)) == 1
    assert kept_ticks(alice) == ([], ["news"])
    at_work.page.get_by_role("button", name=choice).click()
    expect(bar(at_work)).to_be_hidden()
    expect(saved(at_work)).to_be_visible()
    assert ticks(at_work) == shown and unsent(at_work) == []
    assert kept_ticks(alice) == kept
    at_work.press("n")  # and what follows is saved without another question
    expect(saved(at_work)).to_be_visible()
    expect(bar(at_work)).to_be_hidden()


def test_the_same_ticks_on_two_devices_are_no_conflict(at_work, alice):
    elsewhere(alice, yes=("games",))
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    expect(bar(at_work)).to_be_hidden()


def test_a_page_left_open_does_not_answer_for_whoever_logged_in_since(at_work, alice, bob):
    at_work.excuse("401", "htmx:")
    at_work.press("g")
    expect(saved(at_work)).to_be_visible()
    take_away(Assignment.objects.get(annotator=alice), give_to=bob)
    at_work.log_in("bob", PASSWORD, page=at_work.new_tab())
    at_work.press("Enter")
    expect(bar(at_work)).to_contain_text("Someone else is logged in on this computer now.")
    assert answers() == []
