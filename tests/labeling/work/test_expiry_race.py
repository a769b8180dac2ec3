"""A lease that runs out while its answer is on the way: the answer counts, or is refused with its words kept."""

import random
import threading
import time
from dataclasses import dataclass, field

import pytest
from django.db import connection

from labeling import judging, queue, slots
from labeling.models import Draft, Item, Judgment, Project, Selection, User
from labeling.refusals import LeaseLost
from tests.factories import make_item, make_member, make_project

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
LEASE_SECONDS, AROUND_SECONDS = 1, 0.05
WORDS = "what she wrote"


@dataclass
class Pair:
    """One page for one person; hers runs out while she answers, and he wants a page at the same moment."""

    project: Project
    hers: User
    his: User
    errors: list[BaseException] = field(default_factory=list)

    def race(self, rng: random.Random) -> None:
        try:
            slot = queue.lease_next(self.project, annotator=self.hers)
            end = time.monotonic() + LEASE_SECONDS
            connection.close()  # as at the end of a request: the pool is smaller than the crowd
            at_once = [
                threading.Thread(target=self.at, args=(end + rng.uniform(-AROUND_SECONDS, AROUND_SECONDS), work))
                for work in (lambda: self.answer(slot, self.hers), self.take_and_answer)
            ]
            for thread in at_once:
                thread.start()
            for thread in at_once:
                thread.join()
        except BaseException as error:  # noqa: BLE001  the main thread reports it
            self.errors.append(error)
        finally:
            connection.close()

    def at(self, moment: float, work) -> None:
        try:
            time.sleep(max(0.0, moment - time.monotonic()))
            work()
        except BaseException as error:  # noqa: BLE001  as above
            self.errors.append(error)
        finally:
            connection.close()

    def answer(self, slot, who: User) -> None:
        try:
            judging.submit(slot, by=who, answer=judging.Answer(yes=("games",), note=WORDS))
        except LeaseLost:
            assert Draft.objects.get(annotator=who, item=slot.item).answer["note"] == WORDS

    def take_and_answer(self) -> None:
        slot = queue.lease_next(self.project, annotator=self.his)
        if slot is not None:
            self.answer(slot, self.his)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("in_all", "at_once"), [(20, 10), pytest.param(500, 50, marks=pytest.mark.slow)]
)  # fmt: skip
def test_at_the_moment_a_lease_ends_nothing_is_lost_and_nobody_is_one_too_many(in_all, at_once):
    rng = random.Random(7)
    pairs = [pair() for _ in range(in_all)]
    for start in range(0, in_all, at_once):
        threads = [threading.Thread(target=each.race, args=(rng,)) for each in pairs[start : start + at_once]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [error for each in pairs for error in each.errors] == []
    assert Item.objects.count() == Judgment.objects.current().count() == in_all
    assert Draft.objects.count() <= in_all


def pair() -> Pair:
    project = make_project(lease_seconds=LEASE_SECONDS)
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=1)
    return Pair(project, make_member(project, "annotator"), make_member(project, "annotator"))
