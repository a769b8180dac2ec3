"""Sixteen annotators at once on PostgreSQL: no item gets more answers than asked, whatever the timing.

The same race is run against a queue that counts first and inserts after, as peers do, and must catch it: a race test
that finds nothing there would prove nothing here.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest
from django.db import connection, transaction

from labeling import honeypots, invariants, judging, queue, slots
from labeling.models import Assignment, Draft, Judgment, Rater, Selection, State
from labeling.refusals import LeaseLost, Refused
from tests.factories import make_item, make_member, make_project

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
CLIENTS, ITEMS, OVERLAP = 16, 40, 2


@pytest.fixture
def project():
    project = make_project(lease_seconds=600)
    selections = [Selection.objects.create(item=make_item(project), stream="import") for _ in range(ITEMS)]
    slots.open_up(project, selections, overlap=OVERLAP)
    return project


@pytest.fixture
def people(project):
    return [make_member(project, "annotator") for _ in range(CLIENTS)]


def race(people, work: Callable[[object], bool], *, seconds: float = 60.0) -> list[BaseException]:
    """Everyone starts at once and works until nothing is left; returns the errors they met."""
    start, errors, end = threading.Barrier(len(people)), [], time.monotonic() + seconds

    def client(person):
        try:
            start.wait()
            while time.monotonic() < end and work(person):
                connection.close()  # as at the end of a request: the pool is smaller than the crowd
        except BaseException as error:  # noqa: BLE001  the main thread reports it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def over_assigned() -> int:
    """Items that more people answered or hold than were asked for."""
    done = Judgment.objects.current().values_list("item", "rater__user")
    held = Assignment.objects.filter(state=State.LEASED).values_list("item", "annotator")
    people = Counter(item for item, _ in {*done, *held})
    return sum(n > OVERLAP for n in people.values())


def test_sixteen_annotators_answer_each_item_exactly_twice(project, people):
    def work(person) -> bool:
        slot = queue.lease_next(project, annotator=person)
        if slot is None:
            return False
        judging.submit(slot, by=person, answer=judging.Answer(none=True))
        return True

    errors = race(people, work)
    assert errors == []
    assert over_assigned() == 0
    assert Judgment.objects.count() == ITEMS * OVERLAP
    assert not Assignment.objects.exclude(state=State.DONE).exists()


def test_the_race_catches_a_queue_that_checks_and_then_inserts(project, people):
    """The negative control: count the answers, and if there is room, insert one."""
    items = list(project.items.order_by("pk"))

    def work(person) -> bool:
        rater = Rater.objects.of(project, person)
        for item in items:
            taken = Judgment.objects.filter(item=item)
            if taken.count() < OVERLAP and not taken.filter(rater=rater).exists():
                with transaction.atomic():
                    Judgment.objects.create(item=item, rater=rater, schema=project.schema, verdicts={})
                return True
        return False

    race(people, work, seconds=20.0)
    assert over_assigned() > 0


def test_two_tabs_of_one_person_get_one_lease(project, people):
    alice, got = people[0], []

    def work(person) -> bool:
        got.append(queue.lease_next(project, annotator=person))
        return False

    assert race([alice] * 8, work) == []
    assert {slot.pk for slot in got} == {got[0].pk}


def test_when_one_person_vanishes_the_others_finish_the_queue(project, people):
    """Liveness: an abandoned lease runs out, and nobody is told "nothing left" while a slot is free for them."""
    queue.lease_next(project, annotator=people[0])
    Assignment.objects.filter(state=State.LEASED).update(available_at="2020-01-01T00:00Z")

    def work(person) -> bool:
        slot = queue.lease_next(project, annotator=person)
        if slot is None:
            return False
        judging.submit(slot, by=person, answer=judging.Answer(none=True))
        return True

    assert race(people[1:], work) == []
    assert not Assignment.objects.exclude(state=State.DONE).exists()


def test_a_draft_saved_at_the_moment_the_answer_drops_it_is_no_error(project, people):
    slot, turns = queue.lease_next(project, annotator=people[0]), count()

    def work(person) -> bool:
        turn = next(turns)
        if turn % 2:
            judging.save_draft(slot, by=person, answer=judging.Answer(yes=("games",)))
        else:
            Draft.objects.all().delete()
        return turn < 400

    assert race(people[:1] * 4, work) == []


def test_of_an_answered_page_no_draft_is_left_whichever_came_first(project, people):
    """The last tick and Enter are a moment apart: the draft may arrive before the answer, with it, or after it."""
    answer = judging.Answer(yes=("games",))
    for _ in range(10):
        slot = queue.lease_next(project, annotator=people[0])
        sent = [judging.submit, judging.save_draft]

        def work(person, slot=slot, sent=sent) -> bool:
            sent.pop()(slot, by=person, answer=answer)
            return False

        assert race(people[:1] * 2, work) == []
    assert not Draft.objects.exists()


def test_known_pages_among_the_work_go_to_each_person_once_and_no_work_is_lost(project, people):
    """Every page that is due comes in the place of another, taken at the same moment by somebody else or not."""
    project.honeypot_share = 0.5
    project.save()
    known = [honeypots.add(make_item(project), by=None, verdicts={"games": "yes"}) for _ in range(6)]
    tabs = [person for person in people[:8] for _ in range(2)]

    def work(person) -> bool:
        slot = queue.lease_next(project, annotator=person)
        if slot is None:
            return False
        with suppress(LeaseLost, Refused):  # the other tab was faster
            judging.submit(slot, by=person, answer=judging.Answer(none=True))
        return True

    assert race(tabs, work) == []
    votes = Judgment.objects.votes()
    assert votes.count() == ITEMS * OVERLAP
    assert max(Counter(votes.values_list("item", flat=True)).values()) == OVERLAP
    given = Counter(Assignment.objects.filter(purpose="honeypot").values_list("item", "assigned_to"))
    assert set(given.values()) == {1}
    assert {item for item, _ in given} <= {one.item_id for one in known}
    assert not Assignment.objects.filter(state__in=[State.OPEN, State.LEASED]).exists()
    assert [one.id for one in invariants.findings() if not one.is_kept] == []


def test_two_tabs_that_send_the_same_page_at_once_make_one_answer(project, people):
    """The second finds a free slot of the page for somebody else, and must not take it."""

    def work(person) -> bool:
        slot = queue.lease_next(project, annotator=person)
        if slot is None:
            return False
        with suppress(LeaseLost, Refused):
            judging.submit(slot, by=person, answer=judging.Answer(none=True))
        return True

    assert race([people[0]] * 2 + [people[1]] * 2, work) == []
    assert Judgment.objects.count() == ITEMS * OVERLAP
