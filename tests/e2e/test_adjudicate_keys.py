"""The adjudicate page under the hand: one key a decision, nothing saved half, and nobody's decision overwritten."""

import pytest
from playwright.sync_api import expect

from labeling import adjudication, consensus
from labeling.adjudication import Decision
from labeling.models import Adjudication
from tests.e2e.visitor import axe_findings
from tests.factories import make_item, make_judgment, make_member, make_project

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORK = "/p/court/adjudicate/"


@pytest.fixture
def project(transactional_db):
    return make_project(slug="court", name="Home pages")


@pytest.fixture
def pages(project):
    """Two labels in conflict on the first page, one on the second, and everyone agrees on the third label."""
    first = make_item(project, title="Worst page", text="Words of the page.")
    second = make_item(project, title="Other page", text="Words of the page.")
    for item, yes in ((first, ("games", "news")), (second, ("games",))):
        make_judgment(item, "r1", yes=yes)
        make_judgment(item, "r2")
        consensus.refresh(item, project=project)
    return first, second


@pytest.fixture
def judge(project):
    return make_member(project, "adjudicator", name="judge")


@pytest.fixture
def at_work(visit, judge, pages):
    visitor = visit(judge)
    visitor.open(WORK)
    visitor.sees("Worst page")
    return visitor


def lit(visitor) -> str:
    return visitor.page.locator(".case.now .name").inner_text()


def status(visitor):
    return visitor.page.locator("[data-answer] .say")


def save(visitor):
    return visitor.page.locator("[data-saving]")


def bar(visitor):
    return visitor.page.locator(".stay.refused:not([hidden])")


# ---- one key, one decision ------------------------------------------------------------------------------------------
def test_only_the_labels_in_conflict_are_asked_and_names_are_hidden(at_work):
    rows = at_work.page.locator(".case[data-label] .name")
    assert rows.all_inner_texts() == ["Games", "News"]
    assert "r1" not in at_work.page.locator("main").inner_text()


def test_a_key_decides_the_lit_label_and_lights_the_next(at_work):
    assert lit(at_work) == "Games"
    at_work.press("y")
    assert lit(at_work) == "News"
    expect(status(at_work)).to_contain_text("1 of 2 decided.")
    at_work.press("u")
    expect(status(at_work)).to_have_text("All decided. Say why they disagreed, then save.")


def test_enter_saves_and_the_next_page_arrives_with_the_focus_on_its_title(at_work, pages):
    at_work.press("y", "n", "2", "Enter")
    at_work.sees("Other page")
    expect(at_work.page.locator("#page-title")).to_be_focused()
    expect(at_work.page.locator("#progress")).to_contain_text("1 of 2 decided")
    decision = Adjudication.objects.get(item=pages[0])
    assert decision.verdicts == {"games": "yes", "news": "no"}
    assert decision.cause == "two_readings"


def test_enter_before_all_is_decided_saves_nothing_and_lights_what_is_open(at_work):
    at_work.press("y", "Enter")
    assert lit(at_work) == "News"
    expect(save(at_work)).to_contain_text("1 label left")
    assert not Adjudication.objects.exists()


def test_a_decision_without_a_cause_is_refused_with_a_sentence_and_keeps_what_was_chosen(at_work):
    at_work.excuse("422")
    at_work.press("y", "n", "Enter")
    summary = at_work.page.locator(".errors")
    expect(summary).to_be_focused()
    causes = at_work.page.get_by_role("group", name="Why did they disagree?")
    expect(causes).to_have_accessible_description("Say why they disagreed: choose one cause.")
    summary.get_by_role("link").click()
    expect(at_work.page.get_by_label("Guideline unclear")).to_be_focused()
    chosen = at_work.page.locator(".case input:checked").evaluate_all("boxes => boxes.map((box) => box.value)")
    assert chosen == ["yes", "no"]
    at_work.awake()
    at_work.press("1", "Enter")
    at_work.sees("Other page")


def test_a_slash_finds_a_label_and_lights_it(at_work):
    at_work.press("/")
    at_work.page.keyboard.type("new")
    expect(at_work.page.locator(".case[data-label]:visible")).to_have_count(1)
    at_work.press("Enter")
    assert lit(at_work) == "News"
    at_work.press("n")
    expect(at_work.page.get_by_label("News: no")).to_be_checked()
    assert lit(at_work) == "Games"


def test_the_clock_goes_on_after_a_decision_was_sent_back(at_work):
    at_work.excuse("422")
    at_work.page.clock.install()
    at_work.open(WORK)
    at_work.page.clock.run_for(20_000)
    at_work.press("y", "n", "Enter")
    expect(at_work.page.locator(".errors")).to_be_focused()
    at_work.page.clock.run_for(1_000)
    at_work.press("1", "Enter")
    at_work.sees("Other page")
    assert 20 <= Adjudication.objects.get().active_seconds < 60


def test_zero_leaves_the_page_for_later_and_it_comes_back_at_the_end(at_work):
    at_work.press("0")
    at_work.sees("Other page")
    at_work.awake()
    at_work.press("n", "1", "Enter")
    at_work.sees("Worst page")
    assert Adjudication.objects.count() == 1


def test_after_the_last_page_it_says_that_no_disagreements_are_open(at_work):
    at_work.press("y", "y", "1", "Enter")
    at_work.sees("Other page")
    at_work.awake()
    at_work.press("n", "3", "Enter")
    at_work.sees("No disagreements are open")


