"""Which pages a batch asks about, that chance has its share, and that people who judge see none of it."""

import numpy as np
import pytest

from active_learning import arm, batches, pages, training
from active_learning.frame import candidates
from active_learning.models import Batch, BatchItem
from active_learning.pool import Pool
from labeling import jobs, slots
from labeling.models import Assignment, Draw, ItemState, Job, Selection, Stream
from labeling.refusals import Refused, Unacceptable
from tests.active_learning.projects import LISTS, deliver_twice, make_learning_project, train
from tests.factories import make_item, make_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]


@pytest.fixture
def project():
    """250 pages, 90 of them answered."""
    return make_learning_project(n_pages=250, n_answered=90, n_random=70, labels=LISTS[:2])


def select(project, **wanted):
    """A batch, its job delivered twice."""
    job = batches.select(project, by=None, **wanted)
    assert deliver_twice(job) == "done", job.message
    return Batch.objects.get(job=job)


# ---- the candidates -------------------------------------------------------------------------------------------------
def test_pages_asked_answered_archived_or_near_gold_are_not_candidates():
    project = make_project()
    free = make_item(project, "https://free.example.net/")
    make_item(project, "https://put-away.example.net/", state=ItemState.ARCHIVED)
    asked = make_item(project, "https://asked.example.org/")
    slots.open_up(project, [Selection.objects.create(item=asked, stream=Stream.IMPORT)], overlap=1)
    gold, beside = make_item(project, "https://gold.example.com/"), make_item(project, "https://www.example.com/b")
    draw = Draw.objects.create(project=project, number=1, seed="a", frame_sha256="0" * 64, frame_size=10, size=1)
    Selection.objects.create(item=gold, stream=Stream.GOLD, draw=draw, probability=0.1)
    assert beside.registrable_domain == gold.registrable_domain
    found = list(candidates(project))
    assert free in found and not {asked, gold, beside} & set(found) and len(found) == 1


def test_the_pool_reads_only_the_pages_that_are_looked_at(project, django_assert_num_queries):
    pool = Pool(arm.read(project).unasked)
    with django_assert_num_queries(1):
        assert pool[np.array([3, 5])].shape == (2, pool.shape[1])
        pool.page(5)
    rows = dict(pages.read(candidates(project)))
    assert pool.page(5) == rows[int(pool.items[5])]


# ---- with a model ---------------------------------------------------------------------------------------------------
def test_a_batch_has_ranks_reasons_scores_and_its_share_of_chance(project):
    run = train(project)
    batch = select(project, size=40, random_share=0.25, seed=3)
    rows = list(batch.batch_items.select_related("selection").order_by("rank"))
    assert batch.run == run and [row.rank for row in rows] == list(range(1, 41))
    drawn = [row for row in rows if row.selection.stream == Stream.RANDOM]
    assert len(drawn) == 10
    assert all(0 < row.selection.probability <= 1 for row in drawn)
    chosen = [row for row in rows if row not in drawn]
    assert all(row.selection.probability is None and row.selection.reason and row.label for row in chosen)
    assert {row.selection.stream for row in chosen} <= {Stream.UNCERTAINTY, Stream.DIVERSITY}
    assert all(set(row.scores) == set(LISTS[:2]) for row in rows)


def test_each_stream_opens_as_many_slots_as_the_project_asks_people(project):
    project.overlap = {"default": 2, "random": 3}
    project.save()
    train(project)
    batch = select(project, size=20, random_share=0.5)
    for row in batch.batch_items.select_related("selection"):
        wanted = 3 if row.selection.stream == Stream.RANDOM else 2
        assert Assignment.objects.filter(selection=row.selection).count() == wanted


def test_the_same_seed_chooses_the_same_pages_again(project):
    run = train(project)
    first, second = (
        batches.choose(
            project, run=run, strategy="label_margin_div_rand", size=20, random_share=0.2, rng=np.random.default_rng(9)
        )
        for _ in range(2)
    )
    assert first.picks == second.picks and first.items == second.items


def test_two_batches_share_no_page(project):
    train(project)
    select(project, size=60)
    select(project, size=60)
    items = BatchItem.objects.values_list("selection__item", flat=True)
    assert len(set(items)) == len(items) == 120


