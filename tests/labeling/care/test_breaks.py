"""A break is proposed after so many active minutes without a pause, once, and can be put away."""

from datetime import timedelta

import pytest
from django.test import Client

from labeling import breaks
from labeling.breaks import Stretch
from labeling.models import User
from tests.factories import make_member
from tests.labeling.care.people import NOON, make_careful_project, make_slot

MINUTE = timedelta(minutes=1)
PROPOSED = "A short pause is good for the eyes"


def worked(*minutes: int, pause: int = 0) -> Stretch:
    """Answers that took so many active minutes each, with a pause before each."""
    stretch, now = Stretch(), NOON
    for n in minutes:
        now += (n + pause) * MINUTE
        stretch = breaks.after_answer(stretch, now=now, active=n * MINUTE)
    return stretch


def test_active_minutes_add_up_over_short_gaps():
    assert worked(10, 20, 15, pause=4).worked == 45 * MINUTE


def test_five_minutes_that_were_not_active_are_a_pause_and_start_anew():
    assert worked(10, 20, 15, pause=5).worked == 15 * MINUTE


def test_a_long_page_that_was_read_all_along_is_no_pause():
    assert worked(10, 30).worked == 40 * MINUTE


def test_without_scripts_the_time_between_answers_counts():
    stretch = breaks.after_answer(Stretch(), now=NOON, active=None)
    stretch = breaks.after_answer(stretch, now=NOON + 3 * MINUTE, active=None)
    assert stretch.worked == 3 * MINUTE


def test_the_same_answer_sent_twice_takes_its_time_once():
    once = worked(10, 10)
    assert breaks.after_answer(once, now=once.until, active=10 * MINUTE).worked == 20 * MINUTE


@pytest.fixture
def project(db):
    project = make_careful_project("pages", break_after_minutes=5)
    for _ in range(4):
        make_slot(project)
    return project


@pytest.fixture
def alice(project) -> User:
    return make_member(project, "annotator")


@pytest.fixture
def browser(alice) -> Client:
    browser = Client()
    browser.force_login(alice)
    return browser


class Clock:
    """Of the page that counts: the queue goes by the database's."""

    now_is = NOON

    def now(self):
        return self.now_is

    def pass_(self, minutes: int) -> None:
        self.now_is += minutes * MINUTE


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("labeling.views.breaks.timezone", clock)
    return clock


def answer(browser: Client, *, minutes: int, slug: str = "pages", scripts: bool = True) -> str:
    slot = browser.get(f"/p/{slug}/annotate/").context["assignment"]
    sent = {"none": "1", "active_seconds": str(60 * minutes)}
    headers = {"HX-Request": "true"} if scripts else {}
    return browser.post(f"/p/{slug}/annotate/{slot.pk}/submit/", sent, headers=headers, follow=True).content.decode()


def test_the_page_proposes_a_break_when_it_is_due_and_then_leaves_it_standing(browser, clock):
    assert PROPOSED not in answer(browser, minutes=4)
    clock.pass_(4)
    assert PROPOSED in answer(browser, minutes=4)
    assert PROPOSED not in answer(browser, minutes=0), "said once: what stands on the page is not said again"
    assert PROPOSED in browser.get("/p/pages/annotate/").content.decode()


def test_without_scripts_the_page_proposes_it_too_and_a_plain_form_puts_it_away(browser, clock):
    answer(browser, minutes=4, scripts=False)
    clock.pass_(4)
    assert PROPOSED in answer(browser, minutes=4, scripts=False)
    assert PROPOSED not in browser.post("/p/pages/annotate/break/", follow=True).content.decode()


def test_minutes_of_another_project_count(browser, alice, project, clock):
    other = make_careful_project("other")
    make_slot(other)
    other.memberships.create(user=alice, role="annotator")
    answer(browser, minutes=4, slug="other")
    clock.pass_(4)
    assert PROPOSED in answer(browser, minutes=4)


@pytest.mark.parametrize("who", ["the project", "the person"])
def test_whoever_wants_no_reminder_gets_none(browser, alice, project, who, clock):
    if who == "the project":
        type(project).objects.update(break_after_minutes=None)
    else:
        User.objects.filter(pk=alice.pk).update(break_reminders=False)
    answer(browser, minutes=4)
    clock.pass_(4)
    assert PROPOSED not in answer(browser, minutes=4)


def test_whoever_logs_in_at_the_same_browser_starts_anew(browser, project, clock):
    answer(browser, minutes=4)
    clock.pass_(4)
    browser.force_login(make_member(project, "annotator"))
    assert PROPOSED not in answer(browser, minutes=4)


def test_a_cookie_that_says_nothing_is_no_stretch(browser):
    browser.cookies["stretch"] = "4000|never|1"
    assert PROPOSED not in browser.get("/p/pages/annotate/").content.decode()
