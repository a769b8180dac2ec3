"""The annotate page under the hand: every key, every saved draft, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from labeling import flags, judging, queue
from labeling.models import Draft, Flag, Judgment
from tests.e2e.annotate.screen import WORK, answers, assert_lists_every_key, note, saved, ticks, words, write_note
from tests.e2e.visitor import axe_findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
    expect(at_work.page.locator("#page-title")).to_be_focused()
    expect(at_work.page.locator("#progress")).to_contain_text("1 today")
    assert ticks(at_work) == {}


def test_keys_pressed_before_the_next_page_could_be_seen_do_not_answer_it(at_work):
    """The hand is faster than the eye. 150 ms after the paint a key is not meant for this page; at 300 ms it is."""
    clock = at_work.page.clock
    clock.install()
    at_work.open(WORK)
    clock.pause_at(at_work.page.evaluate("Date.now() + 1000"))
    at_work.press("n", "Enter")
    at_work.sees("Second page")
    clock.run_for(40)  # two frames: painted
    clock.run_for(130)
    at_work.press("g", "Enter")
    assert ticks(at_work) == {}
    clock.run_for(150)
    at_work.press("s")
    assert ticks(at_work) == {"self_harm": "yes"}
    assert len(answers()) == 1


def test_an_answer_without_a_choice_is_refused_with_a_sentence_that_leads_to_the_labels(at_work):
    at_work.excuse("422")
    write_note(at_work, "seen twice")
    at_work.press("Enter")
    summary = at_work.page.locator(".errors")
    expect(summary).to_be_focused()
    none = at_work.page.locator("#none")
    expect(none).to_have_accessible_description("Choose at least one label, or None of these.")
    summary.get_by_role("link", name="Choose at least one label, or None of these.").click()
    expect(at_work.page.get_by_label("Games: yes")).to_be_focused()
    expect(note(at_work)).to_have_value("seen twice")
    assert answers() == []


def test_the_clock_goes_on_after_an_answer_was_sent_back(at_work):
    at_work.excuse("422")
    at_work.page.clock.install()
    at_work.open(WORK)
    at_work.page.clock.run_for(20_000)
    at_work.press("Enter")
    expect(at_work.page.locator(".errors")).to_be_focused()
    at_work.page.clock.run_for(1_000)
    at_work.press("g", "Enter")
    at_work.sees("Second page")
    assert 20 <= Judgment.objects.get().active_seconds < 60


def test_five_skips_without_a_reason(at_work):
    at_work.press("5")
    at_work.sees("Second page")
    assert answers() == []


# ---- commands -------------------------------------------------------------------------------------------------------
def test_letters_in_the_note_are_words_and_not_answers(at_work):
    at_work.press("4")
    expect(note(at_work)).to_be_focused()
    at_work.page.keyboard.type("games, 0 news?")
    assert ticks(at_work) == {}
    at_work.press("Escape", "n", "Enter")
    at_work.sees("Second page")
    assert Judgment.objects.get().note == "games, 0 news?"


def test_six_opens_my_last_answer_and_the_same_keys_change_it(at_work):
    at_work.press("g", "Enter")
    at_work.sees("Second page")
    at_work.awake()
    at_work.press("6")
    at_work.sees("First page")
    at_work.awake()
    assert ticks(at_work) == {"games": "yes"}
    at_work.press("g", "Shift+N", "Enter")
    at_work.sees("Second page")
    assert Judgment.objects.current().get().unsure == ["news"]


def test_digits_say_how_sure_one_is_where_the_project_asks(at_work, project):
    assert at_work.page.locator("[name=confidence]").count() == 0
    project.ask_confidence = True
    project.save()
    at_work.open(WORK)
    at_work.press("g", "3", "1")
    expect(saved(at_work)).to_be_visible()
    at_work.open(WORK)
    expect(at_work.page.get_by_label("Low")).to_be_checked()
    at_work.press("Enter")
    at_work.sees("Second page")
    assert Judgment.objects.get().confidence == "low"


def test_the_question_mark_shows_all_keys_and_escape_closes_them(at_work):
    dialog = at_work.page.locator("#keys")
    at_work.press("?")
    for line in ("Games", "None of these topics", "Submit and next", "Skip", "Find a label", "Change my last answer"):
        expect(dialog).to_contain_text(line)
    assert_lists_every_key(at_work)
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
    page.get_by_text("Tell a manager", exact=False).last.click()
    page.get_by_label("In your words").fill("Half of it is missing.")
    page.get_by_label("What about the page?").select_option("comment")
    page.get_by_role("button", name="Tell the managers").click()
    expect(page.get_by_text("The managers have it.")).to_be_visible()
    expect(page.get_by_label("None of these topics")).to_be_checked()
    page.get_by_label("None of these topics").press("Enter")  # the form's first button is never the managers' one
    visitor.sees("Nothing left for you")
    assert Flag.objects.count() == 1
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


def findings_in_every_dress(page) -> list[str]:
    """As it is, then in dark (which changes colours and nothing else), then in the colours of the system."""
    found = axe_findings(page)
    for dress, rules in (
        ({"color_scheme": "dark"}, ["color-contrast"]),
        ({"color_scheme": "light", "forced_colors": "active"}, []),
    ):
        page.emulate_media(reduced_motion="reduce", **dress)
        found += [f"{dress}: {line}" for line in axe_findings(page, *rules)]
    page.emulate_media(reduced_motion="reduce", color_scheme="light", forced_colors="none")
    return found


def test_axe_finds_nothing_grave_on_any_page_of_an_annotator(visit, alice, project, pages):
    project.ask_confidence = True
    project.save()
    visitor = visit(alice, reduced_motion="reduce")
    visitor.excuse("422")
    found = findings_in_every_dress(visitor.open(WORK))
    visitor.press("Enter")
    expect(visitor.page.locator(".errors")).to_be_focused()
    found += findings_in_every_dress(visitor.page)
    for title in ("Second page", "Nothing left for you"):
        visitor.awake()
        visitor.press("Shift+G", "2", "Enter")
        visitor.sees(title)
    found += findings_in_every_dress(visitor.page)
    flag = flags.raise_flag(pages[0], by=alice, kind="guideline", label="games", text="Is a castle recreation?")
    for path in ("mine/", "mine/last/", "mine/letters/", f"flags/{flag.pk}/"):
        found += findings_in_every_dress(visitor.open(f"/p/keys/{path}"))
    assert found + findings_in_every_dress(visitor.open("/accounts/preferences/")) == []


def test_my_work_is_read_whole_on_a_small_screen(visit, alice, project, pages):
    visitor = visit(alice, viewport={"width": 390, "height": 844})
    for _ in pages:
        slot = queue.lease_next(project, annotator=alice)
        judging.submit(slot, by=alice, answer=judging.Answer(yes=("games", "news"), unsure=("self_harm",)))
    page = visitor.open("/p/keys/mine/")
    for part in ("Games yes, News yes, Self Harm unsure", "just now", "Change"):
        for found in page.locator("tbody").get_by_text(part, exact=True).all():
            box = found.bounding_box()
            assert box and 0 <= box["x"] and box["x"] + box["width"] <= 390
    assert page.locator("tbody").get_by_text("just now").count() == len(pages)
    assert page.locator(".scroll").evaluate("box => box.scrollWidth <= box.clientWidth")


FIVE_MINUTES = """addEventListener("htmx:configRequest", ({detail}) => {
  if (detail.parameters.active_seconds) detail.parameters.active_seconds = "300";
}, {once: true})"""


def test_grey_focus_and_a_break_are_a_person_s_own(at_work, project):
    """Switched in the menu without losing a tick; the break is said once and put away without leaving the page."""
    page = at_work.page
    project.break_after_minutes = 5
    project.save()
    at_work.press("g")
    for switch in ("Page in grey", "Text out of focus"):
        page.locator(".menu > summary").click()
        button = page.get_by_role("button", name=switch)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        page.locator(".menu > summary").click()
    expect(page.locator(".material")).to_have_css("filter", "grayscale(1)")
    expect(page.locator(".material .text")).to_have_css("filter", re.compile("blur"))
    at_work.press(".")
    expect(page.locator(".material .text")).to_have_css("filter", "none")
    assert ticks(at_work) == {"games": "yes"}
    page.evaluate(FIVE_MINUTES)
    page.get_by_role("button", name="Submit and next").click()
    at_work.sees("Second page")
    expect(page.locator(".material .text")).to_have_css("filter", re.compile("blur"))
    said = page.locator("#break")
    expect(said).to_contain_text("You have worked for 5 minutes.")
    assert axe_findings(page) == []
    said.get_by_role("button", name="Not now").click()
    expect(said).to_be_empty()
    at_work.sees("Second page")
