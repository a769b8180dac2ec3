"""The pool scored in shards: whole, once, and going on where a killed worker stopped."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

from active_learning import pages, scoring, training
from active_learning.learner.features import featurise
from active_learning.models import ScoreShard
from labeling import jobs, scores
from labeling.models import ItemState, Job
from labeling.refusals import Refused
from tests.active_learning.projects import LISTS, make_learning_project, train

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]
PAGES = {"n_pages": 100, "n_answered": 60, "n_random": 0, "labels": LISTS[:2]}


@pytest.fixture
def project():
    return make_learning_project(**PAGES)


@pytest.fixture
def small_shards(settings, monkeypatch):
    settings.SCORE_SHARD_ITEMS = 30
    monkeypatch.setattr(pages, "PIECE_PAGES", 20)


def test_every_active_page_has_the_score_the_model_gives_it(project, small_shards):
    gone = project.items.first()
    gone.state = ItemState.ARCHIVED
    gone.save()
    run = train(project)
    rows = pages.read(project.items.active().order_by("pk"))
    found, scored = scoring.log_odds_of(run, np.array([pk for pk, _ in rows]))
    assert scored.all() and run.n_scored == len(rows) == 99
    expected = training.model_of(run).p_label(featurise([page for _, page in rows]))
    np.testing.assert_allclose(expit(found), expected, rtol=1e-4)


def test_shards_follow_each_other_without_gap_or_overlap(project, small_shards):
    run = train(project)
    shards = list(run.shards.order_by("number"))
    assert [shard.n_items for shard in shards] == [30, 30, 30, 10]
    assert [shard.number for shard in shards] == [1, 2, 3, 4]
    assert all(before.last_item < after.first_item for before, after in pairwise(shards))


@pytest.mark.parametrize("n_items", [1, 3, 7, 10, 11, 100])
def test_parts_of_any_size_become_shards_of_one_size(n_items):
    parts = [numbered(0, 4), numbered(4, 4), numbered(4, 9), numbered(9, 10)]
    shards = list(scoring.in_shards(parts, n_items))
    assert [len(shard.items) for shard in shards] == [min(n_items, 10 - start) for start in range(0, 10, n_items)]
    assert np.concatenate([shard.items for shard in shards]).tolist() == list(range(10))
    assert all((shard.log_odds[:, 0] == shard.items).all() for shard in shards)


def numbered(first, last):
    items = np.arange(first, last)
    return scoring.Scored(items, items[:, None].astype(np.float32))


def test_nothing_to_score_makes_no_shard():
    assert list(scoring.in_shards([], 5)) == []


class Killed(BaseException):
    """As a kill -9: nothing after it runs."""


def test_a_second_attempt_keeps_the_model_and_the_shards_of_the_first(project, small_shards, monkeypatch):
    run = training.request(project, by=None)
    write, calls = scores.write, []

    def dies_at_the_third(*args, **kwargs):
        calls.append(kwargs["items"])
        if len(calls) == 3:
            raise Killed
        return write(*args, **kwargs)

    monkeypatch.setattr(scores, "write", dies_at_the_third)
    monkeypatch.setattr(jobs, "_hand_back", lambda *_, **__: "")  # what is killed hands nothing back
    with pytest.raises(Killed):
        jobs.run(run.job_id)
    before = set(ScoreShard.objects.values_list("pk", flat=True))
    assert len(before) == 2 and training.current(project) is None
    Job.objects.update(state=Job.State.QUEUED)
    monkeypatch.setattr(training, "fit", lambda *_: pytest.fail("the model was there already"))
    assert jobs.run(run.job_id) == "done"
    run.refresh_from_db()
    assert before < set(run.shards.values_list("pk", flat=True)) and run.n_scored == 100
    assert sum(shard.n_items for shard in run.shards.all()) == 100


def test_a_shard_that_was_damaged_meanwhile_is_scored_again(project, small_shards, blobs):
    run = train(project)
    second = run.shards.get(number=2)
    scores.path_of(blobs / "scores", second.sha256).write_bytes(b"")
    training.TrainingRun.objects.update(scored_at=None)
    Job.objects.update(state=Job.State.QUEUED)
    assert jobs.run(run.job_id) == "done"
    found, scored = scoring.log_odds_of(run, np.array(project.items.order_by("pk").values_list("pk", flat=True)))
    assert scored.all() and not np.isnan(found).any()


def test_the_last_whole_run_serves_while_the_next_is_under_way(project):
    first = train(project)
    training.request(project, by=None)
    assert training.current(project) == first


def test_a_worker_thought_dead_writes_no_shard_after_its_successor(project):
    run = training.request(project, by=None)
    zombie = jobs.claim(run.job_id)
    Job.objects.update(fence=zombie.fence + 1)
    with pytest.raises(jobs.FenceLost):
        training.carry_out(zombie)
    run.refresh_from_db()
    assert not run.shards.exists() and run.artifact_sha256 == ""


def test_a_lost_shard_is_a_sentence(project, blobs):
    run = train(project)
    shard = run.shards.get()
    scores.path_of(blobs / "scores", shard.sha256).unlink()
    with pytest.raises(Refused, match="train again"):
        scoring.log_odds_of(run, np.array([shard.first_item]))
