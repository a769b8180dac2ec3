"""Whatever the setting: what the model says never reaches an answer that gold or an unbiased estimate rests on."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from active_learning import arm, estimates, scoring, training
from active_learning.models import ScoreShard, TrainingRun
from labeling import consensus, invariants, judging, queue, samples, scores, suggestions
from labeling.models import Assignment, Selection, Stream, Suggestion
from tests.factories import make_item, make_judgment, make_project
from tests.labeling.suggestions.model import page_for, queued

pytestmark = pytest.mark.django_db
NEXT = "/api/v1/projects/pages/next/"


def draw_all(project, *, overlap: int = 1):
    size = project.items.count()
    return samples.draw(project, samples.Request(size=size, seed="s", overlap=overlap), by=None)


def test_a_drawn_page_is_never_given_out_with_a_suggestion(browser_of, project, alice, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    draw_all(project)
    given = browser_of(alice).post(NEXT).json()
    assert given["item"]["id"] == item.public_id and given["assignment"]["suggested"] is None
    assert not Suggestion.objects.exists() and model.asked == []


def test_nor_in_a_later_round_that_is_no_gold(browser_of, project, alice, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    draw_all(project)
    Assignment.objects.update(state="withdrawn", available_at=None)
    slot = Assignment.objects.create(
        project=project, item=item, slot=1, round=9, shuffle=0,
        selection=Selection.objects.create(item=item, stream=Stream.UNCERTAINTY),
    )  # fmt: skip
    given = browser_of(alice).post(NEXT).json()["assignment"]
    assert (given["id"], given["suggested"]) == (slot.pk, None)


def test_whoever_was_shown_one_is_not_asked_when_the_page_is_drawn_afterwards(project, alice, bob, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    slot = queue.lease_next(project, annotator=alice)
    assert suggestions.give(slot, to=alice) == ["games"]
    judging.submit(slot, by=alice, answer=judging.Answer(yes=("games",)))
    draw_all(project, overlap=2)
    assert queue.lease_next(project, annotator=alice) is None
    assert queue.lease_next(project, annotator=bob).item == item


def test_whoever_was_shown_nothing_is(project, alice, model):
    item = page_for(project, alice, shown=False)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    slot = queue.lease_next(project, annotator=alice)
    assert suggestions.give(slot, to=alice) is None
    judging.submit(slot, by=alice, answer=judging.Answer(yes=("games",)))
    draw_all(project, overlap=2)
    assert queue.lease_next(project, annotator=alice).item == item


# ---- the random arm -------------------------------------------------------------------------------------------------
def test_once_suggestions_were_shown_a_model_is_measured_on_the_blind_part_alone(project, alice, model):
    items = [page_for(project, alice, blind=blind) for blind in (True, True, False, False)]
    for item in items:
        make_judgment(item, "first", yes=["games"])
        queued(project, item)
    consensus.refresh_many([item.pk for item in items], project=project)
    assert arm.counted(project) == {item.pk for item in items}
    Suggestion.objects.create(item=items[2], annotator=alice, run=1, is_shown=True, says={"games": "yes"})
    assert arm.counted(project) == {item.pk for item in items[:2]}


# ---- the model that serves ------------------------------------------------------------------------------------------
@pytest.fixture
def served(project, alice, settings, tmp_path):
    """A page with a score of 0.3 on each label it has a model of; the thresholds lie below and above."""
    settings.BLOB_DIR = tmp_path
    item = page_for(project, alice)
    metrics = {
        "labels": {key: {"threshold": line} for key, line in (("games", 0.2), ("news", 0.4), ("self_harm", 0.1))}
    }
    run = TrainingRun.objects.create(
        project=project, number=3, seed=1, labels=["games", "news", "self_harm"], metrics=metrics,
        fitted_at="2026-01-01T00:00Z", scored_at="2026-01-02T00:00Z",
    )  # fmt: skip
    odds = np.log(0.3 / 0.7)
    digest = scores.write(
        scoring.folder(), columns=("games", "news", "self_harm"), items=np.array([item.pk]),
        log_odds=np.array([[odds, odds, np.nan]], dtype=np.float32),
    )  # fmt: skip
    ScoreShard.objects.create(run=run, number=1, sha256=digest, first_item=item.pk, last_item=item.pk, n_items=1)
    return item


def test_the_serving_model_says_yes_from_each_labels_own_threshold_on(project, served):
    said = estimates.opinion(project, served.pk)
    assert said.says == {"games": True, "news": False} and said.run == 3
    assert said.learnt_at == training.current(project).fitted_at


def test_it_says_nothing_of_a_page_without_a_score_nor_without_a_run(project, served):
    assert estimates.opinion(project, make_item(project).pk) is None
    assert estimates.opinion(make_project(), served.pk) is None


def test_what_it_says_reaches_the_page_for_seven_statements(browser_of, project, alice, served):
    project.schema_versions.update(published_at="2025-12-31T00:00Z")
    queued(project, served)
    slot = queue.lease_next(project, annotator=alice)
    judging.question_of(slot, by=alice)  # from now on the process knows the labels
    with CaptureQueriesContext(connection) as asked:
        assert suggestions.give(slot, to=alice) == ["games"]
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 7
    assert 'id="says-games"' in browser_of(alice).get("/p/pages/annotate/").content.decode()


def test_a_lost_file_of_scores_keeps_nobody_from_answering(browser_of, project, alice, served):
    project.schema_versions.update(published_at="2025-12-31T00:00Z")
    for file in scoring.folder().iterdir():
        file.unlink()
    queued(project, served)
    given = browser_of(alice).post(NEXT)
    assert given.status_code == 200 and given.json()["assignment"]["suggested"] is None


# ---- what is checked ------------------------------------------------------------------------------------------------
def broken() -> set[str]:
    own = {"blind_gold", "suggestions"}
    return {finding.id for finding in invariants.findings() if finding.id in own and not finding.is_kept}


def test_an_answer_for_a_sample_after_a_suggestion_is_found(project, alice, model):
    item = page_for(project, alice, shown=False)
    model.yes[item.pk] = ("games",)
    draw_all(project)
    slot = queue.lease_next(project, annotator=alice)
    judging.submit(slot, by=alice, answer=judging.Answer(none=True))
    assert broken() == set()
    Suggestion.objects.create(item=item, annotator=alice, round=99, run=1, is_shown=True, made_at="2020-01-01T00:00Z")
    assert broken() == {"blind_gold"}


@pytest.mark.parametrize(("was_shown", "says_so"), [(True, False), (False, True)])
def test_an_answer_that_says_otherwise_than_was_shown_is_found(project, alice, was_shown, says_so):
    item = make_item(project)
    Suggestion.objects.create(item=item, annotator=alice, run=1, is_shown=was_shown)
    make_judgment(item, alice, saw_suggestion=says_so)
    assert broken() == {"suggestions"}
