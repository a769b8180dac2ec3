"""The annotate page under the hand: every key, every saved draft, every refused save, in a real browser."""

import pytest
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from playwright.sync_api import expect

from labeling import queue
from labeling.models import Assignment, Draft, Judgment, Selection
from tests.e2e.visitor import axe_findings
from tests.factories import make_item, make_member, make_project

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORK = "/p/keys/annotate/"
PASSWORD = "correct horse battery"


@pytest.fixture
def project(transactional_db):
    return make_project(slug="keys", name="Home pages")


@pytest.fixture
def pages(project):
    """Two pages, one answer each: "First page" is asked before "Second page"."""
    items = [make_item(project, title=title, text="Words of the page.") for title in ("First page", "Second page")]
    for priority, item in zip((1, 0), items, strict=True):
        selection = Selection.objects.create(item=item, stream="import")
        queue.open_slots(project, [selection], overlap=1, priority=priority)
    return items


@pytest.fixture
def alice(project):
    return make_member(project, "annotator", name="alice")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator", name="bob")


@pytest.fixture
def at_work(visit, alice, pages):
    visitor = visit(alice)
    visitor.open(WORK)
    return visitor


# ---- what is on the screen ------------------------------------------------------------------------------------------
def ticks(visitor) -> dict[str, str]:
    checked = visitor.page.locator(".row[data-label] input:checked")
    return {box["name"].removeprefix("label."): box["value"] for box in checked.evaluate_all(
        "boxes => boxes.map(({name, value}) => ({name, value}))") if box["value"] != "no"}  # fmt: skip


def words(visitor) -> str:
    return visitor.page.locator("[data-answer] .say").inner_text()


def bar(visitor):
    return visitor.page.locator(".stay")


def saved(visitor):
    return visitor.page.locator("[data-draft]")


def answers() -> list[dict[str, str]]:
    return [judgment.verdicts for judgment in Judgment.objects.order_by("id")]


# ---- one key, one answer --------------------------------------------------------------------------------------------
def test_a_letter_answers_yes_and_takes_it_back(at_work):
    at_work.press("g")
    assert ticks(at_work) == {"games": "yes"}
    assert words(at_work) == "Games yes, and no for the other 2."
    at_work.press("g")
    assert ticks(at_work) == {}
    assert words(at_work).startswith("Nothing chosen yet")


def test_a_letter_with_shift_answers_unsure(at_work):
    at_work.press("g", "Shift+N")
    assert words(at_work) == "Games yes, News unsure, and no for the other one."


def test_zero_says_none_and_none_excludes_the_rest(at_work):
    none = at_work.page.locator("#none")
    at_work.press("g", "0")
    assert (ticks(at_work), none.is_checked()) == ({}, True)
    assert words(at_work) == "None of these topics: no for all 3."
    at_work.press("s")
    assert (ticks(at_work), none.is_checked()) == ({"self_harm": "yes"}, False)


def test_enter_submits_and_the_next_page_arrives_with_the_focus_on_its_title(at_work):
    at_work.sees("First page")
    at_work.press("g", "Enter")
    at_work.sees("Second page")
    assert answers() == [{"games": "yes", "news": "no", "self_harm": "no"}]
    assert at_work.page.evaluate("document.activeElement.id") == "page-title"
    expect(at_work.page.locator("#progress")).to_contain_text("1 today")
    assert ticks(at_work) == {}


def test_keys_pressed_as_the_next_page_arrives_do_not_answer_it(at_work):
    """The hand is faster than the eye: what was pressed before the page could be seen is not meant for it."""
    at_work.page.evaluate("""() => document.addEventListener("htmx:afterSettle", () => {
        for (const [key, code] of [["g", "KeyG"], ["Enter", "Enter"]])
          document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true}));
    })""")
    at_work.press("n", "Enter")
    at_work.sees("Second page")
    at_work.awake()
    assert ticks(at_work) == {}
    assert len(answers()) == 1


def test_an_answer_without_a_choice_is_refused_with_a_sentence(at_work):
    at_work.excuse("422")
    at_work.press("4")
    at_work.page.keyboard.type("seen twice")
    at_work.press("Escape", "Enter")
    summary = at_work.page.locator(".errors")
    expect(summary).to_contain_text("Choose at least one label, or None of these.")
    expect(summary).to_be_focused()
    expect(at_work.page.locator("[name=note]")).to_have_value("seen twice")
    assert answers() == []


def test_five_skips_without_a_reason(at_work):
    at_work.press("5")
    at_work.sees("Second page")
    assert answers() == []


# ---- commands -------------------------------------------------------------------------------------------------------
def test_letters_in_the_note_are_words_and_not_answers(at_work):
    at_work.press("4")
    expect(at_work.page.locator("[name=note]")).to_be_focused()
    at_work.page.keyboard.type("games, 0 news?")
    assert ticks(at_work) == {}
    at_work.press("Escape", "n", "Enter")
    at_work.sees("Second page")
    assert Judgment.objects.get().note == "games, 0 news?"


def test_the_question_mark_shows_all_keys_and_escape_closes_them(at_work):
    dialog = at_work.page.locator("#keys")
    at_work.press("?")
    for line in ("Games", "None of these topics", "Submit and next", "Skip", "Find a label"):
        expect(dialog).to_contain_text(line)
    at_work.press("g")
    assert ticks(at_work) == {}
    at_work.press("Escape")
    expect(dialog).to_be_hidden()


