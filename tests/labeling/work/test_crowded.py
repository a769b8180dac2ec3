"""Fewer people are wanted than have the page: theirs it stays, and given up it goes to nobody."""

import pytest
from django.db.models.functions import Now

from labeling import invariants, judging, projects, queue, slots
from labeling.models import Assignment, Consensus, Selection, State
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))


@pytest.fixture
def project():
    project = make_project(overlap={"default": 2})
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=2)
    return project


def person(project):
    return make_member(project, "annotator")


def wanted(project, overlap: int):
    projects.change(project, {"overlap": {"default": overlap}}, by=make_member(project, "manager"))
    project.refresh_from_db()


@pytest.fixture
def held_by_two(project):
    """Two people are at work on the page when one is enough."""
    first, second = (queue.lease_next(project, annotator=person(project)) for _ in range(2))
    wanted(project, 1)
    return first, second


def states():
    return sorted(Assignment.objects.values_list("state", flat=True))


def test_who_is_at_work_may_finish(project, held_by_two):
    for slot in held_by_two:
        judging.submit(slot, by=slot.annotator, answer=NEWS)
    assert states() == ["done", "done"]


@pytest.mark.parametrize("give_up", [queue.release, judging.skip])
def test_a_page_given_up_goes_to_nobody_else(project, held_by_two, give_up):
    first, second = held_by_two
    give_up(first, by=first.annotator)
    assert states() == ["leased", "withdrawn"]
    assert queue.lease_next(project, annotator=person(project)) is None
    judging.submit(second, by=second.annotator, answer=NEWS)
    assert Consensus.objects.get().state == "agreed"
    assert [finding.id for finding in invariants.findings() if not finding.is_kept] == []


def test_a_lease_that_runs_out_goes_to_nobody_else_but_back_to_its_holder(project, held_by_two):
    first, _ = held_by_two
    Assignment.objects.filter(pk=first.pk).update(available_at=Now())
    assert queue.lease_next(project, annotator=first.annotator) == first
    Assignment.objects.filter(pk=first.pk).update(available_at=Now())
    assert queue.lease_next(project, annotator=person(project)) is None
    assert states() == ["leased", "withdrawn"]


def test_when_both_give_up_one_of_the_two_is_anyones(project, held_by_two):
    for slot in held_by_two:
        queue.release(slot, by=slot.annotator)
    assert states() == ["open", "withdrawn"]
    assert queue.lease_next(project, annotator=person(project)) is not None


def test_when_both_run_out_the_page_is_still_asked_once(project, held_by_two):
    Assignment.objects.filter(state=State.LEASED).update(available_at=Now())
    assert queue.lease_next(project, annotator=person(project)) is not None
    assert queue.lease_next(project, annotator=person(project)) is None


def test_wanted_again_it_is_given_out_again(project, held_by_two):
    wanted(project, 2)
    first, _ = held_by_two
    queue.release(first, by=first.annotator)
    assert queue.lease_next(project, annotator=person(project)) is not None
