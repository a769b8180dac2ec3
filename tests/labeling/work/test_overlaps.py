"""Fewer people a page: what nobody has taken leaves the queue and stays out, what is held or answered stands."""

import threading

import pytest
from django.db import connection, transaction

from labeling import invariants, items, judging, overlaps, projects, queue, shares, slots
from labeling.models import Assignment, Consensus, Draw, Item, Project, Selection, State, Stream
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))


@pytest.fixture
def project():
    return make_project(overlap={"default": 3})


@pytest.fixture
def manager(project):
    return make_member(project, "manager")


def ask(project, stream=Stream.IMPORT, *, overlap=3, item=None, **fields):
    item = item or make_item(project)
    slots.open_up(project, [Selection.objects.create(item=item, stream=stream, **fields)], overlap=overlap)
    return item


def lower(project, overlap, manager):
    projects.change(project, {"overlap": overlap}, by=manager)
    project.refresh_from_db()


def open_slots(item):
    return item.assignments.filter(state=State.OPEN).count()


def someone(project):
    return make_member(project, "annotator")


def answer(project):
    person = someone(project)
    judging.submit(queue.lease_next(project, annotator=person), by=person, answer=NEWS)


def test_nobody_is_given_a_slot_above_the_new_number(project, manager):
    item = ask(project)
    answer(project)
    lower(project, 1, manager)
    assert queue.lease_next(project, annotator=someone(project)) is None
    assert open_slots(item) == 0


def test_what_was_answered_is_enough_so_the_page_is_done(project, manager):
    item = ask(project)
    answer(project)
    assert Consensus.objects.get(item=item).state == "pending"
    lower(project, 1, manager)
    assert Consensus.objects.get(item=item).state == "agreed"
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_slots_up_to_the_new_number_stay(project, manager):
    item = ask(project)
    answer(project)
    lower(project, 2, manager)
    assert open_slots(item) == 1
    assert Consensus.objects.get(item=item).state == "pending"


def test_who_holds_a_slot_above_the_new_number_may_finish(project, manager):
    item = ask(project)
    held = [(person, queue.lease_next(project, annotator=person)) for person in (someone(project), someone(project))]
    lower(project, 1, manager)
    for person, slot in held:
        judging.submit(slot, by=person, answer=NEWS)
    assert item.judgments.count() == 2 and open_slots(item) == 0


def test_raising_the_number_of_one_stream_and_lowering_another_touches_only_that_one(project, manager):
    imported, chosen = ask(project), ask(project, Stream.UNCERTAINTY)
    lower(project, {"default": 5, "uncertainty": 2}, manager)
    assert (open_slots(imported), open_slots(chosen)) == (5, 2)


def test_each_round_is_counted_by_itself(project, manager):
    item = ask(project)
    for _ in range(3):
        answer(project)
    ask(project, Stream.UNCERTAINTY, item=item)
    lower(project, 2, manager)
    assert open_slots(item) == 2


def test_a_sample_drawn_for_another_number_of_people_keeps_its_own(project, manager):
    drawn = {}
    for number, overlap in enumerate((3, 5), 1):
        draw = Draw.objects.create(
            project=project, number=number, seed="s", frame_sha256="0" * 64, frame_size=1, size=1, overlap=overlap
        )
        drawn[overlap] = ask(project, Stream.GOLD, overlap=overlap, draw=draw, probability=1.0)
    lower(project, 1, manager)
    assert {overlap: open_slots(item) for overlap, item in drawn.items()} == {3: 1, 5: 5}


def test_only_work_is_counted(project, manager):
    item = ask(project)
    Assignment.objects.filter(item=item, slot=3).update(purpose="honeypot")
    lower(project, 1, manager)
    assert sorted(item.assignments.filter(state=State.OPEN).values_list("slot", flat=True)) == [1, 3]


def test_restoring_a_page_does_not_bring_back_what_was_too_many(project, manager):
    item = ask(project)
    lower(project, 1, manager)
    items.withdraw(Item.objects.all(), project=project, by=manager, reason="A double.")
    items.restore(Item.objects.all(), project=project, by=manager)
    assert open_slots(item) == 1


def test_nor_does_it_when_the_number_was_lowered_while_the_page_was_away(project, manager):
    item = ask(project)
    items.withdraw(Item.objects.all(), project=project, by=manager, reason="A double.")
    lower(project, 1, manager)
    items.restore(Item.objects.all(), project=project, by=manager)
    assert open_slots(item) == 1


