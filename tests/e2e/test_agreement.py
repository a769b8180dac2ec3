"""From who agrees with whom to the page they differ on, and back to where one was, with the keyboard alone."""

import random

import pytest
from playwright.sync_api import expect

from labeling import consensus, refits, reports
from labeling.models import Item, Rater
from tests.e2e.album import Album
from tests.e2e.visitor import axe_findings
from tests.factories import make_item, make_judgment, make_member, make_project, make_user
from tests.labeling.truth.crowd import crowd, decide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PEOPLE = ("w1", "w2", "w3", "w4")


@pytest.fixture
def project(transactional_db):
    """Forty pages four people answered; the last of them reads one label more widely than the others."""
    project, chance = make_project("pairs", name="Home pages"), random.Random(3)
    for number in range(40):
        page = make_item(project, title=f"Page number {number}", text="Words of the page.")
        truth = [key for key in ("games", "news") if chance.random() < 0.4]
        for person in PEOPLE:
            slip = [key for key in ("games", "news") if chance.random() < 0.1]
            wide = ["news"] if person == "w4" and number % 3 == 0 else []
            make_judgment(page, person, yes=sorted({*truth, *wide} ^ set(slip)))
    consensus.refresh_many(list(Item.objects.filter(project=project).values_list("pk", flat=True)), project=project)
    reports.of_project(project)
    return project


@pytest.fixture
def manager(visit, project):
    return visit(make_member(project, "manager", name="olga"))


def focused(page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def tab_to(page, found) -> None:
    """Press Tab until the element has the focus: as often as somebody would put up with."""
    for _ in range(80):
        if found.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach it; the focus is on {focused(page)!r}")


def test_from_the_matrix_to_a_page_and_back_to_the_same_cell(manager, project):
    first, second = Rater.objects.filter(project=project, code__in=["w1", "w4"]).order_by("pk")
    page = manager.open(f"/p/{project.slug}/agreement/")
    link = page.get_by_role("link", name="Every pair, on every label")
    tab_to(page, link)
    page.keyboard.press("Enter")
    cell = page.locator(f"#pair-{first.pk}-{second.pk}, #pair-{second.pk}-{first.pk}")
    assert "w1" in cell.inner_text() and "n 40" in cell.inner_text()
    assert axe_findings(page) == []
    tab_to(page, cell)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("w1 and w4")
    assert axe_findings(page) == []
    news = page.locator("#said ~ .scroll, section[aria-labelledby=said]").get_by_role("link", name="News").first
    tab_to(page, news)
    page.keyboard.press("Enter")
    expect(page.locator("#pages-title")).to_contain_text("on which they differ about News")
    item = page.locator("#pages").get_by_role("link").first
    address = item.inner_text()
    tab_to(page, item)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(address.removesuffix("/"))
    assert axe_findings(page) == []
    back = page.get_by_role("link", name="Back to w")
    tab_to(page, back)
    page.keyboard.press("Enter")
    expect(page.locator("#pages-title")).to_contain_text("on which they differ about News")
    again = page.get_by_role("link", name="Back to all pairs")
    tab_to(page, again)
    page.keyboard.press("Enter")
    expect(cell).to_be_focused()


def test_the_pages_are_clean_in_light_and_dark_and_on_a_phone(manager, project, settings):
    first, second = Rater.objects.filter(project=project, code__in=["w1", "w4"]).order_by("pk")
    album = Album(settings.BASE_DIR / "var" / "pictures" / "agreement")
    album.add(manager, f"/p/{project.slug}/agreement/", "agreement")
    album.add(manager, f"/p/{project.slug}/agreement/pairs/?label=news", "pairs")
    album.add(manager, f"/p/{project.slug}/agreement/pairs/{first.pk}/{second.pk}/", "pair")
    assert album.findings == []


# ---- consensus, and what asking more would come to ------------------------------------------------------------------
@pytest.fixture
def decided(transactional_db):
    """Ninety pages three people answered, on two thirds of which somebody decided."""
    project = make_project("decided", name="Home pages")
    items, truth = crowd(project, 90, {"ann": (0.95, 0.98), "ben": (0.85, 0.95), "cat": (0.6, 0.9)})
    decide(project, items[:60], truth[:60])
    refits.make(project)
    return project


def test_consensus_and_what_more_answers_would_come_to_are_clean(decided, visit, settings):
    manager = visit(make_member(decided, "manager", name="olga"))
    album = Album(settings.BASE_DIR / "var" / "pictures" / "agreement")
    album.add(manager, f"/p/{decided.slug}/agreement/consensus/", "consensus")
    assert album.findings == []
    page = manager.open(f"/p/{decided.slug}/settings/")
    page.get_by_label("Ask more people where the answers leave it in doubt").check()
    button = page.get_by_role("button", name="What would this come to?")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.locator("#outlook")).to_be_in_viewport()
    expect(page.locator("#outlook h3")).to_contain_text("As typed, 1,000 pages take about")
    assert page.get_by_label("Ask more people where the answers leave it in doubt").is_checked()
    assert axe_findings(page) == []
    assert not manager.is_too_wide()


def test_all_projects_are_clean_in_light_and_dark_and_on_a_phone(decided, visit, settings):
    album = Album(settings.BASE_DIR / "var" / "pictures" / "installation")
    album.add(visit(make_user("olga", is_superuser=True)), "/installation/", "installation")
    assert album.findings == []
