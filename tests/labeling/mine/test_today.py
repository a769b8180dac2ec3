"""My own figures of today: a count, a goal, and how far it is in words; for me alone, and only where I want them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import today
from labeling.today import Today
from tests.factories import make_item, make_judgment

pytestmark = pytest.mark.django_db
MINE, ANNOTATE, SHOW = "/p/pages/mine/", "/p/pages/annotate/", "/p/pages/mine/figures/"


@pytest.mark.parametrize(
    ("answers", "goal", "minutes_spent", "words"),
    [
        (10, 50, 10, "About 40 minutes to your goal, at your pace of today."),
        (10, 12, 10, "About 2 minutes to your goal, at your pace of today."),
        (10, 11, 0.1, "About 1 minute to your goal, at your pace of today."),
        (10, 100, 10, "About 1 hour 30 minutes to your goal, at your pace of today."),
        (12, 12, 10, "Your goal for today is reached."),
    ],
)
def test_how_far_the_goal_is_is_said_in_words(answers, goal, minutes_spent, words):
    assert today.in_words(Today(answers, goal, 60 * minutes_spent)) == words


@pytest.mark.parametrize(
    ("answers", "goal", "minutes_spent"),
    [(10, None, 10), (4, 50, 4), (10, 50, 0), (0, 50, 0), (5, 5000, 60), (10, 0, 10)],
    ids=["no goal", "too few answers", "no time known", "nothing yet", "days away", "a goal of nothing"],
)
def test_what_cannot_be_told_is_not_said(answers, goal, minutes_spent):
    assert Today(answers, goal, 60 * minutes_spent).minutes_to_goal is None


@pytest.fixture
def ten_answers(project, alice):
    alice.daily_goal = 50
    alice.save()
    for _ in range(10):
        make_judgment(make_item(project), alice, active_seconds=60)


def test_the_day_is_said_beside_the_work_and_in_my_work(browser, ten_answers):
    for path in (MINE, ANNOTATE):
        assert "About 40 minutes to your goal" in browser.get(path).content.decode()
    assert "10 of 50 today" in browser.get(ANNOTATE).content.decode()


def test_count_and_pace_are_one_query_and_none_for_who_hides_them(project, alice, ten_answers):
    with CaptureQueriesContext(connection) as asked:
        assert today.of(alice, project) == Today(10, 50, 600)
    assert len(asked) == 1
    alice.shows_figures = False
    with CaptureQueriesContext(connection) as asked:
        assert today.of(alice, project) is None
    assert not len(asked)


def test_figures_are_hidden_and_shown_again_from_both_pages(browser, alice, ten_answers):
    assert browser.post(SHOW, {"show": "0", "back": "annotate"}).url == ANNOTATE
    hidden = browser.get(ANNOTATE).content.decode() + browser.get(MINE).content.decode()
    assert "10 of 50" not in hidden and "minutes" not in hidden and "answered 10" not in hidden
    assert "Show my figures" in hidden
    assert browser.get("/api/v1/projects/pages/my-work/").json()["today"] is None
    assert browser.post(SHOW, {"show": "1"}).url == MINE
    assert "You have answered 10 pages today" in browser.get(MINE).content.decode()


def test_a_script_reads_the_same_day(browser, ten_answers):
    said = browser.get("/api/v1/projects/pages/my-work/").json()["today"]
    assert said == {"answers": 10, "goal": 50, "active_seconds": 600.0, "minutes_to_goal": 40}
