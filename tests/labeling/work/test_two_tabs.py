"""Somebody works in two tabs at once: what one of them answers counts in what the other is given."""

import threading

import pytest
from django.db import connection, transaction

from labeling import drafts, judging, offers, probes, queue, quotas, slots
from labeling.models import Assignment, Draft, Membership, Selection, State
from labeling.refusals import LeaseLost, Refused
from tests.factories import make_item, make_member, make_project
from tests.labeling.care.people import NOON, answer, has_read, make_careful_project, make_slot, next_page

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen in the other tab after the first tab has read what may be given, before it takes a page."""
    todo, prepare = [], probes.prepare

    def after_it_has_happened(wish):
        while todo:
            todo.pop()()
        return prepare(wish)

    monkeypatch.setattr(probes, "prepare", after_it_has_happened)
    return todo.append


def queued(pages: int, *, overlap: int = 1, **rules):
    project = make_project(**rules)
    items = [make_item(project) for _ in range(pages)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=overlap)
    return project


def test_the_last_page_of_a_quota_answered_in_the_other_tab_is_the_last(meanwhile):
    project = queued(3, quota_total=1)
    anna = make_member(project, "annotator")
    held = queue.lease_next(project, annotator=anna)
    meanwhile(lambda: judging.submit(held, by=anna, answer=NEWS))
    assert queue.lease_next(project, annotator=anna) is None
    assert not Assignment.objects.filter(annotator=anna, state=State.LEASED).exists()


def test_so_it_is_with_a_quota_of_her_own(meanwhile):
    project = queued(3)
    anna = make_member(project, "annotator")
    Membership.objects.filter(user=anna).update(quota_per_day=1)
    held = queue.lease_next(project, annotator=anna)
    meanwhile(lambda: judging.submit(held, by=anna, answer=NEWS))
    assert queue.lease_next(project, annotator=anna) is None


def test_an_answer_that_ends_no_quota_is_followed_by_the_next_page(meanwhile):
    project = queued(3, quota_total=2)
    anna = make_member(project, "annotator")
    held = queue.lease_next(project, annotator=anna)
    meanwhile(lambda: judging.submit(held, by=anna, answer=NEWS))
    assert queue.lease_next(project, annotator=anna) is not None


def test_a_grave_page_answered_in_the_other_tab_counts_in_what_is_given(meanwhile):
    project = make_careful_project(exposure_per_day=10)
    anna = make_member(project, "annotator")
    has_read(anna, project, 4, 3)
    held = make_slot(project, expected=1.0, leased_to=anna, expires_at=NOON.replace(hour=13))
    make_slot(project, expected=3.0, priority=5)
    mild = make_slot(project, expected=2.0)
    meanwhile(lambda: answer(held, anna, "news"))  # 8 of 10: before it was answered, a page of 3 was within the day
    assert next_page(anna, project) == mild


def test_a_page_that_turned_out_grave_in_the_other_tab_leaves_no_room_for_another(meanwhile):
    project = make_careful_project(exposure_per_day=10)
    anna = make_member(project, "annotator")
    has_read(anna, project, 4, 4)
    held = make_slot(project, expected=1.0, leased_to=anna, expires_at=NOON.replace(hour=13))
    make_slot(project, expected=1.0)
    meanwhile(lambda: answer(held, anna, "self_harm"))  # 12 of 10: the one page that nobody could know
    assert next_page(anna, project) is None


def test_a_page_taken_in_another_project_at_this_moment_is_reckoned_with(meanwhile):
    here, there = (make_careful_project(exposure_per_day=10) for _ in range(2))
    anna = make_member(here, "annotator")
    Membership.objects.create(project=there, user=anna, role="annotator")
    has_read(anna, here, 4, 4)
    make_slot(here, expected=1.0)
    make_slot(there, expected=1.0)
    meanwhile(lambda: next_page(anna, there))
    assert next_page(anna, here) is None


def test_a_page_held_in_another_project_may_be_the_next_grave_one_of_a_row():
    here, there = (make_careful_project(severe_in_a_row=2) for _ in range(2))
    anna = make_member(here, "annotator")
    Membership.objects.create(project=there, user=anna, role="annotator")
    has_read(anna, here, 3)
    make_slot(there, expected=3.0)
    grave, mild = make_slot(here, expected=3.0, priority=5), make_slot(here, expected=1.0)
    held = next_page(anna, there)
    assert next_page(anna, here) == mild  # with the page held there she may have read two grave ones by then
    answer(held, anna, "news")
    answer(mild, anna, "news")
    assert next_page(anna, here) == grave


def test_going_on_with_a_draft_is_within_the_quota_too(monkeypatch):
    project = queued(2, quota_total=1)
    anna = make_member(project, "annotator")
    first = queue.lease_next(project, annotator=anna)
    draft = judging.save_draft(first, by=anna, answer=NEWS)
    queue.release(first, by=anna)
    Assignment.objects.filter(pk=first.pk).update(priority=-5)
    second = queue.lease_next(project, annotator=anna)
    held = offers.held

    def after_the_other_tab_answered(wish):
        monkeypatch.undo()
        judging.submit(second, by=anna, answer=NEWS)
        return held(wish)

    monkeypatch.setattr(offers, "held", after_the_other_tab_answered)
    with pytest.raises(Refused):
        drafts.go_on(draft, by=anna)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_late_answers_at_once_are_within_a_quota():
    project = queued(2, overlap=2, quota_total=1)
    anna, late = make_member(project, "annotator"), []
    for _ in range(2):
        slot = queue.lease_next(project, annotator=anna)
        queue.release(slot, by=anna)
        late.append(slot)
        Assignment.objects.filter(item=slot.item).exclude(pk=slot.pk).update(priority=-5)
        Assignment.objects.filter(pk=slot.pk).update(state=State.WITHDRAWN, available_at=None)
    assert len({slot.item_id for slot in late}) == 2
    start, said = threading.Barrier(2), []

    def submit(slot):
        start.wait()
        try:
            judging.submit(slot, by=anna, answer=NEWS)
        except LeaseLost:
            said.append("lost")
        finally:
            connection.close()

    threads = [threading.Thread(target=submit, args=[slot]) for slot in late]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert quotas.in_all(project, anna.pk) == 1
    assert said == ["lost"]
    assert Draft.objects.filter(annotator=anna).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_goes_at_this_moment_hides_nothing_that_stands_behind_it():
    """A manager takes out all the front of the queue: whoever looks meanwhile waits, and is given what is behind it."""
    project = queued(offers.FRONT_SLOTS + 1)
    anna = make_member(project, "annotator")
    front = list(Assignment.objects.in_queue_order().values_list("pk", flat=True)[: offers.FRONT_SLOTS])
    going, may_commit = threading.Event(), threading.Event()

    def takes_them_out():
        with transaction.atomic():
            Assignment.objects.filter(pk__in=front).update(state=State.WITHDRAWN, available_at=None)
            going.set()
            may_commit.wait(10)
        connection.close()

    manager = threading.Thread(target=takes_them_out)
    manager.start()
    going.wait(10)
    threading.Timer(0.5, may_commit.set).start()
    slot = queue.lease_next(project, annotator=anna)
    manager.join()
    assert slot is not None
