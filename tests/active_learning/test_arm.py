"""The random arm in the database: a fair sample of every page, whatever the batches beside it ask about."""

import pytest
from django.db.models import Count

from active_learning import arm, batches, dataset
from active_learning.frame import frame
from active_learning.models import Batch
from labeling import jobs, slots
from labeling.models import Assignment, Draw, Event, Item, ItemState, Selection, Stream
from labeling.sampling import draws
from tests.active_learning.projects import (
    LISTS,
    answer,
    in_turn,
    make_items,
    make_learning_project,
    train,
    truth_of,
)
from tests.factories import make_item, make_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]
LABELS = LISTS[:2]


@pytest.fixture
def project():
    """200 pages; 60 were answered after an import, and nothing was drawn by chance yet."""
    return make_learning_project(n_pages=200, n_answered=60, labels=LABELS)


def select(project, **wanted):
    job = batches.select(project, by=None, **wanted)
    assert jobs.run(job.pk) == "done"
    return Batch.objects.get(job=job)


def answer_all(project):
    """Every open slot is answered, by what the lists say."""
    waiting = list(Item.objects.filter(assignments__state="open", project=project).distinct())
    Assignment.objects.filter(state="open").update(state="withdrawn", available_at=None)
    answer(waiting, truth_of(waiting, LABELS))


def drawn(project):
    return set(Item.objects.filter(project=project, selections__stream=Stream.RANDOM))


def chosen(project):
    return set(Item.objects.filter(project=project, selections__stream=Stream.UNCERTAINTY))


# ---- drawing --------------------------------------------------------------------------------------------------------
def test_after_several_batches_the_arm_is_the_smallest_numbers_of_the_whole_frame(project):
    for seed in range(3):
        train(project)
        select(project, size=20, random_share=0.3, seed=seed)
        answer_all(project)
        arm_now = drawn(project)
        assert arm_now == set(in_turn(project.items.all())[: len(arm_now)])
    assert Selection.objects.filter(stream=Stream.RANDOM, batch_item__isnull=False).count() == 3 * 6
    assert dataset.read(project, LABELS).n_random == len(arm_now)


def test_a_page_that_was_answered_before_joins_with_its_answers_and_without_slots(project):
    select(project, size=20, strategy="random")
    answered = drawn(project) & set(project.items.filter(consensus__n_judgments=1))
    joined = Selection.objects.filter(stream=Stream.RANDOM, item__in=answered)
    assert answered and {row.reason for row in joined} == {batches.ASKED_BEFORE}
    assert not Assignment.objects.filter(item__in=answered).exists()
    assert Event.objects.get(kind="batch.queued").data["n_joined"] == len(answered)
    assert Batch.objects.get().batch_items.count() == 20


def test_the_probability_is_the_share_of_the_frame_that_is_in_the_arm(project):
    select(project, size=20, strategy="random")
    first = len(drawn(project))
    select(project, size=20, strategy="random")
    stored = Selection.objects.filter(stream=Stream.RANDOM).order_by("pk").values_list("probability", flat=True)
    assert sorted(set(stored)) == [first / 200, len(drawn(project)) / 200]


def test_a_page_that_waits_in_another_stream_is_not_asked_a_second_time(project):
    waiting = in_turn(project.items.filter(consensus=None))[0]
    slots.open_up(project, [Selection.objects.create(item=waiting, stream=Stream.IMPORT)], overlap=1)
    select(project, size=5, strategy="random")
    assert waiting in drawn(project) and waiting.assignments.count() == 1


def test_a_page_that_was_queued_while_the_batch_was_chosen_joins_without_slots_of_its_own(project, monkeypatch):
    choose = batches.choose

    def and_someone_queues_the_first(*args, **kwargs):
        found = choose(*args, **kwargs)
        first = project.items.get(pk=found.items[0])
        slots.open_up(project, [Selection.objects.create(item=first, stream=Stream.IMPORT)], overlap=1)
        return found

    monkeypatch.setattr(batches, "choose", and_someone_queues_the_first)
    batch = select(project, size=10, strategy="random")
    assert batch.batch_items.count() == 9
    assert drawn(project) == set(in_turn(project.items.all())[: len(drawn(project))])
    assert not Assignment.objects.values("item", "slot").annotate(n=Count("pk")).filter(n__gt=1).exists()


