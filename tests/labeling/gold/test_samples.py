"""Samples: what is stored, who is asked, and that anyone can draw again."""

from fractions import Fraction

import pytest

from labeling import jobs, queue, samples, slots
from labeling.models import Assignment, Draw, Event, Selection, Stream
from labeling.refusals import Refused, Unacceptable
from labeling.sampling.draws import draw_uniform, frame_sha256, permanent_number
from tests.factories import make_assignment, make_item
from tests.labeling.gold.work import annotators, answer_all, draw, make_gold_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_gold_project(n_items=10)


def ids(project):
    return list(project.items.active().values_list("public_id", flat=True))


def drawn(made):
    return list(made.selections.order_by("rank").values_list("item__public_id", flat=True))


def test_the_record_says_everything_that_is_needed_to_draw_again(project):
    made = draw(project, size=4, seed="spring")
    assert made.record["frame_sha256"] == frame_sha256(ids(project))
    assert (made.record["frame_size"], made.record["size"], made.record["seed"]) == (10, 4, "spring")
    assert made.record["probability_fraction"] == "4/10"
    assert drawn(made) == draw_uniform(ids(project), size=4, seed="spring")


def test_only_active_pages_are_drawn(project):
    project.items.filter(host__in=["site0.example.org", "site1.example.org"]).update(state="archived")
    made = draw(project, size=8)
    assert made.frame_size == 8
    assert not made.selections.exclude(item__state="active").exists()


def test_every_drawn_page_has_its_probability_and_blind_slots_in_stream_gold(project):
    made = draw(project, size=4, overlap=3)
    assert set(made.selections.values_list("stream", "probability")) == {(Stream.GOLD, 0.4)}
    slots = Assignment.objects.filter(selection__draw=made)
    assert slots.count() == 12
    assert set(slots.values_list("state", "annotator")) == {("open", None)}


def test_the_record_is_older_than_the_first_slot(project):
    made = draw(project, size=4)
    first = Assignment.objects.filter(selection__draw=made).earliest("created_at")
    assert made.created_at <= first.created_at


def test_a_page_that_waits_already_is_asked_again_blind(project):
    for item in project.items.all():
        make_assignment(project, item)
    made = draw(project, size=4, overlap=1)
    assert set(Assignment.objects.filter(selection__draw=made).values_list("round", flat=True)) == {2}


def test_a_drawn_page_is_not_asked_about_in_two_rounds_at_once(project):
    """Open slots of the older round go: whoever is next would be given the same page twice."""
    for item in project.items.all():
        slots.open_up(project, [item.selections.create(stream="import")], overlap=2)
    (alice,) = annotators(project, 1)
    held = queue.lease_next(project, annotator=alice)
    made = draw(project, size=10, overlap=2)
    left = Assignment.objects.filter(selection__stream="import").exclude(state="withdrawn")
    assert list(left) == [held]
    assert set(Assignment.objects.filter(selection__draw=made).values_list("state", flat=True)) == {"open"}
    assert Event.objects.get(kind="sample.drawn").data["withdrawn_slots"] == 19


def test_answers_of_the_older_round_stand_and_count_with_the_gold_ones(project):
    item = project.items.first()
    slots.open_up(project, [item.selections.create(stream="import")], overlap=2)
    answer_all(project, *annotators(project, 1))
    draw(project, size=10, overlap=1)
    assert item.consensus.state == "pending"
    answer_all(project, *annotators(project, 1))
    item.consensus.refresh_from_db()
    assert (item.consensus.state, item.consensus.n_judgments) == ("agreed", 2)


def test_pages_that_were_not_drawn_keep_their_slots(project):
    for item in project.items.all():
        slots.open_up(project, [item.selections.create(stream="import")], overlap=1)
    draw(project, size=4)
    assert Assignment.objects.filter(selection__stream="import", state="open").count() == 6


