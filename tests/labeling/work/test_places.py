"""The place in the queue is a hint: it spares a person the pages behind them, and hides none."""

from random import Random

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling import bulk, desks, judging, offers, places, queue, slots
from labeling.models import Assignment, Desk, Selection
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NONE = judging.Answer(none=True)


@pytest.fixture(autouse=True)
def every_look_moves_the_place(monkeypatch):
    monkeypatch.setattr(places, "MOVED_EVERY", 1)


@pytest.fixture
def project():
    return make_project()


def open_up(project, n: int, *, overlap: int = 1, priority: int = 0) -> None:
    chosen = [Selection.objects.create(item=make_item(project), stream="import") for _ in range(n)]
    slots.open_up(project, chosen, overlap=overlap, priority=priority)


def answer(project, person, n: int) -> list[int]:
    """The items this person was given, one after the other."""
    seen = []
    for _ in range(n):
        slot = queue.lease_next(project, annotator=person)
        judging.submit(slot, by=person, answer=NONE)
        seen.append(slot.item_id)
    return seen


def test_equal_priority_is_served_in_an_order_of_ones_own(project):
    open_up(project, 12, overlap=2)
    alice, bob = make_member(project, "annotator"), make_member(project, "annotator")
    hers, his = answer(project, alice, 12), answer(project, bob, 12)
    assert sorted(hers) == sorted(his)
    assert hers != his


def test_pages_are_finished_before_the_queue_has_moved_far_on(project):
    """Both people work at the front: of the pages they answered, all but those in the front are answered by both."""
    open_up(project, 80, overlap=2)
    alice, bob = make_member(project, "annotator"), make_member(project, "annotator")
    given = [item for _ in range(40) for person in (alice, bob) for item in answer(project, person, 1)]
    assert len(set(given)) <= len(given) / 2 + 24


def test_what_a_person_has_answered_is_not_looked_at_again(project):
    open_up(project, 30, overlap=2)
    alice = make_member(project, "annotator")
    answer(project, alice, 30)
    open_up(project, 3, overlap=2, priority=-1)
    answer(project, alice, 1)
    answered = Assignment.objects.filter(annotator=alice, priority=0)
    assert Desk.objects.get(user=alice).cursor > max(answered.values_list("position", flat=True))


def test_every_page_of_the_front_comes_first_before_long(project):
    """In one order for ever, the page that comes last in it would hold the place of somebody who works alone."""
    chance, desk = Random(7), Desk(project_id=1, user_id=1)
    front = [chance.getrandbits(62) for _ in range(offers.FRONT_SLOTS)]

    def first(turn: int) -> int:
        factor = places.factor_of(desk, turn=turn)
        return min(front, key=lambda shuffle: shuffle % places.PRIME * factor % places.PRIME)

    assert {first(turn) for turn in range(300)} == set(front)


def test_an_answer_begins_another_turn(project):
    open_up(project, 3)
    alice = make_member(project, "annotator")
    turns = [desks.terms(project, alice).turn]
    for _ in range(2):
        answer(project, alice, 1)
        turns.append(desks.terms(project, alice).turn)
    assert len(set(turns)) == 3


@pytest.mark.postgres
def test_a_look_joins_nothing_a_person_has_answered_however_little_is_known_of_it(project):
    """Statistics are of last night: with what was answered since, a join would cost more with every answer."""
    open_up(project, 300, overlap=2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    alice = make_member(project, "annotator")
    answer(project, alice, 20)
    wish = offers.Wish(project, alice, Now(), desks.terms(project, alice))
    plan = offers.front(wish, start=places.FRONT, factor=7).explain()
    assert "SubPlan" in plan
    assert "Anti Join" not in plan
    assert "hashed" not in plan


def test_pages_that_come_in_with_a_higher_priority_are_given_next(project):
    open_up(project, 30, overlap=2)
    alice = make_member(project, "annotator")
    answer(project, alice, 10)
    open_up(project, 1, priority=7)
    assert queue.lease_next(project, annotator=alice).priority == 7


def test_a_page_given_back_behind_the_place_is_found_when_nothing_is_left_ahead(project):
    open_up(project, 30)
    alice, bob = make_member(project, "annotator"), make_member(project, "annotator")
    given_back = queue.lease_next(project, annotator=bob)
    seen = answer(project, alice, 20)
    queue.release(given_back, by=bob)
    seen += answer(project, alice, 10)
    assert given_back.item_id in seen
    assert queue.lease_next(project, annotator=alice) is None


def test_a_place_is_forgotten_after_a_while(project):
    open_up(project, 5)
    alice = make_member(project, "annotator")
    answer(project, alice, 2)
    Desk.objects.filter(user=alice).update(cursor_at=timezone.now() - 2 * places.BELIEVED_FOR, cursor=2**62)
    with CaptureQueriesContext(connection) as asked:
        queue.lease_next(project, annotator=alice)
    assert Desk.objects.get(user=alice).cursor < 2**62
    assert len([query for query in asked if "UPDATE" in query["sql"] and "labeling_assignment" in query["sql"]]) == 1


def test_slots_written_in_bulk_have_their_place_too(project):
    item = make_item(project)
    chosen = Selection.objects.create(item=item, stream="import")
    common = {"project": project, "item": item, "selection": chosen, "available_at": timezone.now()}
    bulk.insert([Assignment(slot=n, priority=n, shuffle=2**61, **common) for n in (1, 2)])
    assert [slot.slot for slot in Assignment.objects.in_queue_order()] == [2, 1]
