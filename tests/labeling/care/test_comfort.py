"""Pages in grey, text out of focus: tastes of a person, switched beside the work and kept on the server."""

import pytest
from django.test import Client

from labeling.models import User
from tests.factories import make_assignment, make_item, make_member
from tests.labeling.care.people import NOON, make_careful_project

pytestmark = pytest.mark.django_db
SWITCH, WORK = "/accounts/preferences/comfort/", "/p/pages/annotate/"


@pytest.fixture
def alice() -> User:
    project = make_careful_project("pages")
    make_assignment(project, make_item(project, text="What the page says."), available_at=NOON)
    return make_member(project, "annotator")


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.mark.parametrize(("switch", "column"), [("grey", "greyscale"), ("blur", "blur_text")])
def test_a_switch_is_a_plain_form_that_leads_back_to_the_page(browser, alice, switch, column):
    answer = browser.post(SWITCH, {"switch": switch, "on": "1", "next": WORK}, follow=True)
    assert answer.redirect_chain == [(WORK, 302)]
    assert f'data-{switch}="on"' in answer.content.decode()
    alice.refresh_from_db()
    assert getattr(alice, column) is True
    assert f'data-{switch}="off"' in browser.post(SWITCH, {"switch": switch, "on": "0", "next": WORK}, follow=True).text


def test_the_page_swaps_nothing_for_a_switch(browser, alice):
    assert browser.post(SWITCH, {"switch": "grey", "on": "1"}, headers={"HX-Request": "true"}).status_code == 204
    alice.refresh_from_db()
    assert alice.greyscale


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", ""])
def test_a_switch_leads_to_no_other_site(browser, elsewhere):
    assert browser.post(SWITCH, {"switch": "grey", "on": "1", "next": elsewhere}).url == "/accounts/preferences/"


def test_a_switch_that_is_none_sets_nothing(browser, alice):
    browser.post(SWITCH, {"switch": "is_superuser", "on": "1"})
    alice.refresh_from_db()
    assert not (alice.is_superuser or alice.greyscale or alice.blur_text)


def test_text_out_of_focus_can_be_reached_with_the_keyboard(browser):
    assert 'tabindex="0" role="group" aria-label="Text of the page"' not in browser.get(WORK).text
    browser.post(SWITCH, {"switch": "blur", "on": "1"})
    assert 'tabindex="0" role="group" aria-label="Text of the page"' in browser.get(WORK).text


def test_the_settings_say_that_it_is_no_protection(browser, alice):
    page = browser.get("/accounts/preferences/").text
    assert "It is no protection: what is read is read." in page and "Propose breaks to me" in page
    browser.post("/accounts/preferences/", {"email": alice.email, "single_keys": "on", "greyscale": "on"})
    alice.refresh_from_db()
    assert (alice.greyscale, alice.blur_text, alice.break_reminders) == (True, False, False)
