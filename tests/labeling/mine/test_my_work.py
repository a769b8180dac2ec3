"""My work: what waits, what may still be changed, one's own figures; nothing of anyone else."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import consensus, judging, own_work, queue, slots
from labeling.answers import Answer
from labeling.models import Assignment, Judgment, Membership, Purpose, Selection, Skip
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project
from tests.labeling.gold.work import decide

pytestmark = pytest.mark.django_db
MINE = "/p/pages/mine/"


def open_pages(project, n):
    items = [make_item(project, f"https://page{number}.example.org/") for number in range(n)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)


def answer_next(project, person, **answer):
    return judging.submit(queue.lease_next(project, annotator=person), by=person, answer=Answer(**answer))


def section(browser, name, path=MINE):
    html = browser.get(path).content.decode()
    found = re.search(rf'<section class="card" id="{name}".*?</section>', html, re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group(0))) if found else None


# ---- to do ----------------------------------------------------------------------------------------------------------
def test_the_page_at_hand_is_named(project, alice, browser):
    open_pages(project, 2)
    slot = queue.lease_next(project, annotator=alice)
    assert slot.item.host in section(browser, "todo") and "Go on with it" in section(browser, "todo")


def test_looking_at_my_work_takes_no_page(project, alice, browser):
    open_pages(project, 1)
    assert "Pages are waiting to be answered." in section(browser, "todo")
    assert not Assignment.objects.filter(annotator=alice).exists()


def test_where_nothing_waits_it_says_why(project, alice, browser):
    assert "No pages are waiting yet." in section(browser, "todo")
    open_pages(project, 1)
    answer_next(project, alice, none=True)
    assert "You have answered every page that waits for you." in section(browser, "todo")


def test_pages_put_by_for_me_are_said_but_never_counted_or_named(project, alice, browser):
    """Which and how many would tell a repeat from a page a manager gave."""
    slot = make_assignment(project, assigned_to=alice)
    said = section(browser, "todo")
    make_assignment(project, assigned_to=alice)
    assert "Pages are put by for you by name." in said and slot.item.host not in said
    assert section(browser, "todo") == said


@pytest.mark.parametrize("purpose", [Purpose.HONEYPOT, Purpose.REPEAT, Purpose.ONBOARDING])
def test_a_page_given_for_another_reason_changes_nothing_here(project, alice, browser, purpose):
    open_pages(project, 1)
    before = section(browser, "todo")
    make_assignment(project, assigned_to=alice, purpose=purpose)
    assert section(browser, "todo") == before


# ---- answered -------------------------------------------------------------------------------------------------------
def test_an_answer_leaves_the_list_once_it_is_decided(project, alice, browser):
    open_pages(project, 1)
    mine = answer_next(project, alice, yes=("games",))
    assert "Games yes" in section(browser, "done")
    make_judgment(mine.item, "second")

    consensus.refresh(mine.item, project=project)
    decide(mine.item, by=make_member(project, "adjudicator"), games="yes")
    assert "Games yes" not in section(browser, "done")
    assert not own_work.revisable(project, alice).exists()


def test_answers_are_paged_newest_first(project, alice, browser):
    for number in range(23):
        item = make_item(project, f"https://page{number:02}.example.org/")
        make_judgment(item, alice, submitted_at=timezone.now() + timedelta(seconds=number))
    first, second = section(browser, "done"), section(browser, "done", f"{MINE}?page=2")
    assert re.findall(r"page(\d\d)\.", first)[0] == "22" and "page02" not in first
    assert "page02" in second and "Newer answers" in second and "Older answers" not in second
    assert "There is nothing further back." in section(browser, "done", f"{MINE}?page=9")


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "²"])
def test_a_page_number_that_is_none_shows_a_page(browser, page):
    assert browser.get(MINE, {"page": page}).status_code == 200


# ---- figures --------------------------------------------------------------------------------------------------------
def test_figures_count_my_days_and_nobody_elses(project, alice):
    now = timezone.now().replace(hour=12)
    for days_ago, yes, seconds in ((0, ["games"], 30.0), (0, [], 90.0), (1, [], 60.0), (20, [], 500.0)):
        item, at = make_item(project), now - timedelta(days=days_ago)
        make_judgment(item, alice, yes=yes, active_seconds=seconds, submitted_at=at)
        make_judgment(item, "another", yes=["news"], submitted_at=at)
    Skip.objects.create(item=item, annotator=alice)
    own = own_work.figures(project, alice, now=now)
    assert [(row.answers, row.active_seconds) for row in own.days] == [(2, 120.0), (1, 60.0)]
    assert (own.answers, own.none, own.active_seconds, own.skips) == (3, 2, 180.0, 1)


def test_a_label_called_yes_is_no_answer_that_says_yes():
    project = make_project(labels=("yes", "unsure"))
    alice = make_member(project, "annotator")
    make_judgment(make_item(project), alice)
    make_judgment(make_item(project), alice, unsure=["yes"])
    assert own_work.figures(project, alice).none_share == 0.5


def test_a_corrected_answer_is_one_answer_of_the_day_it_was_given(project, alice):
    open_pages(project, 1)
    judging.revise(answer_next(project, alice, none=True), by=alice, answer=Answer(yes=("news",)))
    own = own_work.figures(project, alice)
    assert (own.answers, own.none, [row.answers for row in own.days]) == (1, 0, [1])
    assert Judgment.objects.count() == 2


@pytest.mark.parametrize("purpose", [Purpose.NEW_LABEL, Purpose.AUDIT, Purpose.WORK])
def test_whatever_a_manager_gave_me_to_do_is_said(project, alice, browser, purpose):
    make_assignment(project, assigned_to=alice, purpose=purpose)
    assert "Pages are put by for you by name." in section(browser, "todo")


@pytest.mark.parametrize("purpose", [Purpose.HONEYPOT, Purpose.REPEAT])
def test_what_is_about_me_is_never_among_what_is_put_by(project, alice, browser, purpose):
    make_assignment(project, assigned_to=alice, purpose=purpose)
    assert "put by" not in section(browser, "todo")


def test_a_page_kept_for_adjudicators_is_put_by_for_those_who_are(project, alice, browser):
    make_assignment(project, assigned_to=alice, purpose=Purpose.RESERVED)
    assert "put by" not in section(browser, "todo")
    Membership.objects.create(project=project, user=alice, role="adjudicator")
    assert "Pages are put by for you by name." in section(browser, "todo")


def test_a_page_i_skipped_is_not_said_to_be_put_by(project, alice, browser):
    slot = make_assignment(project, assigned_to=alice)
    Skip.objects.create(item=slot.item, round=slot.round, annotator=alice, reason="rather_not")
    assert "put by" not in section(browser, "todo")