def test_at_most_three_pages_of_one_site_are_chosen_and_chance_is_not_limited():
    project = make_learning_project(n_pages=60, n_answered=60, labels=LISTS[:2])
    for n in range(30):
        make_item(project, f"https://page{n}.one-site.com/{'abcdefghij'[n % 10]}{'klm'[n // 10]}")
    train(project)
    assert select(project, size=10, random_share=0.0).batch_items.count() == 3
    assert select(project, size=10, strategy="random").batch_items.count() == 10


def test_pages_that_came_after_the_run_can_be_chosen_too(project):
    train(project)
    project.items.exclude(consensus__isnull=False).update(state=ItemState.ARCHIVED)
    late = [make_item(project, f"https://late{n}.example{n}.net/casino") for n in range(5)]
    batch = select(project, size=5, random_share=0.0)
    assert {row.selection.item for row in batch.batch_items.all()} == set(late)
    assert all(p is not None for row in batch.batch_items.all() for p in row.scores.values())


@pytest.mark.parametrize("strategy", ["modal_uncertainty", "label_margin", "diversity"])
def test_every_kind_of_strategy_fills_a_batch(project, strategy):
    train(project)
    assert select(project, size=10, strategy=strategy).batch_items.count() == 10


# ---- without one ----------------------------------------------------------------------------------------------------
def test_without_a_model_the_batch_is_random_and_says_so():
    project = make_learning_project(n_pages=30, n_answered=0, labels=LISTS[:2])
    batch = select(project, size=12)
    assert batch.run is None and batch.strategy == "random"
    assert set(Selection.objects.values_list("stream", "probability")) == {(Stream.RANDOM, 12 / 30)}
    assert Job.objects.get().result["note"] == batches.NO_MODEL


def test_a_small_pool_gives_a_small_batch_and_an_empty_one_a_sentence():
    project = make_learning_project(n_pages=5, n_answered=0, labels=LISTS[:2])
    assert select(project, size=100).batch_items.count() == 5
    with pytest.raises(Refused, match="No page is left to choose"):
        batches.select(project, by=None)


# ---- what cannot be -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wanted", "pointer", "sentence"),
    [
        ({"strategy": "best"}, "/strategy", "label_margin_div_rand"),
        ({"size": 0}, "/size", "1 to 10,000"),
        ({"random_share": 1.5}, "/random_share", "from 0 to 1"),
        ({"run": 4}, "/run", "no finished training run 4"),
    ],
)
def test_what_cannot_be_is_named(project, wanted, pointer, sentence):
    with pytest.raises(Unacceptable, match=sentence) as refused:
        batches.select(project, by=None, **wanted)
    assert refused.value.errors[0]["pointer"] == pointer


def test_the_same_wish_waits_once_and_another_one_is_refused(project):
    assert batches.select(project, by=None, size=5) == batches.select(project, by=None, size=5)
    with pytest.raises(Refused, match="Another batch is waiting"):
        batches.select(project, by=None, size=6)


def test_a_page_that_was_queued_while_the_batch_was_chosen_is_not_asked_twice(project, monkeypatch):
    train(project)
    choose = batches.choose

    def and_someone_queues_the_first(*args, **kwargs):
        chosen = choose(*args, **kwargs)
        first = project.items.get(pk=chosen.items[0])
        slots.open_up(project, [Selection.objects.create(item=first, stream=Stream.IMPORT)], overlap=1)
        return chosen

    monkeypatch.setattr(batches, "choose", and_someone_queues_the_first)
    batch = select(project, size=10)
    assert batch.batch_items.count() == 9


def test_a_worker_thought_dead_queues_nothing(project):
    job = batches.select(project, by=None, size=10)
    zombie = jobs.claim(job.pk)
    chosen = batches.choose(
        project, run=training.current(project), strategy="random", size=10, random_share=1, rng=np.random.default_rng(1)
    )
    Job.objects.update(fence=zombie.fence + 1)
    with pytest.raises(jobs.FenceLost):
        batches._store(zombie, project, chosen, run=None, strategy="random")
    assert not Batch.objects.exists() and not Assignment.objects.exists()
