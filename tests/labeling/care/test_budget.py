from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import desks, judging, queue, waiting
from labeling.models import State
from tests.factories import make_assignment, make_member
from tests.labeling.care.people import (
    MIDNIGHT,
    MINUTE,
    NOON,
    answer,
    has_read,
    make_careful_project,
    make_slot,
    next_page,
)

pytestmark = pytest.mark.django_db
ENOUGH = "That was a lot for one day. Take a pause, or go on with other lists."
TOMORROW = "Pages of this list can be given to you again from 00:00 UTC."


@pytest.fixture
def project():
    return make_careful_project(name="Pages", exposure_per_day=10)


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


# ---- what an answer costs -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ticked", "cost"), [({"yes": ("games",)}, 0), ({"yes": ("news", "games")}, 1), ({"yes": ("news", "self_harm")}, 4),
                         ({"yes": ("news",), "unsure": ("violence",)}, 3), ({"none": True}, 0)],
)  # fmt: skip
def test_an_answer_costs_the_largest_severity_of_what_was_ticked(project, alice, ticked, cost):
    make_slot(project)
    given = judging.submit(next_page(alice, project), by=alice, answer=judging.Answer(**ticked), now=NOON)
    assert given.exposure == cost


def test_a_corrected_answer_costs_what_it_says_now(project, alice):
    make_slot(project)
    given = answer(next_page(alice, project), alice, "self_harm")
    revised = judging.revise(given, by=alice, answer=judging.Answer(yes=("news",)), now=NOON + MINUTE)
    assert revised.exposure == 1
    assert desks.terms(project, alice, now=NOON + 2 * MINUTE).exposure_left == 9


def test_a_skip_and_a_page_nobody_can_judge_cost_nothing(project, alice):
    make_slot(project)
    make_slot(project)
    judging.not_assessable(next_page(alice, project), by=alice, reason="dead", now=NOON)
    judging.skip(next_page(alice, project), by=alice, now=NOON)
    assert desks.terms(project, alice, now=NOON).exposure_left == 10


# ---- the budget -----------------------------------------------------------------------------------------------------
def test_a_page_that_would_pass_the_budget_is_left_to_others(project, alice):
    has_read(alice, project, 4, 4)
    make_slot(project, expected=2.01)
    fits = make_slot(project, expected=2.0)
    assert next_page(alice, project) == fits


def test_what_one_person_cannot_bear_another_is_given(project, alice):
    has_read(alice, project, 4, 4)
    grave = make_slot(project, expected=3.5)
    assert next_page(alice, project) is None
    assert next_page(make_member(project, "annotator"), project) == grave


def test_once_the_budget_is_spent_nothing_is_given_until_midnight(project, alice):
    has_read(alice, project, 4, 4, 2)
    mild = make_slot(project)
    assert next_page(alice, project) is None
    refusal = desks.terms(project, alice, now=NOON).refusal
    assert (refusal.sentence, refusal.until) == (f"{ENOUGH} {TOMORROW}", MIDNIGHT)
    assert waiting.nothing_left(project, annotator=alice, now=NOON) == f"{ENOUGH} {TOMORROW}"
    assert next_page(alice, project, at=MIDNIGHT) == mild


def test_a_page_nobody_could_know_may_overshoot_and_is_the_last(project, alice):
    has_read(alice, project, 4, 4)
    make_slot(project, expected=0.0), make_slot(project, expected=0.0)
    surprise = answer(next_page(alice, project), alice, "self_harm")
    assert desks.terms(project, alice, now=NOON).exposure_left == 0
    assert next_page(alice, project) is None
    assert surprise.exposure == 4


def test_the_budget_left_is_never_less_than_nothing(project, alice):
    has_read(alice, project, 4, 4, 4)
    assert desks.terms(project, alice, now=NOON).exposure_left == 0


def test_yesterday_does_not_count(project, alice):
    has_read(alice, project, 4, 4, 4, until=NOON - timedelta(hours=12))
    assert desks.terms(project, alice, now=NOON).exposure_left == 10


def test_the_day_is_the_persons_whatever_the_project(project, alice):
    elsewhere = make_careful_project()
    has_read(alice, elsewhere, 4, 3)
    assert desks.terms(project, alice, now=NOON).exposure_left == 3


def test_other_peoples_pages_do_not_count(project, alice):
    has_read(make_member(project, "annotator"), project, 4, 4, 4)
    assert desks.terms(project, alice, now=NOON).exposure_left == 10


def test_an_answer_corrected_on_a_later_day_counts_on_both(project, alice):
    (grave,) = has_read(alice, project, 4, until=NOON)
    judging.revise(grave, by=alice, answer=judging.Answer(yes=("violence",)), now=MIDNIGHT + MINUTE)
    assert desks.terms(project, alice, now=NOON).exposure_left == 6
    assert desks.terms(project, alice, now=MIDNIGHT + 2 * MINUTE).exposure_left == 7


def test_a_slot_put_by_for_a_person_obeys_their_budget(project, alice):
    has_read(alice, project, 4, 4)
    put_by = make_slot(project, expected=3.0, assigned_to=alice)
    everyones = make_slot(project)
    assert next_page(alice, project) == everyones
    answer(everyones, alice)
    assert next_page(alice, project) is None
    assert next_page(alice, project, at=MIDNIGHT) == put_by


def test_who_has_spent_the_budget_keeps_the_page_they_hold(project, alice):
    slot = make_assignment(project, leased_to=alice, expires_at=NOON + MINUTE)
    has_read(alice, project, 4, 4, 4)
    assert next_page(alice, project) == slot