def test_twenty_pages_are_decided_with_the_keyboard_alone(visit, judge, project):
    """Among them one left for later, one accepted label by label, and each cause once and again."""
    wanted = {}
    for number in range(20):
        page = make_item(project, title=f"Page number {number}", text="Words of the page.")
        split = [key for place, key in enumerate(("games", "news", "self_harm")) if number >> place & 1] or ["games"]
        for person in ("r1", "r2", "r3"):
            make_judgment(page, person, yes=split if person == "r1" or (person == "r2" and number % 2) else [])
        consensus.refresh(page, project=project)
        wanted[page.pk] = split
    visitor = visit(judge)
    visitor.open(WORK)
    left_one = False
    for done in range(20):
        visitor.awake()
        expect(visitor.page.locator("#page-title")).to_contain_text("Page number")
        if not left_one:
            title = visitor.page.locator("#page-title").inner_text()
            visitor.press("0")
            left_one = True
            expect(visitor.page.locator("#page-title")).not_to_have_text(title)
            expect(visitor.page.locator("#page-title")).to_be_focused()  # from then on it is about to take keys
            visitor.awake()
        for _ in range(visitor.page.locator(".case[data-label]").count()):
            visitor.press("yn"[done % 2])
        visitor.press("123"[done % 3], "Enter")
        if done < 19:
            expect(visitor.page.locator("#progress")).to_contain_text(f"{done + 1} of 20 decided")
            expect(visitor.page.locator("#page-title")).to_be_focused()
    visitor.sees("No disagreements are open")
    decided = {row.item_id: row for row in Adjudication.objects.all()}
    assert {page: sorted(row.verdicts) for page, row in decided.items()} == {
        page: sorted(keys) for page, keys in wanted.items()
    }
    assert len({row.cause for row in decided.values()}) == 3
    assert all(len(set(row.verdicts.values())) == 1 for row in decided.values())


# ---- refused, without scripts, small --------------------------------------------------------------------------------
def test_the_second_of_two_sees_both_decisions_and_overwrites_nothing(at_work, project, pages):
    at_work.excuse("412")
    other = make_member(project, "adjudicator", name="other")
    theirs = Decision(verdicts={"games": "no", "news": "no"}, cause="careless")
    seen = adjudication.case_of(pages[0]).version
    adjudication.decide(pages[0], by=other, decision=theirs, seen_version=seen)
    at_work.press("y", "n", "1", "Enter")
    at_work.sees("Someone decided this page while you did")
    games = at_work.page.get_by_role("row").filter(has_text="Games")
    expect(games).to_contain_text("differs")
    assert Adjudication.objects.get().verdicts == theirs.verdicts
    at_work.page.get_by_role("link", name="Next page").click()
    at_work.sees("Other page")


def test_the_next_page_keeps_to_the_label_that_was_asked_for(at_work):
    at_work.excuse("409", "htmx:")
    at_work.open(f"{WORK}?label=news")
    at_work.sees("Worst page")
    refused = "<p data-sentence>This page was taken out of the project.</p>"
    at_work.page.route("**/decide/*", lambda route: route.fulfill(status=409, body=refused))
    at_work.press("y", "n", "1", "Enter")
    expect(bar(at_work)).to_contain_text("taken out of the project")
    address = at_work.page.get_by_role("link", name="Next page").get_attribute("href")
    assert address == f"{WORK}?label=news"


def test_a_decision_no_server_took_is_never_shown_to_the_next_person(at_work, project):
    at_work.excuse("503", "htmx:")
    at_work.page.route("**/decide/", lambda route: route.fulfill(status=503, body="busy"))
    at_work.press("y", "n", "1", "Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    at_work.page.close()
    at_work.context.clear_cookies()
    at_work.enter(make_member(project, "adjudicator", name="other"))
    at_work.page = at_work.new_tab()
    at_work.open(WORK)
    at_work.sees("Worst page")
    assert at_work.page.locator(".case input:checked").count() == 0


def test_a_decision_that_could_not_be_sent_stays_and_goes_through_once(at_work):
    at_work.excuse("ERR_FAILED", "htmx:")
    at_work.page.route("**/decide/", lambda route: (route.fetch(), route.abort()), times=1)
    at_work.press("y", "n", "1", "Enter")
    expect(bar(at_work)).to_contain_text("Not saved.")
    at_work.page.get_by_role("button", name="Try now").click()
    at_work.sees("Other page")
    assert Adjudication.objects.count() == 1


def test_without_scripts_the_same_form_records_the_decision(visit, judge, pages):
    visitor = visit(judge, java_script_enabled=False)
    page = visitor.page
    page.goto(WORK)
    visitor.sees("Worst page")
    page.get_by_label("Games: yes").check()
    page.get_by_label("News: unsure").check()
    page.get_by_label("Label overlooked").check()
    page.get_by_role("button", name="Save and next").click()
    visitor.sees("Other page")
    assert Adjudication.objects.get().verdicts == {"games": "yes", "news": "unsure"}


@pytest.mark.parametrize("width", [320, 390])
def test_a_small_screen_has_no_sideways_scroll(visit, judge, pages, width):
    visitor = visit(judge, viewport={"width": width, "height": 844})
    visitor.open(WORK)
    assert not visitor.is_too_wide()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_on_the_work_page(visit, judge, pages, scheme):
    visitor = visit(judge, color_scheme=scheme)
    assert axe_findings(visitor.open(WORK)) == []
