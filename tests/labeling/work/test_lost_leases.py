"""Nothing a person did is lost with their lease: the draft is kept, a late answer takes what is free."""

import pytest
from rest_framework.test import APIClient

from labeling import items, judging, queue, slots
from labeling.models import Assignment, Draft, Item, Judgment, LostLease, Selection, SkipReason, State
from labeling.refusals import LeaseLost, Refused, TakenOut
from tests.factories import make_assignment, make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NONE = judging.Answer(none=True)
TICKS = judging.Answer(yes=("news",), note="long note")
PAST = "2020-01-01T00:00Z"


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator")


@pytest.fixture
def carol(project):
    return make_member(project, "annotator")


def open_page(project, *, overlap=1):
    item = make_item(project)
    slots.open_up(project, [Selection.objects.create(item=item, stream="import")], overlap=overlap)
    return item


def lease(project, person):
    return queue.lease_next(project, annotator=person)


def lose(project, slot, *, to):
    """Let the lease run out and go to someone else."""
    Assignment.objects.filter(pk=slot.pk).update(available_at=PAST)
    assert queue.lease_next(project, annotator=to) == slot


def client_of(person):
    client = APIClient(raise_request_exception=False)
    client.force_login(person)
    return client


def put_draft(person, slot):
    return client_of(person).put(f"/api/v1/assignments/{slot.pk}/draft/", {"yes": ["news"]}).status_code


def submit(person, slot, **answer):
    return client_of(person).post(f"/api/v1/assignments/{slot.pk}/judgment/", answer or {"none": True})


# ---- everybody who ever held it -------------------------------------------------------------------------------------
def test_a_draft_is_taken_after_the_page_moved_on_twice(project, alice, bob, carol):
    open_page(project)
    slot = lease(project, alice)
    lose(project, slot, to=bob)
    lose(project, slot, to=carol)
    assert [put_draft(person, slot) for person in (alice, bob, carol)] == [200, 200, 200]


def test_a_draft_is_taken_after_the_next_person_gave_the_page_back(project, alice, bob):
    open_page(project)
    slot = lease(project, alice)
    lose(project, slot, to=bob)
    queue.release(slot, by=bob)
    assert put_draft(alice, slot) == 200
    assert submit(alice, slot).status_code == 201


def test_a_draft_is_taken_after_one_gave_the_page_back_and_another_took_it(project, alice, bob):
    open_page(project)
    slot = lease(project, alice)
    queue.release(slot, by=alice)
    assert lease(project, bob) == slot
    assert put_draft(alice, slot) == 200


def test_a_draft_is_taken_after_a_manager_cleared_the_lease(project, alice, bob):
    open_page(project)
    slot = lease(project, alice)
    queue.clear_lease(slot, by=make_member(project, "manager"))
    assert lease(project, bob) == slot
    assert put_draft(alice, slot) == 200


def test_who_never_held_a_page_does_not_find_it(project, alice, bob, carol):
    open_page(project)
    slot = lease(project, alice)
    lose(project, slot, to=bob)
    assert put_draft(carol, slot) == 404


def test_nothing_is_written_about_a_lease_that_was_not_lost(project, alice):
    open_page(project)
    judging.submit(lease(project, alice), by=alice, answer=NONE)
    assert not LostLease.objects.exists()


# ---- one answer a person and page -----------------------------------------------------------------------------------
def test_a_second_answer_from_a_stale_tab_is_refused(project, alice):
    open_page(project, overlap=2)
    slot = lease(project, alice)
    stale = Assignment.objects.get(pk=slot.pk)
    judging.submit(slot, by=alice, answer=NONE)
    with pytest.raises(Refused, match="answered this page already"):
        judging.submit(stale, by=alice, answer=TICKS)
    assert Judgment.objects.count() == 1


def test_a_late_answer_sent_twice_is_one_answer_and_a_sentence(project, alice, bob):
    open_page(project, overlap=3)
    slot = lease(project, alice)
    others = Assignment.objects.exclude(pk=slot.pk)
    others.update(state=State.WITHDRAWN, available_at=None)
    lose(project, slot, to=bob)
    others.update(state=State.OPEN, available_at=PAST)
    assert submit(alice, slot).status_code == 201
    again = submit(alice, slot)
    assert again.status_code == 409 and "answered this page already" in again.json()["detail"]
    assert Judgment.objects.count() == 1


