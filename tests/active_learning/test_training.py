"""What a run learns from, that it can be fitted again, and what it says when it cannot tell."""

import numpy as np
import pytest

from active_learning import arm, dataset, frame, training
from active_learning.models import TrainingRun
from labeling import consensus, jobs, slots
from labeling.models import Draw, Event, ItemState, Job, Selection, Stream
from labeling.refusals import Refused
from tests.active_learning.projects import LISTS, deliver_twice, make_learning_project, train
from tests.factories import make_item, make_judgment, make_project
from tests.labeling.gold.work import annotators, answer_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]
PAGES = {"n_pages": 260, "n_answered": 200, "n_random": 120, "labels": LISTS[:2]}


@pytest.fixture
def project():
    return make_learning_project(**PAGES)


def draw_gold(item):
    draw = Draw.objects.create(project=item.project, number=1, seed="a", frame_sha256="0" * 64, frame_size=10, size=1)
    Selection.objects.create(item=item, stream=Stream.GOLD, draw=draw, probability=0.1)


# ---- what may be read -----------------------------------------------------------------------------------------------
def test_a_gold_page_its_whole_site_and_its_text_elsewhere_are_not_trainable():
    project = make_project()
    gold = make_item(project, "https://a.example.org/", title="The same words")
    make_item(project, "https://b.example.org/other")
    make_item(project, "https://copy.example.com/", title="The same words")
    free = make_item(project, "https://free.example.net/", title="Other words")
    draw_gold(gold)
    assert list(frame.trainable(project)) == [free]


def test_gold_of_another_project_closes_nothing_here():
    other = make_project()
    draw_gold(make_item(other, "https://a.example.org/"))
    project = make_project()
    page = make_item(project, "https://a.example.org/")
    assert list(frame.trainable(project)) == [page]


def test_withdrawn_pages_are_not_trainable_and_archived_ones_are():
    project = make_project()
    make_item(project, state=ItemState.WITHDRAWN)
    archived = make_item(project, state=ItemState.ARCHIVED)
    assert list(frame.trainable(project)) == [archived]


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ({"verdict": "no", "yes": 2, "no": 1}, 0),  # a person decided against the majority
        ({"verdict": "unsure", "yes": 2, "no": 0}, -1),
        ({"verdict": None, "yes": 2, "no": 1}, 1),
        ({"verdict": None, "yes": 1, "no": 1}, -1),
        (None, -1),
    ],
)
def test_the_verdict_in_force_counts_then_the_majority_and_a_tie_is_not_known(label, answer):
    assert dataset.answer_of(label) == answer


def test_rows_stand_in_the_order_of_public_ids_and_chance_is_known(project):
    data = dataset.read(project, LISTS[:2])
    assert data.public_ids == sorted(data.public_ids) and len(data.pages) == 200
    assert data.n_random == 120 == arm.n_answered(project)


# ---- fitting it again -----------------------------------------------------------------------------------------------
def test_the_same_answers_and_seed_give_the_same_weights_and_another_answer_another_digest(project):
    first, second = train(project, seed=7), train(project, seed=7)
    assert first.weights_sha256 == second.weights_sha256 and first.data_sha256 == second.data_sha256
    assert (first.number, second.number) == (1, 2)
    page = project.items.filter(consensus=None).first()
    make_judgment(page, "another", yes=LISTS[:1])
    consensus.refresh(page, project=project)
    assert dataset.read(project, LISTS[:2]).sha256 != first.data_sha256


def test_a_run_keeps_all_that_is_needed_to_fit_it_again(project, blobs):
    run = train(project, seed=7)
    assert (run.n_items, run.n_judgments, run.labels) == (200, 200, list(LISTS[:2]))
    assert run.recipe["features_sha256"] and run.code_version and run.seed == 7
    assert (blobs / "models" / run.artifact_name).exists()
    np.testing.assert_array_equal(training.model_of(run).labels, LISTS[:2])
    assert Event.objects.filter(kind="training_run.ready").count() == 1


def test_what_a_label_is_worth_is_measured_on_random_pages_with_an_interval(project):
    metrics = train(project).metrics
    assert metrics["n_random"] == 120 == metrics["macro_ap"]["n"]
    assert [point["arm"] for point in metrics["curve"]] == ["active", "random"]
    found = metrics["labels"][LISTS[0]]["average_precision"]
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


def test_with_few_random_pages_the_numbers_are_null_and_say_why():
    project = make_learning_project(**(PAGES | {"n_random": 41}))
    metrics = train(project).metrics
    assert metrics["macro_ap"]["value"] is None
    assert metrics["macro_ap"]["reason"] == "The first curve appears after 60 random pages; 41 are answered."


# ---- too little, too many -------------------------------------------------------------------------------------------
def test_too_few_answers_end_the_job_with_a_sentence():
    project = make_learning_project(n_pages=20, n_answered=4, labels=LISTS[:2])
    run = training.request(project, by=None)
    assert deliver_twice(run.job) == "failed"
    assert run.job.message.startswith("Needs at least 3 yes and 3 no on one label; 4 pages are answered.")
    run.refresh_from_db()
    assert run.artifact_sha256 == "" and training.current(project) is None


def test_a_project_without_labels_is_refused_before_a_job_is_written():
    with pytest.raises(Refused, match="asks no label"):
        training.request(make_project(labels=()), by=None)
    assert not Job.objects.exists()


def test_fifty_presses_make_one_waiting_run(project):
    assert len({training.request(project, by=None).pk for _ in range(50)}) == 1
    assert Job.objects.count() == 1


def test_while_one_runs_one_more_may_wait(project):
    first = training.request(project, by=None)
    assert jobs.claim(first.job_id) is not None
    second, third = training.request(project, by=None), training.request(project, by=None)
    assert second == third != first
    assert jobs.run(second.job_id) == "not ours", "its twin still runs"


def test_a_lost_model_file_is_a_sentence(project, blobs):
    run = train(project)
    (blobs / "models" / run.artifact_name).unlink()
    with pytest.raises(Refused, match="train again"):
        training.model_of(run)


def test_answers_of_people_are_learnt_from_like_imported_ones():
    project = make_project(labels=LISTS[:2])
    items = [make_item(project, f"https://casino{n}.example{n}.com/bet") for n in range(8)]
    slots.open_up(project, [Selection.objects.create(item=item, stream=Stream.IMPORT) for item in items], overlap=1)
    answer_all(project, *annotators(project, 1), yes=lambda _, item: LISTS[:1] if item.pk % 2 else ())
    assert TrainingRun.objects.count() == 0 and train(project).n_items == 8
