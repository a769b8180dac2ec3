"""Returned to me: pages to judge once more, and answers of the managers that I have not read."""

import pytest

from labeling import flags, judging, queue
from labeling.answers import Answer
from labeling.models import Judgment, Purpose
from labeling.models.work import COUNTED
from tests.factories import make_assignment, make_item, make_judgment, make_member
from tests.labeling.mine.test_my_work import section

pytestmark = pytest.mark.django_db
MINE, WORK, RETURNED = "/p/pages/mine/", "/api/v1/projects/pages/my-work/", "/api/v1/projects/pages/returned/"


@pytest.fixture
def boss(project):
    return make_member(project, "manager", name="boss")


@pytest.fixture
def flag(project, alice):
    item = make_item(project, "https://told.example.org/")
    make_assignment(project, item, leased_to=alice)
    return flags.raise_flag(item, by=alice, kind="comment", text="What of forums?")


def settle(flag, boss, **said):
    flags.resolve(flag, by=boss, **said)


def sent_back(project, person):
    """A page as an adjudicator's sending back leaves it: answered, and asked once more in a round of its own."""
    item = make_item(project, "https://again.example.org/")
    make_judgment(item, person, yes=["news"])
    return make_assignment(project, item, purpose=Purpose.REJUDGE, round=2, assigned_to=person)


# ---- pages ----------------------------------------------------------------------------------------------------------
def test_an_empty_inbox_says_what_will_be_in_it(browser):
    assert "Nothing came back to you." in section(browser, "returned")


def test_a_page_sent_back_is_named_until_it_is_answered_again(project, alice, browser):
    slot = sent_back(project, alice)
    assert "again.example.org" in section(browser, "returned")
    found = browser.get(RETURNED).json()["results"]
    assert [(row["id"], row["item"]) for row in found] == [(slot.pk, slot.item.public_id)]
    given = queue.lease_next(project, annotator=alice)
    judging.submit(given, by=alice, answer=Answer(yes=("games",)))
    assert given == slot and "again.example.org" not in section(browser, "returned")
    assert browser.get(RETURNED).json()["results"] == []
    assert Purpose.REJUDGE not in COUNTED and Judgment.objects.count() == 2


def test_it_is_in_nobody_elses_inbox(project, alice, browser):
    sent_back(project, make_member(project, "annotator"))
    assert "Nothing came back to you." in section(browser, "returned")


# ---- answers --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("said", [{"text": "Forums count as games."}, {}], ids=["with a word", "settled in silence"])
def test_an_answer_is_new_until_its_thread_was_opened(flag, boss, browser, said):
    assert browser.get(WORK).json()["new_answers"] == 0
    settle(flag, boss, **said)
    assert "told.example.org" in section(browser, "returned")
    assert browser.get(WORK).json()["new_answers"] == 1
    assert "1<span" in browser.get(MINE).content.decode()
    browser.get(f"/p/pages/flags/{flag.pk}/")
    assert "Nothing came back to you." in section(browser, "returned")
    assert browser.get(WORK).json()["new_answers"] == 0


def test_another_word_after_it_was_read_is_new_again(flag, boss, browser):
    for text in ("First.", "Second."):
        flags.comment(flag, by=boss, text=text)
        assert browser.get(WORK).json()["new_answers"] == 1
        assert browser.get(f"/api/v1/flags/{flag.pk}/").status_code == 200
        assert browser.get(WORK).json()["new_answers"] == 0


def test_my_own_words_are_never_news_to_me(flag, alice, browser):
    flags.comment(flag, by=alice, text="And of chats?")
    assert browser.get(WORK).json()["new_answers"] == 0
    assert [row["is_new"] for row in browser.get("/api/v1/projects/pages/flags/").json()["results"]] == [False]


# ---- for who settles them -------------------------------------------------------------------------------------------
def test_a_flag_is_new_to_each_manager_until_they_read_it_or_it_is_settled(flag, project, alice, boss, client):
    second = make_member(project, "manager", name="second")

    def new_to(person):
        return flags.news(project, person, settles=True).raised

    assert (new_to(boss), new_to(second)) == (1, 1)
    client.force_login(boss)
    assert '<b class="new">new</b>' in client.get("/p/pages/flags/").content.decode()
    client.get(f"/p/pages/flags/{flag.pk}/")
    assert '<b class="new">new</b>' not in client.get("/p/pages/flags/").content.decode()
    assert (new_to(boss), new_to(second)) == (0, 1)
    flags.comment(flag, by=alice, text="Are you there?")
    assert (new_to(boss), new_to(second)) == (1, 1)
    settle(flag, boss)
    assert (new_to(boss), new_to(second)) == (0, 0)


def test_what_is_veiled_stays_new_until_the_veil_is_lifted(flag, project):
    judge = make_member(project, "adjudicator", name="judge")
    reader = flags.reader(judge, project, roles=frozenset({"adjudicator"}))
    veiled = flags.listed(project, reader).get()
    flags.mark_read(veiled, reader)
    assert flags.news(project, judge, settles=True).raised == 1
    flags.mark_read(flags.opened(veiled, reader), reader)
    assert flags.news(project, judge, settles=True).raised == 0
