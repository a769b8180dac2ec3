from datetime import UTC, datetime, timedelta

import pytest

from labeling import judging, queue, slots, waiting
from labeling.models import Assignment, Draw, Selection, State, Stream
from labeling.refusals import LeaseLost
from tests.factories import make_assignment, make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NONE = judging.Answer(none=True)


@pytest.fixture
def project():
    return make_project(lease_seconds=600)


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator")


def select(item, stream=Stream.IMPORT, **fields):
    return Selection.objects.create(item=item, stream=stream, **fields)


def test_two_slots_of_an_item_go_to_two_people(project, alice, bob):
    slots.open_up(project, [select(make_item(project))], overlap=2)
    first = queue.lease_next(project, annotator=alice)
    second = queue.lease_next(project, annotator=bob)
    assert (first.item, first.slot) == (second.item, 3 - second.slot)


def test_nobody_is_given_both_slots_of_an_item(project, alice):
    slots.open_up(project, [select(make_item(project))], overlap=2)
    judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=NONE)
    assert queue.lease_next(project, annotator=alice) is None


def test_who_holds_a_lease_gets_that_one_back(project, alice):
    slots.open_up(project, [select(make_item(project)), select(make_item(project))], overlap=1)
    assert queue.lease_next(project, annotator=alice) == queue.lease_next(project, annotator=alice)


def test_an_expired_lease_goes_back_to_the_queue(project, alice, bob):
    slot = make_assignment(project, leased_to=alice, expires_at=NOON)
    assert queue.lease_next(project, annotator=bob, now=NOON + SECOND) == slot


def test_a_running_lease_stays_with_its_holder(project, alice, bob):
    make_assignment(project, leased_to=alice, expires_at=NOON)
    assert queue.lease_next(project, annotator=bob, now=NOON - SECOND) is None


def test_the_database_clock_decides_when_no_time_is_given(project, alice, bob):
    slot = make_assignment(project, leased_to=alice, expires_at=NOON)
    assert slot.available_at < datetime.now(UTC)
    assert queue.lease_next(project, annotator=bob) == slot


def test_priority_comes_before_the_shuffle(project, alice):
    make_assignment(project, shuffle=1, available_at=NOON)
    urgent = make_assignment(project, shuffle=2, priority=5, available_at=NOON)
    assert queue.lease_next(project, annotator=alice) == urgent


def test_withdrawn_items_are_not_handed_out(project, alice):
    make_assignment(project, make_item(project, state="withdrawn"), available_at=NOON)
    assert queue.lease_next(project, annotator=alice) is None


def test_renewing_pushes_the_end_out(project, alice):
    slot = make_assignment(project, leased_to=alice, expires_at=NOON + SECOND)
    assert queue.renew(slot, by=alice, now=NOON).available_at == NOON + timedelta(seconds=600)


def test_renewing_a_page_that_went_to_someone_else_is_refused(project, alice, bob):
    slot = make_assignment(project, leased_to=alice, expires_at=NOON)
    queue.lease_next(project, annotator=bob)
    with pytest.raises(LeaseLost):
        queue.renew(slot, by=alice)


def test_a_released_page_is_free_for_others(project, alice, bob):
    slots.open_up(project, [select(make_item(project))], overlap=1)
    slot = queue.lease_next(project, annotator=alice)
    queue.release(slot, by=alice)
    assert queue.lease_next(project, annotator=bob) == slot


def test_leaving_gives_back_every_lease(project, alice, bob):
    slots.open_up(project, [select(make_item(project))], overlap=1)
    slot = queue.lease_next(project, annotator=alice)
    assert queue.release_all(alice) == 1
    assert queue.lease_next(project, annotator=bob) == slot


def test_an_item_that_waits_already_is_not_queued_twice(project):
    item = make_item(project)
    assert slots.open_up(project, [select(item)], overlap=2) == 2
    assert slots.open_up(project, [select(item, Stream.UNCERTAINTY)], overlap=2) == 0


def test_a_gold_draw_opens_a_round_of_its_own(project):
    item = make_item(project)
    slots.open_up(project, [select(item)], overlap=2)
    draw = Draw.objects.create(project=project, number=1, seed="s", frame_sha256="0" * 64, frame_size=1, size=1)
    assert slots.open_up(project, [select(item, Stream.GOLD, draw=draw, probability=1.0)], overlap=3) == 3
    assert Assignment.objects.filter(item=item, round=2).count() == 3


def test_with_everything_leased_the_sentence_says_with_how_many_people_pages_are(project, alice, bob):
    slots.open_up(project, [select(make_item(project))], overlap=1)
    queue.lease_next(project, annotator=bob)
    assert queue.lease_next(project, annotator=alice) is None
    assert waiting.nothing_left(project, annotator=alice).startswith(
        "Nothing left for you. 1 page is with other people"
    )


def test_an_empty_queue_says_so(project, alice):
    assert waiting.nothing_left(project, annotator=alice).startswith("No pages are waiting yet.")


def test_a_slot_cannot_be_open_without_a_time(project):
    from django.db import IntegrityError, transaction

    slot = make_assignment(project)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(pk=slot.pk).update(available_at=None)


def test_one_person_cannot_hold_two_slots_of_one_round(project, alice):
    from django.db import IntegrityError, transaction

    item = make_item(project)
    make_assignment(project, item, slot=1, leased_to=alice, expires_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_assignment(project, item, slot=2, leased_to=alice, expires_at=NOON)


def test_done_slots_leave_the_queue(project, alice):
    slots.open_up(project, [select(make_item(project))], overlap=1)
    slot = queue.lease_next(project, annotator=alice)
    judging.submit(slot, by=alice, answer=NONE)
    slot.refresh_from_db()
    assert (slot.state, slot.available_at) == (State.DONE, None)


def test_who_comes_back_late_finds_the_same_page_if_nobody_took_it(project, alice):
    slots.open_up(project, [select(make_item(project)), select(make_item(project))], overlap=1)
    slot = queue.lease_next(project, annotator=alice)
    Assignment.objects.filter(pk=slot.pk).update(available_at=NOON)
    again = queue.lease_next(project, annotator=alice)
    assert again == slot and again.available_at > datetime.now(UTC)


def test_the_database_holds_one_lease_per_person_and_project(project, alice):
    from django.db import IntegrityError, transaction

    make_assignment(project, leased_to=alice, expires_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_assignment(project, leased_to=alice, expires_at=NOON)
