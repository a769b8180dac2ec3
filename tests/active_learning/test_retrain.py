"""Who asks for a run: the number of new answers, the clock, and never the same one twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from active_learning import standing, tasks, training
from active_learning.models import Batch, LearnerSettings, TrainingRun
from labeling import jobs
from labeling.models import Job
from tests.active_learning.projects import LISTS, answer, make_learning_project, train
from tests.factories import make_schema

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]


def project_with(*, n_answered=40, **triggers):
    project = make_learning_project(n_pages=80, n_answered=n_answered, labels=LISTS[:2])
    LearnerSettings.objects.create(project=project, **triggers)
    return project


def answer_more(project, n):
    free = list(project.items.filter(consensus=None)[:n])
    answer(free, [dict.fromkeys(LISTS[:2], "no")] * n)


def test_a_project_without_triggers_never_trains_by_itself():
    project_with()
    assert tasks.poll() == 0 and not Job.objects.exists()


def test_the_scheduler_polls_by_itself(settings):
    polled = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == tasks.poll.name]
    assert [entry["schedule"] <= 60 for entry in polled] == [True]


def test_enough_new_answers_ask_for_one_run_and_asking_twice_is_harmless():
    project = project_with(retrain_every=10)
    assert (tasks.poll(), tasks.poll()) == (1, 0)
    assert TrainingRun.objects.get().reason == "count"
    assert Job.objects.get().project == project


def test_answers_are_counted_from_the_last_run():
    project = project_with(retrain_every=10)
    train(project)
    answer_more(project, 9)
    assert tasks.poll() == 0
    answer_more(project, 1)
    assert tasks.poll() == 1


def test_a_run_that_failed_is_not_tried_again_until_more_is_answered():
    project = project_with(n_answered=4, retrain_every=2)
    assert tasks.poll() == 1
    assert jobs.run(Job.objects.get().pk) == "failed"
    assert tasks.poll() == 0
    answer_more(project, 2)
    assert tasks.poll() == 1


def test_the_clock_asks_when_its_hours_are_over():
    project = project_with(retrain_hours=24)
    run = train(project)
    assert tasks.poll() == 0
    TrainingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=24, minutes=1))
    assert tasks.poll() == 1
    assert TrainingRun.objects.latest("number").reason == "schedule"


def test_archived_projects_rest_and_empty_ones_wait_for_the_first_answer():
    project = project_with(retrain_every=1)
    project.archived_at = timezone.now()
    project.save()
    assert tasks.poll() == 0
    LearnerSettings.objects.create(
        project=make_learning_project(n_pages=3, n_answered=0, labels=LISTS[:2], slug="empty"), retrain_hours=1
    )
    assert tasks.poll() == 0


def test_one_project_that_cannot_train_does_not_keep_others_from_it():
    first = project_with(retrain_every=1)
    make_schema(first, labels=(), number=2)
    other = make_learning_project(n_pages=10, n_answered=10, labels=LISTS[:2], slug="other")
    LearnerSettings.objects.create(project=other, retrain_every=1)
    assert tasks.poll() == 1 and TrainingRun.objects.get().project == other


def test_a_run_by_count_proposes_the_next_batch_and_queues_none():
    project = project_with(retrain_every=10)
    run = train(project, reason="count")
    assert standing.standing(project, run).next == "choose" and not Batch.objects.exists()
    assert training.current(project) == run
