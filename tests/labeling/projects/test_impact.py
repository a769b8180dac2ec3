"""What a draft of labels would touch is known before it is published: in words, answers, releases, waiting slots."""

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from labeling import impact, judging, publishing, queue
from labeling.models import Assignment, SchemaVersion
from labeling.publishing import LabelDraft, replace
from labeling.refusals import Unacceptable
from tests.factories import make_assignment, make_judgment, make_member
from tests.labeling.gold.work import freeze, ready_project
from tests.labeling.projects.test_project_pages import labels_post

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    """Four pages answered by two people and released; two slots wait, one is in someone's hands."""
    project = ready_project()
    freeze(project)
    for _ in range(3):
        make_assignment(project)
    queue.lease_next(project, annotator=make_member(project, "annotator"))
    return project


def draft(project, *, drop=(), add=(), unchanged=False, **definitions):
    now = publishing.draft_of(project.schema)
    labels = [
        replace(label, definition=definitions.get(label.key, label.definition), meaning_unchanged=unchanged)
        for label in now.labels
        if label.key not in drop
    ]
    return replace(now, labels=(*labels, *(LabelDraft(key, key.title()) for key in add)))


def test_another_question_ends_its_answers_and_the_releases_made_of_them(project):
    found = impact.of(project, draft(project, games="Games of chance alone."))
    assert found.changes == ("“Games” has another definition: it is a new question, so earlier answers do not pool.",)
    assert found.labels == (impact.Touched("games", "Games", n_judgments=8, n_releases=1),)
    assert (found.n_judgments, found.n_releases, found.n_open_slots, found.n_held_slots) == (8, 1, 2, 1)


def test_an_answer_on_two_such_labels_is_one_answer(project):
    found = impact.of(project, draft(project, drop=["news"], games="Games of chance alone."))
    assert [label.n_judgments for label in found.labels] == [8, 8]
    assert (found.n_judgments, found.n_releases) == (8, 1)


def test_answers_without_a_verdict_on_the_label_are_not_touched(project):
    item = Assignment.objects.first().item
    make_judgment(item, "partial", asked=["news"], source="import")
    assert impact.of(project, draft(project, games="Other.")).n_judgments == 8
    assert impact.of(project, draft(project, news="Other.")).n_judgments == 9


def test_other_words_and_new_labels_end_nothing(project):
    found = impact.of(project, draft(project, unchanged=True, add=["maps"], games="Games, in other words."))
    assert len(found.changes) == 2
    assert (found.labels, found.n_judgments, found.n_releases, found.n_open_slots) == ((), 0, 0, 2)


def test_only_answers_to_the_question_in_force_are_touched_again(project):
    publishing.publish(project, draft(project, games="Games of chance alone."), by=None)
    found = impact.of(project, draft(project, games="Games of skill alone."))
    assert found.labels == (impact.Touched("games", "Games", n_judgments=0, n_releases=0),)


def test_a_draft_like_the_version_in_force_touches_nothing(project):
    assert impact.of(project, draft(project)) == impact.Impact(())


def test_a_draft_that_cannot_be_published_is_refused_as_publishing_refuses_it(project):
    with pytest.raises(Unacceptable):
        impact.of(project, replace(draft(project), exclusive_groups=(("games",),)))


def test_the_page_says_it_before_the_button(client: Client, project):
    client.force_login(make_member(project, "manager"))
    sent = [
        {"key": label.key, "name": label.name, "shortcut": label.shortcut, "definition": "Only of chance."}
        for label in project.schema.labels.all()[:1]
    ]
    address = f"/p/{project.slug}/settings/labels/"
    page = client.post(address, labels_post(*sent, guideline="Read the page first.", step="review")).content.decode()
    row = page[page.index('<th scope="row">Games</th>') :]
    assert re.findall(r'<td class="n"[^>]*>(\d+)</td>', row)[:2] == ["8", "1"]
    assert "8 answers are touched, and stay with the question they answered." in page
    assert "2 answers still waited for will be asked under version 2; 1 page in people" in page
    assert "Publish as version 2" in page and project.schema.number == 1


def test_a_dry_run_of_the_api_says_it_and_publishes_nothing(project):
    client = APIClient()
    client.force_authenticate(make_member(project, "manager"))
    address = f"/api/v1/projects/{project.slug}/schema-versions/"
    body = {"labels": [{"key": "games", "definition": "Only of chance."}, {"key": "news"}, {"key": "self_harm"}]}
    said = client.post(f"{address}?dry_run=true", body, format="json")
    assert said.status_code == 200 and said.json() == {
        "changes": ["“Games” has another definition: it is a new question, so earlier answers do not pool."],
        "judgments": 8,
        "releases": 1,
        "open_slots": 2,
        "held_slots": 1,
        "labels": [{"key": "games", "judgments": 8, "releases": 1}],
    }
    assert SchemaVersion.objects.filter(project=project).count() == 1
    assert client.post(f"{address}?dry_run=maybe", body, format="json").status_code == 400
    bad = client.post(f"{address}?dry_run=true", {"labels": [{"key": "Bad"}]}, format="json")
    assert bad.json()["errors"][0]["pointer"] == "/labels/0/key"
    assert client.post(address, body, format="json").status_code == 201


def test_what_the_preview_said_is_what_publishing_does(project):
    """Of the eight answers to games none pools any more; every other label counts as before."""
    before = {row.item_id: row.labels for row in project.consensuses.all()}
    publishing.publish(project, draft(project, games="Games of chance alone."), by=None)
    for row in project.consensuses.all():
        kept = {key: label for key, label in before[row.item_id].items() if key != "games"}
        assert {key: label["yes"] for key, label in row.labels.items()} == {
            key: one["yes"] for key, one in kept.items()
        }


def test_who_holds_a_page_answers_under_the_version_they_were_shown(project):
    slot = Assignment.objects.get(state="leased")
    publishing.publish(project, draft(project, games="Games of chance alone."), by=None)
    held = judging.submit(slot, by=slot.annotator, answer=judging.Answer(none=True))
    assert held.schema.number == 1