def test_pages_imported_later_take_their_place_in_the_arm(project):
    select(project, size=30, strategy="random")
    answer_all(project)
    before = dataset.read(project, LABELS).n_random
    late = make_items(project, [f"https://late{n}.example{n}.net/" for n in range(60)])
    last = max(in_turn(project.items.all()).index(item) for item in drawn(project))
    early = [item for item in late if in_turn(project.items.all()).index(item) < last]
    assert early and dataset.read(project, LABELS).n_random < before, (
        "what was drawn is no sample of the frame any more"
    )
    select(project, size=len(early), strategy="random")
    assert set(early) <= drawn(project) and len(arm.counted(project)) < before
    answer(early, [dict.fromkeys(LABELS, "no")] * len(early))
    assert len(arm.counted(project)) == before + len(early)


def test_projects_have_arms_of_their_own_and_no_sample_can_share_their_seed():
    one, other = make_project(slug="one"), make_project(slug="other")
    for project in (one, other):
        make_items(project, [f"https://page{n}.example/" for n in range(30)])
    first, second = ([item.public_id for item in in_turn(p.items.all())] for p in (one, other))
    assert first != second and sorted(first) == sorted(second)
    assert not draws.arm_seed("one").isprintable(), "a sample's seed is printable"


def test_archived_and_withdrawn_pages_and_those_near_gold_are_not_in_the_frame():
    project = make_project()
    kept = make_item(project, "https://kept.example.net/")
    make_item(project, "https://archived.example.net/", state=ItemState.ARCHIVED)
    make_item(project, "https://withdrawn.example.net/", state=ItemState.WITHDRAWN)
    make_item(project, "https://beside.example.org/")
    draw_gold(make_item(project, "https://gold.example.org/"))
    assert list(frame(project)) == [kept]


def draw_gold(item):
    draw = Draw.objects.create(project=item.project, number=1, seed="a", frame_sha256="0" * 64, frame_size=10, size=1)
    return Selection.objects.create(item=item, stream=Stream.GOLD, draw=draw, probability=0.1)


# ---- which answers count --------------------------------------------------------------------------------------------
def test_a_page_that_a_gold_sample_drew_since_counts_no_longer(project):
    select(project, size=30, strategy="random")
    answer_all(project)
    taken = next(iter(drawn(project)))
    assert taken.pk in arm.counted(project)
    draw_gold(taken)
    near = set(project.items.filter(registrable_domain=taken.registrable_domain).values_list("pk", flat=True))
    assert arm.counted(project) == {item.pk for item in drawn(project)} - near


def test_answers_that_were_there_before_wait_for_those_that_are_asked_now(project):
    select(project, size=60, strategy="random")
    known = drawn(project) & set(project.items.filter(consensus__n_judgments=1))
    assert len(known) > 10 and len(arm.counted(project)) <= 1
    answer_all(project)
    assert arm.counted(project) == {item.pk for item in drawn(project)}


def test_pages_a_learner_chose_are_not_measured_on_until_chance_draws_them(project):
    train(project)
    select(project, size=20, random_share=0.0)
    answer_all(project)
    assert chosen(project) and arm.counted(project) == set()


def test_where_every_page_was_asked_the_whole_frame_is_measured_on():
    project = make_learning_project(n_pages=80, n_answered=80, labels=LABELS)
    assert dataset.read(project, LABELS).n_random == 80 == arm.n_answered(project)
    make_item(project, "https://one-more.example/")
    assert dataset.read(project, LABELS).n_random == 0 == arm.n_answered(project)