def test_nine_covers_the_page_and_uncovers_it(at_work):
    text = at_work.page.get_by_text("Words of the page.")
    at_work.press("9")
    expect(text).to_be_hidden()
    at_work.sees("This page is covered.")
    at_work.press("9")
    expect(text).to_be_visible()


def test_a_slash_finds_a_label_and_leads_back_to_it(at_work):
    at_work.press("/")
    at_work.page.keyboard.type("harm")
    expect(at_work.page.locator(".row[data-label]:visible")).to_have_count(1)
    at_work.press("Enter", "ArrowLeft")
    assert ticks(at_work) == {"self_harm": "unsure"}


def test_single_keys_can_be_switched_off_and_enter_still_submits(visit, alice, pages):
    alice.single_keys = False
    alice.save()
    visitor = visit(alice)
    visitor.open(WORK)
    visitor.press("g", "0", "9")
    assert (ticks(visitor), visitor.page.locator("#none").is_checked()) == ({}, False)
    visitor.page.locator("#label-games-yes").focus()
    visitor.press("Space", "Enter")
    visitor.sees("Second page")
    assert answers()[0]["games"] == "yes"


# ---- drafts ---------------------------------------------------------------------------------------------------------
def test_draft_saved_appears_only_after_the_server_said_so(at_work):
    held = []
    at_work.page.route("**/draft/", lambda route: held.append(route))
    with at_work.page.expect_request("**/draft/"):
        at_work.press("g")
    expect(saved(at_work)).to_be_hidden()
    assert Draft.objects.count() == 0
    held.pop().continue_()
    expect(saved(at_work)).to_be_visible()
    assert Draft.objects.get().answer["yes"] == ["games"]


def test_a_draft_survives_a_reload_and_another_browser(at_work, visit, alice):
    at_work.press("g", "Shift+N")
    expect(saved(at_work)).to_be_visible()
    at_work.open(WORK)
    assert ticks(at_work) == {"games": "yes", "news": "unsure"}
    elsewhere = visit(alice)
    elsewhere.open(WORK)
    elsewhere.sees("First page")
    assert ticks(elsewhere) == {"games": "yes", "news": "unsure"}


# ---- refused saves --------------------------------------------------------------------------------------------------
def test_a_page_that_went_to_someone_else_keeps_the_ticks_and_offers_the_next(at_work, project, alice, bob):
    at_work.excuse("409")
    slot = Assignment.objects.get(annotator=alice)
    Assignment.objects.filter(pk=slot.pk).update(available_at=Now())
    assert queue.lease_next(project, annotator=bob) == slot
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
    at_work.page.get_by_role("button", name="Try now").click()
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
    at_work.context.set_offline(False)
    at_work.page.get_by_role("button", name="Try now").click()
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
    at_work.page.get_by_role("button", name="Try now").click()
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
    at_work.page.get_by_role("button", name="Try now").click()
    at_work.sees("Second page")
    assert len(answers()) == 1


def test_a_server_in_trouble_is_asked_again_by_itself(at_work):
    at_work.excuse("503", "htmx:")
    at_work.page.route("**/submit/", lambda route: route.fulfill(status=503, body="busy"), times=1)
    at_work.press("s", "Enter")
    expect(bar(at_work)).to_contain_text("Trying again in")
    expect(at_work.page.locator("h1")).to_contain_text("Second page", timeout=15_000)  # tried after 5 s
    assert answers() == [{"games": "no", "news": "no", "self_harm": "yes"}]


# ---- without scripts, small, still ----------------------------------------------------------------------------------
def test_without_scripts_the_same_form_records_the_answer(visit, alice, pages):
    visitor = visit(alice, java_script_enabled=False)
    visitor.excuse("422")
    page = visitor.page
    page.goto(WORK)
    visitor.sees("First page")
    page.get_by_role("button", name="Submit and next").click()
    expect(page.locator(".errors")).to_contain_text("Choose at least one label, or None of these.")
    page.get_by_label("Games: yes").check()
    page.get_by_label("News: unsure").check()
    page.get_by_role("button", name="Submit and next").click()
    visitor.sees("Second page")
    page.get_by_label("None of these topics").check()
    page.get_by_role("button", name="Submit and next").click()
    visitor.sees("Nothing left for you")
    assert answers() == [
        {"games": "yes", "news": "unsure", "self_harm": "no"},
        {"games": "no", "news": "no", "self_harm": "no"},
    ]


@pytest.mark.parametrize("width", [320, 390])
def test_a_small_screen_has_no_sideways_scroll(visit, alice, pages, width):
    visitor = visit(alice, viewport={"width": width, "height": 844})
    visitor.open(WORK)
    assert not visitor.is_too_wide()


def test_nothing_moves_for_people_who_asked_for_stillness(visit, alice, pages):
    visitor = visit(alice, reduced_motion="reduce")
    moving = visitor.open(WORK).evaluate("""() => [...document.querySelectorAll("*")].filter((element) => {
        const style = getComputedStyle(element);
        const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.001);
        return lasts(style.transitionDuration) || lasts(style.animationDuration);
    }).map((element) => element.outerHTML.slice(0, 80))""")
    assert moving == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_on_the_work_page(visit, alice, pages, scheme):
    visitor = visit(alice, color_scheme=scheme)
    assert axe_findings(visitor.open(WORK)) == []
