"""Freezing at the same moment, and while people answer: one release, of one moment."""

import threading
import time

import pytest
from django.db import connection, connections, transaction

from labeling import consensus, judging, samples
from labeling.consistent import one_snapshot
from labeling.models import Blob, GoldRelease, Item
from labeling.readiness import Request
from labeling.refusals import Refused
from labeling.releases import freeze
from tests.factories import make_item, make_judgment
from tests.labeling.gold.work import make_gold_project, ready_project

N_FREEZES = 10


def at_once(n, act):
    """Run `act` in n threads that start together; what each returned or raised."""
    start, outcomes = threading.Barrier(n), []

    def one():
        try:
            start.wait()
            outcomes.append(act())
        except Exception as raised:  # noqa: BLE001  (the test looks at it)
            outcomes.append(raised)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_ten_freezes_at_once_are_one_release():
    project = ready_project()
    outcomes = at_once(N_FREEZES, lambda: freeze(project, Request(), by=None))
    made = [outcome for outcome in outcomes if isinstance(outcome, GoldRelease)]
    assert [release.version for release in made] == ["1.0.0"]
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == N_FREEZES - 1
    assert GoldRelease.objects.count() == 1
    assert Blob.objects.count() == made[0].files.values("blob").distinct().count()


@pytest.mark.django_db(transaction=True)
def test_samples_drawn_at_once_get_numbers_of_their_own():
    project = make_gold_project(n_items=8)
    wanted = samples.checked(project, size=2)
    at_once(4, lambda: samples.draw(project, wanted, by=None))
    assert sorted(project.draws.values_list("number", flat=True)) == [1, 2, 3, 4]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_answer_that_opens_a_dispute_does_not_wait_for_a_draw_that_waits_for_its_page():
    """The answer holds its page and points a row to the project; the draw holds the project and comes to the page."""
    project = make_gold_project(n_items=1)
    item = project.items.get()
    make_judgment(item, "w1")
    consensus.refresh(item, project=project)
    wanted = samples.checked(project, size=1)
    with transaction.atomic():
        judging.lock(item.pk)
        drawing = threading.Thread(target=at_once, args=(1, lambda: samples.draw(project, wanted, by=None)))
        drawing.start()
        wait_until(somebody_waits_for_a_lock)
        item.disputes.create(project=project, label="news")
    drawing.join()
    assert project.draws.count() == project.disputes.count() == 1


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the same activity until then
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def wait_until(holds, *, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_sees_nothing_that_is_written_meanwhile():
    project = make_gold_project(n_items=3)
    with one_snapshot():
        before = Item.objects.filter(project=project).count()
        (written,) = at_once(1, lambda: make_item(project))
        assert isinstance(written, Item)
        assert Item.objects.filter(project=project).count() == before == 3
    assert Item.objects.filter(project=project).count() == 4
