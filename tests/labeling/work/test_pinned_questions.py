"""A version published while a page is open: people answer the questions they were shown, and no others."""

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from labeling import judging, queue, slots
from labeling.models import Assignment, Draft, Judgment, Selection
from labeling.refusals import Unacceptable
from tests.factories import make_item, make_member, make_project, make_schema

pytestmark = pytest.mark.django_db
LATER = ("games", "news", "self_harm", "weapons")


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator")


def open_page(project, *, overlap=1):
    item = make_item(project)
    slots.open_up(project, [Selection.objects.create(item=item, stream="import")], overlap=overlap)
    return item


def client_of(person):
    client = APIClient()
    client.force_login(person)
    return client


def publish(project, labels=LATER):
    return make_schema(project, labels=labels, number=2)


def run_out(slot):
    Assignment.objects.filter(pk=slot.pk).update(available_at="2020-01-01T00:00Z")


def test_an_answer_says_nothing_about_a_label_that_was_published_while_the_page_was_open(project, alice):
    open_page(project)
    slot = queue.lease_next(project, annotator=alice)
    publish(project)
    judgment = judging.submit(slot, by=alice, answer=judging.Answer(yes=("news",)))
    assert (judgment.schema.number, set(judgment.verdicts)) == (1, {"games", "news", "self_harm"})


def test_a_label_nobody_saw_cannot_be_ticked(project, alice):
    open_page(project)
    slot = queue.lease_next(project, annotator=alice)
    publish(project)
    with pytest.raises(Unacceptable, match="Not a label of this page: weapons"):
        judging.submit(slot, by=alice, answer=judging.Answer(yes=("weapons",)))


def test_a_page_leased_after_the_publication_asks_the_new_labels(project, alice):
    open_page(project)
    publish(project)
    slot = queue.lease_next(project, annotator=alice)
    assert judging.asked_of(slot, by=alice) == LATER


def test_a_page_given_back_is_shown_to_the_next_person_with_the_new_labels(project, alice, bob):
    open_page(project)
    queue.release(queue.lease_next(project, annotator=alice), by=alice)
    publish(project)
    assert judging.asked_of(queue.lease_next(project, annotator=bob), by=bob) == LATER


def test_whoever_takes_over_is_asked_anew_and_whoever_lost_it_still_answers_what_they_saw(project, alice, bob):
    open_page(project, overlap=2)
    slot = queue.lease_next(project, annotator=alice)
    other = Assignment.objects.exclude(pk=slot.pk)
    other.update(state="withdrawn", available_at=None)
    run_out(slot)
    publish(project)
    taken = queue.lease_next(project, annotator=bob)
    other.update(state="open", available_at="2020-01-01T00:00Z")
    assert taken == slot and judging.asked_of(taken, by=bob) == LATER
    late = judging.submit(Assignment.objects.get(pk=slot.pk), by=alice, answer=judging.Answer(none=True))
    assert late.schema.number == 1 and set(late.verdicts) == {"games", "news", "self_harm"}
    assert late.assignment.schema == late.schema


def test_who_comes_back_to_a_page_finds_the_questions_of_the_open_tab(project, alice):
    open_page(project)
    slot = queue.lease_next(project, annotator=alice)
    run_out(slot)
    publish(project)
    assert judging.asked_of(queue.lease_next(project, annotator=alice), by=alice) == ("games", "news", "self_harm")


def test_the_api_names_the_version_and_the_labels_that_are_asked(project, alice):
    open_page(project)
    api = client_of(alice)
    api.post("/api/v1/projects/pages/next/")
    publish(project)
    lease = api.post("/api/v1/projects/pages/next/").json()["assignment"]
    assert (lease["schema_version"], lease["asked"]) == (1, ["games", "news", "self_harm"])
    renewed = api.post(f"/api/v1/assignments/{lease['id']}/renew/").json()["assignment"]
    assert renewed["schema_version"] == 1
    judgment = api.post(f"/api/v1/assignments/{lease['id']}/judgment/", {"none": True}).json()["judgment"]
    assert judgment["schema_version"] == 1


def test_a_draft_is_resumed_on_the_questions_it_was_made_for(project, alice):
    open_page(project)
    slot = queue.lease_next(project, annotator=alice)
    judging.save_draft(slot, by=alice, answer=judging.Answer(yes=("news",)))
    publish(project)
    assert judging.asked_of(queue.lease_next(project, annotator=alice), by=alice) == ("games", "news", "self_harm")
    assert Draft.objects.get().answer["yes"] == ["news"]


def test_the_page_shows_and_takes_the_questions_it_was_opened_with(project, alice):
    open_page(project)
    browser = Client()
    browser.force_login(alice)
    html = browser.get("/p/pages/annotate/").content.decode()
    publish(project)
    again = browser.get("/p/pages/annotate/").content.decode()
    assert set(re.findall(r'name="label\.(\w+)"', again)) == {"games", "news", "self_harm"}
    action = re.search(r'action="([^"]+/submit/)"', html).group(1)
    browser.post(action, {"label.news": "yes", "idempotency_key": "k1"})
    assert Judgment.objects.get().verdicts == {"games": "no", "news": "yes", "self_harm": "no"}