def test_an_answer_from_the_old_tab_closes_the_slot_the_page_came_back_by(project, alice, bob):
    open_page(project, overlap=3)
    old = lease(project, alice)
    others = Assignment.objects.exclude(pk=old.pk)
    others.update(state=State.WITHDRAWN, available_at=None)
    lose(project, old, to=bob)
    others.update(state=State.OPEN, available_at=PAST)
    back = lease(project, alice)
    assert (back.item, back != old) == (old.item, True)
    answer = judging.submit(Assignment.objects.get(pk=old.pk), by=alice, answer=NONE)
    assert answer.assignment == back


def test_a_late_answer_takes_no_slot_of_another_kind(project, alice, bob):
    slot = make_assignment(project, leased_to=alice, expires_at=PAST)
    make_assignment(project, slot.item, slot=2, purpose="reserved", available_at=PAST)
    make_assignment(project, slot.item, slot=3, purpose="honeypot", available_at="2099-01-01T00:00Z")
    lose(project, slot, to=bob)
    Assignment.objects.filter(slot=3).update(available_at=PAST)
    with pytest.raises(LeaseLost):
        judging.submit(Assignment.objects.get(pk=slot.pk), by=alice, answer=NONE)


def test_a_late_answer_takes_a_slot_nobody_holds_before_one_that_ran_out(project, alice, bob, carol):
    open_page(project, overlap=3)
    slot = lease(project, alice)
    Assignment.objects.exclude(pk=slot.pk).update(state=State.WITHDRAWN, available_at=None)
    lose(project, slot, to=bob)
    ran_out, free = Assignment.objects.exclude(pk=slot.pk).order_by("slot")
    Assignment.objects.filter(pk=ran_out.pk).update(state=State.LEASED, annotator=carol, available_at=PAST)
    Assignment.objects.filter(pk=free.pk).update(state=State.OPEN, available_at=PAST)
    assert judging.submit(Assignment.objects.get(pk=slot.pk), by=alice, answer=NONE).assignment == free


def test_who_ran_out_of_time_finds_their_slot_when_a_late_answer_took_it(project, alice, bob, carol):
    open_page(project, overlap=2)
    slot, other = lease(project, alice), lease(project, carol)
    Assignment.objects.filter(pk=slot.pk).update(annotator=bob)
    LostLease.objects.create(slot=slot, annotator=alice)
    Assignment.objects.filter(pk=other.pk).update(available_at=PAST)
    assert judging.submit(Assignment.objects.get(pk=slot.pk), by=alice, answer=NONE).assignment == other
    assert put_draft(carol, other) == 200


# ---- ticks are kept -------------------------------------------------------------------------------------------------
def test_that_nobody_can_judge_a_lost_page_leaves_the_draft_as_it_was(project, alice, bob):
    open_page(project)
    slot = lease(project, alice)
    judging.save_draft(slot, by=alice, answer=TICKS)
    lose(project, slot, to=bob)
    with pytest.raises(LeaseLost):
        judging.not_assessable(slot, by=alice, reason=SkipReason.DEAD)
    assert Draft.objects.get(annotator=alice).answer == TICKS.as_draft()


def test_a_page_that_was_taken_out_says_so_and_keeps_the_ticks(project, alice):
    open_page(project)
    slot = lease(project, alice)
    items.withdraw(Item.objects.all(), project=project, by=make_member(project, "manager"), reason="A double.")
    response = submit(alice, slot, yes=["news"])
    assert response.status_code == 409
    assert response.json()["detail"] == (
        "This page was taken out of the project. Your ticks are kept; nothing more to do."
    )
    assert Draft.objects.get().answer["yes"] == ["news"]
    with pytest.raises(TakenOut):
        queue.renew(slot, by=alice)


def test_ticks_on_a_page_that_came_back_are_still_taken(project, alice):
    open_page(project)
    slot = lease(project, alice)
    manager = make_member(project, "manager")
    items.withdraw(Item.objects.all(), project=project, by=manager, reason="A double.")
    items.restore(Item.objects.all(), project=project, by=manager)
    assert submit(alice, slot).status_code == 201


# ---- pages put away -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("has_run_out", [False, True])
def test_a_page_that_was_archived_is_not_given_back_and_not_in_the_way(project, alice, has_run_out):
    open_page(project)
    slot = lease(project, alice)
    items.archive(Item.objects.all(), project=project, by=make_member(project, "manager"))
    if has_run_out:
        Assignment.objects.filter(pk=slot.pk).update(available_at=PAST)
    open_page(project)
    found = lease(project, alice)
    assert found is not None and found.item != slot.item
    assert put_draft(alice, slot) == 200


def test_with_only_archived_pages_nothing_is_left(project, alice):
    open_page(project)
    lease(project, alice)
    items.archive(Item.objects.all(), project=project, by=make_member(project, "manager"))
    assert lease(project, alice) is None