def test_without_rules_of_care_nothing_is_asked_of_the_database():
    project = make_careful_project()
    alice = make_member(project, "annotator")
    desks.terms(project, alice)
    with CaptureQueriesContext(connection) as asked:
        terms = desks.terms(project, alice)
    assert len(asked) == 1
    assert terms.is_plain


# ---- pages held in other projects -----------------------------------------------------------------------------------
@pytest.fixture
def elsewhere(alice):
    """Another project, where Alice holds a page that may turn out to cost 4."""
    other = make_careful_project(name="Other pages")
    make_assignment(other, leased_to=alice, expires_at=NOON + MINUTE, schema=other.schema)
    return other


def test_a_page_held_elsewhere_is_reckoned_at_its_worst(project, alice, elsewhere):
    make_slot(project, expected=3.0)
    fits = make_slot(project, expected=2.0)
    has_read(alice, project, 4)
    assert next_page(alice, project) == fits


def test_with_a_page_held_elsewhere_the_day_may_be_full(project, alice, elsewhere):
    has_read(alice, project, 4, 2)
    make_slot(project)
    assert next_page(alice, project) is None
    sentence = waiting.nothing_left(project, annotator=alice, now=NOON)
    assert sentence == "You hold a page in Other pages. Answer it or give it back first: with it, your day may be full."


def test_once_the_page_elsewhere_is_answered_the_queue_goes_on(project, alice, elsewhere):
    has_read(alice, project, 4, 2)
    waits = make_slot(project)
    queue.release(elsewhere.assignments.get(), by=alice, now=NOON)
    assert next_page(alice, project) == waits


# ---- many serious pages in a row ------------------------------------------------------------------------------------
@pytest.fixture
def in_a_row():
    return make_careful_project(severe_in_a_row=3)


def test_after_three_serious_pages_a_mild_one_comes(in_a_row):
    alice = make_member(in_a_row, "annotator")
    has_read(alice, in_a_row, 3, 4, 3)
    make_slot(in_a_row, expected=1.01)
    mild = make_slot(in_a_row, expected=1.0)
    assert next_page(alice, in_a_row) == mild


@pytest.mark.parametrize("costs", [(3, 4), (3, 4, 2), (4, 4, 0, 4, 4)])
def test_a_shorter_row_changes_nothing(in_a_row, costs):
    alice = make_member(in_a_row, "annotator")
    has_read(alice, in_a_row, *costs)
    grave = make_slot(in_a_row, expected=4.0)
    assert next_page(alice, in_a_row) == grave


def test_one_mild_answer_ends_the_row(in_a_row):
    alice = make_member(in_a_row, "annotator")
    has_read(alice, in_a_row, 3, 3, 3)
    grave, _ = make_slot(in_a_row, expected=3.5), make_slot(in_a_row, expected=0.2)
    answer(next_page(alice, in_a_row), alice)
    assert next_page(alice, in_a_row, at=NOON + MINUTE) == grave


def test_a_page_that_was_expected_to_be_mild_and_was_not_does_not_end_the_row(in_a_row):
    alice = make_member(in_a_row, "annotator")
    has_read(alice, in_a_row, 3, 3, 3)
    make_slot(in_a_row, expected=3.5), make_slot(in_a_row, expected=0.2)
    answer(next_page(alice, in_a_row), alice, "violence")
    assert next_page(alice, in_a_row, at=NOON + MINUTE) is None


def test_the_night_ends_the_row(in_a_row):
    alice = make_member(in_a_row, "annotator")
    has_read(alice, in_a_row, 4, 4, 4)
    grave = make_slot(in_a_row, expected=4.0)
    assert next_page(alice, in_a_row) is None
    assert next_page(alice, in_a_row, at=MIDNIGHT) == grave


# ---- what is said ---------------------------------------------------------------------------------------------------
def test_what_waits_is_counted_and_until_when_is_said(project, alice):
    has_read(alice, project, 4, 4)
    for _ in range(3):
        make_slot(project, expected=3.0)
    sentence = waiting.nothing_left(project, annotator=alice, now=NOON)
    assert sentence == "3 pages wait that are expected to be grave; they can be given to you from 00:00 UTC."


def test_one_page_that_waits_is_one_page(in_a_row):
    alice = make_member(in_a_row, "annotator")
    has_read(alice, in_a_row, 4, 4, 4)
    item = make_slot(in_a_row, expected=4.0).item
    make_assignment(in_a_row, item, slot=2, available_at=NOON - MINUTE)
    sentence = waiting.nothing_left(in_a_row, annotator=alice, now=NOON)
    assert sentence == "1 page waits that is expected to be grave; it can be given to you from 00:00 UTC."


def test_a_page_that_no_day_allows_is_no_promise_for_tomorrow():
    project = make_careful_project(exposure_per_day=2)
    make_slot(project, expected=3.0)
    sentence = waiting.nothing_left(project, annotator=make_member(project, "annotator"), now=NOON)
    assert sentence == (
        "1 page waits that is expected to be graver than a whole day allows here. A manager of the project can help."
    )


def test_pages_of_others_are_told_as_ever_when_no_grave_one_waits(project, alice):
    make_assignment(project, leased_to=make_member(project, "annotator"), expires_at=NOON + MINUTE)
    assert "1 page is with other people" in waiting.nothing_left(project, annotator=alice, now=NOON)
    assert project.assignments.filter(state=State.LEASED).count() == 1