def test_withdrawing_and_restoring_a_half_answered_page_keeps_its_count_true(project, manager):
    item = ask(project)
    answer(project)
    items.withdraw(Item.objects.all(), project=project, by=manager, reason="A double.")
    assert not [finding for finding in invariants.findings() if finding.n_breaches]
    items.restore(Item.objects.all(), project=project, by=manager)
    assert Consensus.objects.get(item=item).state == "pending"
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_slot_that_is_being_given_out_at_this_moment_stays_and_another_goes_instead():
    project = make_project(overlap={"default": 2})
    item = ask(project, overlap=2)
    person, manager = someone(project), make_member(project, "manager")
    last = Assignment.objects.get(item=item, slot=2)
    taken, may_commit = threading.Event(), threading.Event()

    def lease_the_second_slot():
        with transaction.atomic():
            Assignment.objects.filter(pk=last.pk).update(state=State.LEASED, annotator=person)
            taken.set()
            may_commit.wait(10)
        connection.close()

    leasing = threading.Thread(target=lease_the_second_slot)
    leasing.start()
    taken.wait(10)
    threading.Timer(0.5, may_commit.set).start()
    lower(project, 1, manager)
    leasing.join()
    states = dict(item.assignments.values_list("slot", "state"))
    assert states == {1: State.WITHDRAWN, 2: State.LEASED}


def test_nothing_happens_when_the_number_is_not_lowered(project):
    ask(project)
    assert overlaps.lower(Project.objects.get(), before={"default": 3}, by=None) == 0


# ---- more people a page ---------------------------------------------------------------------------------------------
def asked_of(item):
    return item.assignments.exclude(state=State.WITHDRAWN).count()


def test_a_page_that_still_waits_is_asked_of_the_people_it_lacks_and_one_that_is_done_is_not(manager):
    project = make_project(overlap={"default": 1})
    done, held, waiting = ask(project, overlap=1), ask(project, overlap=1), ask(project, overlap=1)
    for item, priority in ((done, 3), (held, 2)):
        item.assignments.update(priority=priority)
    answer(project)
    slot = queue.lease_next(project, annotator=someone(project))
    assert slot.item == held
    lower(project, 3, manager)
    assert [asked_of(item) for item in (done, held, waiting)] == [1, 3, 3]
    for _ in range(2):
        answer(project)
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_lowered_and_raised_again_it_is_asked_of_as_many_as_the_last_number_says(project, manager):
    item = ask(project)
    lower(project, 1, manager)
    lower(project, 2, manager)
    assert asked_of(item) == 2
    lower(project, 4, manager)
    assert asked_of(item) == 4


def test_a_page_that_a_partial_overlap_asks_of_one_person_stays_with_one(manager):
    project = make_project(overlap={"default": 2}, overlap_share=0.5)
    one, several = ask(project, overlap=1), ask(project, overlap=2)
    lower(project, 3, manager)
    assert (asked_of(one), asked_of(several)) == (1, 3)


def test_a_job_that_read_the_number_before_it_was_lowered_opens_no_more_than_are_wanted_now(project, manager):
    read_earlier = Project.objects.get(pk=project.pk)
    lower(project, 1, manager)
    chosen = [Selection.objects.create(item=make_item(project), stream=Stream.IMPORT)]
    assert shares.groups(read_earlier, Stream.IMPORT, chosen) == [(1, chosen)]


# ---- a share of the pages -------------------------------------------------------------------------------------------
def pages_of(project, n, site):
    return [make_item(project, f"https://p{number}.{site}.org/") for number in range(n)]


def test_a_share_of_the_pages_is_asked_of_several_and_every_site_has_its_part():
    project = make_project(overlap={"default": 3}, overlap_share=0.25)
    sites = {site: pages_of(project, n, site) for site, n in (("big", 80), ("small", 20))}
    chosen = [Selection(item=item, stream=Stream.IMPORT) for items_ in sites.values() for item in items_]
    parted = dict(shares.groups(project, Stream.IMPORT, chosen))
    several = {selection.item_id for selection in parted[3]}
    assert (len(parted[3]), len(parted[1])) == (25, 75)
    assert abs(sum(item.pk in several for item in sites["small"]) - 5) <= 1
    again = dict(shares.groups(project, Stream.IMPORT, chosen[::-1]))
    assert {selection.item_id for selection in again[3]} == several


def test_pages_queued_one_by_one_reach_the_share_too():
    project = make_project(overlap={"default": 2}, overlap_share=0.3)
    alone = [Selection(item=item, stream=Stream.IMPORT) for item in pages_of(project, 200, "slow")]
    numbers = [shares.groups(project, Stream.IMPORT, [selection])[0][0] for selection in alone]
    assert 35 <= numbers.count(2) <= 85  # 60 expected; 4 standard deviations are 26


def test_where_every_page_is_asked_of_all_only_the_number_is_looked_up(project, django_assert_num_queries):
    selection = Selection(item=make_item(project), stream=Stream.IMPORT)
    with django_assert_num_queries(1):
        assert shares.groups(project, Stream.IMPORT, [selection]) == [(3, [selection])]
