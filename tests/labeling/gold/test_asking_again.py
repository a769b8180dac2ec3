"""Labels that change after pages were judged: those wait, a sentence says so, and asking again is the way out."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from labeling import (
    asking_again,
    consensus,
    invariants,
    jobs,
    judging,
    publishing,
    queue,
    readiness,
    recounts,
    released,
    samples,
)
from labeling.models import Assignment, Event, Job
from labeling.refusals import Refused
from tests.factories import make_judgment, make_member
from tests.labeling.gold.test_settling import decide as decide_in_conflict
from tests.labeling.gold.work import (
    annotators,
    answer_all,
    decide,
    draw,
    freeze,
    make_gold_project,
    ready_project,
    row_of,
)

pytestmark = pytest.mark.django_db
CHANGED = (
    "4 of 4 pages still wait for an answer; ask again under Samples about the labels that have changed, "
    "then freeze again."
)


def publish(project, *, drop=(), add=(), **definitions):
    """A new version of the labels: with other definitions, without some, with more."""
    before = publishing.draft_of(project.schema)
    labels = [label for label in before.labels if label.key not in drop]
    labels = [publishing.replace(label, definition=definitions.get(label.key, label.definition)) for label in labels]
    labels += [publishing.LabelDraft(key=key, name=key.title()) for key in add]
    return publishing.publish(project, publishing.replace(before, labels=tuple(labels)), by=None)


def count_again(project):
    for job in Job.objects.unfinished().filter(project=project, kind=recounts.KIND):
        assert jobs.run(job.pk) == "done"


def ask_again(project, numbers=None):
    job = asking_again.queue_asking(project, numbers, by=None)
    assert jobs.run(job.pk) == "done"
    job.refresh_from_db()
    return job.result["n_items"]


def progress(project):
    return samples.progress(project, samples.chosen_draws(project, None))


@pytest.fixture
def changed():
    """Four pages judged, then `games` asks another question."""
    project = ready_project()
    freeze(project)
    publish(project, games="Games of chance alone.")
    return project


# ---- what waits -----------------------------------------------------------------------------------------------------
def test_pages_judged_before_a_label_changed_wait_and_the_sentence_names_the_way_out(changed):
    assert progress(changed) == samples.Progress(4, 4, 0, n_outdated=4)
    for act in (lambda: freeze(changed), lambda: readiness.require(changed, readiness.Request())):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.sentence == CHANGED


def test_a_label_that_is_new_waits_as_well():
    project = ready_project()
    publish(project, add=["sports"])
    assert progress(project).n_outdated == 4


def test_other_words_for_the_same_question_wait_for_nobody():
    project = ready_project()
    before = publishing.draft_of(project.schema)
    publishing.publish(project, publishing.replace(before, guideline="Read the page twice."), by=None)
    assert not Job.objects.filter(kind=recounts.KIND).exists()
    assert progress(project).n_settled == 4


def test_a_project_without_an_answer_has_nothing_to_count_again():
    publish(make_gold_project(), games="Games of chance alone.")
    assert not Job.objects.exists()


def test_pages_no_draw_chose_are_counted_again_too():
    project = make_gold_project(n_items=1)
    item = project.items.get()
    make_judgment(item, "w1", yes=["games"], source="import")
    make_judgment(item, "w2", source="import")
    consensus.refresh(item, project=project)
    publish(project, games="Games of chance alone.")
    assert not item.disputes.filter(settled_at=None).exists()
    assert {finding.id for finding in invariants.findings() if not finding.is_kept} == set()


def test_a_page_nobody_could_judge_need_not_be_asked_again():
    project = make_gold_project(n_items=1)
    draw(project, size=1)
    for person in annotators(project):
        judging.not_assessable(queue.lease_next(project, annotator=person), by=person, reason="dead")
    publish(project, add=["sports"])
    assert progress(project).n_settled == 1


def test_a_disagreement_on_a_label_that_is_retired_waits_for_nobody():
    project = make_gold_project()
    made = draw(project, size=2)
    odd = made.selections.get(rank=1).item
    alice, bob = annotators(project)
    answer_all(project, alice)
    answer_all(project, bob, yes=lambda _person, item: ["games"] if item == odd else [])
    assert progress(project).n_disputed == 1
    publish(project, drop=["games"])
    assert progress(project).n_settled == 2
    assert "games" not in row_of(freeze(project), odd)["labels"]


def test_until_pages_are_counted_again_nothing_is_frozen_from_old_counts(monkeypatch):
    monkeypatch.setattr(recounts, "AT_ONCE", 1)  # as if there were more pages than a publication counts itself
    project = ready_project()
    publish(project, games="Games of chance alone.")
    assert readiness.standing(project).sentence == asking_again.RECOUNTING
    with pytest.raises(Refused, match="being counted again"):
        asking_again.queue_asking(project, None, by=None)
    count_again(project)
    assert readiness.standing(project).sentence == CHANGED


def test_one_answer_under_the_new_words_is_not_as_good_as_the_two_that_were_asked_for():
    """One person answered before the label changed and one after: the second alone settles nothing."""
    project = make_gold_project(n_items=1)
    draw(project, size=1)
    alice, bob = annotators(project)
    answer_all(project, alice)
    publish(project, games="Games of chance alone.")
    answer_all(project, bob)
    assert progress(project).n_outdated == 1
    assert ask_again(project) == 1
    answer_all(project, *annotators(project))
    assert progress(project).n_settled == 1


# ---- asking again ---------------------------------------------------------------------------------------------------
def test_only_the_changed_labels_are_asked_again_of_as_many_people(changed):
    assert ask_again(changed) == 4
    slots = Assignment.objects.filter(purpose="new_label")
    assert set(slots.values_list("state", "round", "selection__stream")) == {("open", 2, "gold")}
    assert {tuple(slot.asked) for slot in slots} == {("games",)} and slots.count() == 8
    assert progress(changed) == samples.Progress(4, 4, 0)
    assert Event.objects.get(kind="sample.asked_again").data == {"n_items": 4, "labels": ["games"]}


def test_their_answers_join_those_on_the_labels_that_stayed(changed):
    before = {row["item"]: row["labels"] for row in rows(changed)}
    ask_again(changed)
    answer_all(changed, *annotators(changed), yes=lambda _person, _item: ["games"])
    release = freeze(changed)
    assert release.version == "2.0.0"
    for row in rows(changed):
        assert row["labels"] == before[row["item"]] | {"games": "yes"}


def rows(project):
    return released.rows(released.latest(project))


def test_the_same_people_may_be_asked_again_and_keep_what_they_said_on_the_rest():
    project = make_gold_project(n_items=1)
    draw(project, size=1)
    people = annotators(project)
    answer_all(project, *people, yes=lambda _person, _item: ["news"])
    publish(project, games="Games of chance alone.")
    ask_again(project)
    answer_all(project, *people, yes=lambda _person, _item: ["games"])
    freeze(project)
    (row,) = rows(project)
    assert (row["labels"], row["n_judgments"]) == ({"games": "yes", "news": "yes", "self_harm": "no"}, 2)
    consensus = project.consensuses.get()
    assert consensus.labels["news"]["yes"] == 2 and consensus.state == "agreed"


def test_an_older_decision_on_the_old_question_decides_nothing_about_the_new_one():
    project = make_gold_project(n_items=1)
    item = draw(project, size=1).selections.get().item
    alice, bob = annotators(project)
    answer_all(project, alice)
    answer_all(project, bob, yes=lambda _person, _item: ["games"])
    decide(item, by=make_member(project, "adjudicator"), games="yes")
    freeze(project)
    publish(project, games="Games of chance alone.")
    ask_again(project)
    answer_all(project, *annotators(project))
    assert row_of(freeze(project), item)["labels"]["games"] == "no"


def test_a_later_decision_on_another_label_does_not_carry_the_verdict_on_the_old_question_over():
    project = make_gold_project(n_items=1)
    item = draw(project, size=1).selections.get().item
    judge = make_member(project, "adjudicator")
    alice, bob = annotators(project)
    answer_all(project, alice)
    answer_all(project, bob, yes=lambda _person, _item: ["games"])
    decide_in_conflict(item, judge, games="yes")
    publish(project, games="Games of chance alone.", news="News of today alone.")
    ask_again(project)
    carol, dave = annotators(project)
    answer_all(project, carol)
    answer_all(project, dave, yes=lambda _person, _item: ["news"])
    decide_in_conflict(item, judge, news="yes")
    row = row_of(freeze(project), item)
    assert (row["labels"]["games"], row["how"]["games"]) == ("no", "unanimous")


def test_a_released_page_in_dispute_about_a_changed_label_can_be_decided():
    """What was released never changes; what was never asked before must have a way out."""
    project = make_gold_project(n_items=1)
    item = draw(project, size=1).selections.get().item
    judge = make_member(project, "adjudicator")
    alice, bob = annotators(project)
    answer_all(project, alice)
    answer_all(project, bob, yes=lambda _person, _item: ["games", "news"])
    decide_in_conflict(item, judge, games="yes", news="yes")
    freeze(project)
    publish(project, games="Games of chance alone.")
    ask_again(project)
    carol, dave = annotators(project)
    answer_all(project, carol)
    answer_all(project, dave, yes=lambda _person, _item: ["games"])
    assert progress(project).n_disputed == 1
    decide_in_conflict(item, judge, games="no")
    row = row_of(freeze(project), item)
    assert row["labels"] == {"games": "no", "news": "yes", "self_harm": "no"}
    assert row["how"]["news"] == "adjudicated"


def test_a_job_that_died_half_way_asks_about_the_rest_alone(changed):
    job = asking_again.queue_asking(changed, None, by=None)
    jobs.run(job.pk)
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert jobs.run(job.pk) == "done"
    assert Assignment.objects.filter(purpose="new_label").count() == 8


def test_one_sample_can_be_asked_about_alone(changed):
    second = draw(changed, size=4, seed="other")  # four of six pages, as the first: they share at least two
    answer_all(changed, *annotators(changed))
    assert ask_again(changed, [2]) == second.selections.filter(item__selections__draw__number=1).count() >= 2
    with pytest.raises(Refused, match="on every drawn page"):
        asking_again.queue_asking(changed, [2], by=None)


def test_where_nothing_is_lacking_nobody_is_asked():
    with pytest.raises(Refused, match="on every drawn page"):
        asking_again.queue_asking(ready_project(), None, by=None)


def test_archived_pages_are_not_asked_about_and_the_sentence_says_so(changed):
    changed.items.update(state="archived")
    with pytest.raises(Refused, match="archived: restore or withdraw"):
        asking_again.queue_asking(changed, None, by=None)


# ---- by page and API ------------------------------------------------------------------------------------------------
def test_the_button_asks_again_and_says_for_how_many_pages(changed):
    client = Client()
    client.force_login(make_member(changed, "manager"))
    for address in (f"/p/{changed.slug}/releases/", f"/p/{changed.slug}/samples/", f"/p/{changed.slug}/samples/1/"):
        assert "Ask again about 4 pages" in client.get(address).content.decode(), address
    assert client.post(f"/p/{changed.slug}/samples/ask-again/", {"sample": "1"}).status_code == 302
    assert jobs.run(Job.objects.get(kind=asking_again.KIND).pk) == "done"
    said = client.get(f"/p/{changed.slug}/samples/").content.decode()
    assert "4 wait for an answer" in said and "Ask again" not in said


def test_a_sample_that_is_no_number_asks_nobody(changed):
    client = Client()
    client.force_login(make_member(changed, "manager"))
    assert client.post(f"/p/{changed.slug}/samples/ask-again/", {"sample": "all"}).status_code == 404
    assert not Job.objects.filter(kind=asking_again.KIND).exists()


def test_a_program_asks_again_by_a_job(changed):
    client = APIClient()
    client.force_login(make_member(changed, "manager"))
    home = f"/api/v1/projects/{changed.slug}/samples/"
    assert client.get(f"{home}1/").json()["n_outdated"] == 4
    assert client.post(f"{home}ask-again/", {"samples": [9]}).status_code == 422
    response = client.post(f"{home}ask-again/", {"samples": [1]})
    assert response.status_code == 202
    assert jobs.run(response.json()["id"]) == "done"
    said = client.get(f"{home}1/").json()
    assert (said["n_waiting"], said["n_outdated"]) == (4, 0)
    assert client.post(f"{home}ask-again/", {}).status_code == 409