def test_slots_of_an_earlier_draw_and_of_other_purposes_stay(project):
    first = draw(project, size=10, seed="a")
    for item in project.items.all():
        make_assignment(project, item, round=2, purpose="honeypot")
    draw(project, size=10, seed="b")
    assert Assignment.objects.filter(selection__draw=first, state="open").count() == 20
    assert Assignment.objects.filter(purpose="honeypot", state="open").count() == 10


def test_a_larger_sample_of_the_same_seed_asks_only_about_the_new_pages(project):
    first, second = draw(project, size=3), draw(project, size=5)
    assert drawn(second)[:3] == drawn(first)
    assert Assignment.objects.filter(selection__draw=second).values("item").distinct().count() == 2


def test_a_seed_is_not_used_again_after_the_frame_has_changed(project):
    draw(project, size=3, seed="spring")
    make_item(project)
    with pytest.raises(Refused, match="Sample 1 used this seed when the project had 10 other pages"):
        draw(project, size=3, seed="spring")


def test_without_a_seed_each_sample_gets_its_own(project):
    assert draw(project, size=3, seed=None).seed != draw(project, size=3, seed=" ").seed


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [({"size": 0}, "/size"), ({"size": 11}, "/size"), ({"size": 1, "overlap": 0}, "/overlap"),
     ({"size": 1, "overlap": 21}, "/overlap"), ({"size": 1, "seed": "s" * 65}, "/seed"),
     ({"size": 1, "seed": "a\nb"}, "/seed")],
)  # fmt: skip
def test_what_cannot_be_drawn_is_named(project, wanted, pointer):
    with pytest.raises(Unacceptable) as refused:
        samples.checked(project, **wanted)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_nothing_can_be_drawn_from_an_empty_project():
    with pytest.raises(Refused, match="Import a list first"):
        samples.checked(make_gold_project(n_items=0), size=1)


def test_the_overlap_of_the_project_counts_when_none_is_given(project):
    project.overlap = {"default": 2, "gold": 5}
    assert samples.checked(project, size=1).overlap == 5


def test_a_job_delivered_twice_draws_once(project):
    job = samples.queue_draw(project, samples.checked(project, size=4), by=None)
    assert [jobs.run(job.pk), jobs.run(job.pk)] == ["done", "not ours"]
    job.refresh_from_db()
    assert job.result == {"sample": 1, **Draw.objects.get().record}


def test_a_job_killed_after_its_commit_finds_the_sample_it_made(project):
    job = samples.queue_draw(project, samples.checked(project, size=4), by=None)
    jobs.run(job.pk)
    type(job).objects.filter(pk=job.pk).update(state="queued")
    assert jobs.run(job.pk) == "done"
    assert Draw.objects.count() == 1


def test_a_job_that_lost_its_fence_draws_nothing(project):
    wanted = samples.checked(project, size=4)
    with pytest.raises(jobs.FenceLost):
        samples.draw(project, wanted, by=None, guard=lost)
    assert not Draw.objects.exists()
    assert not Selection.objects.exists()


def lost():
    raise jobs.FenceLost


def test_probabilities_of_all_N_let_anyone_repeat_the_draw(project):
    made = draw(project, size=4)
    rows = list(samples.probabilities(made))
    assert [row["item"] for row in rows] == sorted(ids(project))
    assert {row["probability_fraction"] for row in rows} == {"4/10"}
    assert sum(Fraction(row["probability"]) for row in rows) == 4
    by_u = sorted(rows, key=lambda row: row["u"])
    assert [row["drawn"] for row in by_u] == [True] * 4 + [False] * 6
    assert rows[0]["u"] == permanent_number(made.seed, rows[0]["item"])


def test_progress_counts_pages_that_wait_and_pages_in_dispute(project):
    made = draw(project, size=4)
    alice, bob = annotators(project)
    assert samples.progress(project, [made]) == samples.Progress(4, 4, 0)
    odd = made.selections.get(rank=1).item
    answer_all(project, alice)
    answer_all(project, bob, yes=lambda _person, item: ["games"] if item == odd else [])
    assert samples.progress(project, [made]) == samples.Progress(4, 0, 1)
    assert samples.progress(project, [made]).n_settled == 3
