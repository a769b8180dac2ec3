"""The annotate page and My work over HTTP, with and without scripts."""

import re

import pytest
from django.test import Client

from labeling import judging, queue
from labeling.models import Draft, Judgment, Selection
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def browser_of():
    def log_in(person):
        client = Client()
        client.force_login(person)
        return client

    return log_in


@pytest.fixture
def alices(alice, browser_of):
    return browser_of(alice)


@pytest.fixture
def pages(project):
    items = [make_item(project, title=f"Page {n}", text="Words of the page.") for n in range(2)]
    queue.open_slots(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    return items


def form_of(response):
    html = response.content.decode()
    action = re.search(r'action="([^"]+/submit/)"', html).group(1)
    key = re.search(r'name="idempotency_key" value="(\w+)"', html).group(1)
    return action, key


def test_the_page_shows_the_text_and_every_label(alices, pages):
    html = alices.get("/p/pages/annotate/").content.decode()
    assert "Words of the page." in html
    assert all(f'name="label.{key}"' in html for key in ("games", "news", "self_harm"))


def test_a_plain_form_records_the_answer_and_is_sent_on(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    response = alices.post(action, {"label.news": "yes", "idempotency_key": key, "active_seconds": "4.5"})
    assert (response.status_code, response["Location"]) == (302, "/p/pages/annotate/")
    assert Judgment.objects.get().verdicts["news"] == "yes" and Judgment.objects.get().active_seconds == 4.5


def test_htmx_gets_the_next_page_in_the_same_answer(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    response = alices.post(action, {"none": "1", "idempotency_key": key}, HTTP_HX_REQUEST="true")
    assert response.status_code == 200 and "<html" not in response.content.decode()
    assert form_of(response)[0] != action


def test_the_same_form_sent_twice_is_one_answer(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    for _ in range(2):
        assert alices.post(action, {"none": "1", "idempotency_key": key}).status_code == 302
    assert Judgment.objects.count() == 1


def test_an_incomplete_answer_keeps_the_ticks_and_says_what_is_missing(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    response = alices.post(action, {"label.news": "yes", "none": "1", "note": "why", "idempotency_key": key})
    html = response.content.decode()
    assert response.status_code == 422
    assert "None of these was ticked beside a label" in html and ">why</textarea>" in html
    assert re.search(r'name="label.news" value="yes"[^>]* checked', html)


def test_a_page_that_went_to_someone_else_is_409_and_the_ticks_are_kept(alices, alice, project, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    bob = make_member(project, "annotator")
    project.assignments.update(available_at="2020-01-01T00:00Z")
    for _ in range(2):
        slot = queue.lease_next(project, annotator=bob)
        judging.submit(slot, by=bob, answer=judging.Answer(none=True))
    response = alices.post(action, {"label.news": "yes", "idempotency_key": key})
    assert response.status_code == 409 and "went to someone else" in response.content.decode()
    assert Draft.objects.get(annotator=alice).answer["yes"] == ["news"]


def test_a_saved_draft_comes_back_on_another_device(alice, alices, browser_of, pages):
    slot = queue.lease_next(alice.memberships.get().project, annotator=alice)
    judging.save_draft(slot, by=alice, answer=judging.Answer(unsure=("games",), note="arcade"))
    html = browser_of(alice).get("/p/pages/annotate/").content.decode()
    assert re.search(r'name="label.games" value="unsure"[^>]* checked', html) and ">arcade</textarea>" in html


def test_when_nothing_is_left_the_page_says_so(alices, project):
    response = alices.get("/p/pages/annotate/")
    assert response.status_code == 200 and "No pages are waiting yet." in response.content.decode()


def test_skipping_needs_no_reason(alices, pages):
    action, _ = form_of(alices.get("/p/pages/annotate/"))
    assert alices.post(action.replace("submit", "skip")).status_code == 302
    assert not Judgment.objects.exists()


def test_a_dead_page_is_recorded_as_an_outcome(alices, pages):
    action, _ = form_of(alices.get("/p/pages/annotate/"))
    alices.post(action.replace("submit", "skip"), {"reason": "dead"})
    assert Judgment.objects.get().outcome == "not_assessable"


def test_logged_out_is_a_login_page_and_401_for_scripts(pages):
    assert Client().get("/p/pages/annotate/")["Location"].startswith("/accounts/login/")
    assert Client().get("/p/pages/annotate/", HTTP_HX_REQUEST="true").status_code == 401


def test_my_work_shows_my_answers_in_words_and_nobody_elses(alices, alice, project, pages, browser_of):
    judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    assert "News yes" in alices.get("/p/pages/mine/").content.decode()
    bob = make_member(project, "annotator")
    assert "News yes" not in browser_of(bob).get("/p/pages/mine/").content.decode()


def test_an_answer_can_be_changed_from_my_work(alices, alice, project, pages):
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    url = f"/p/pages/mine/{first.pk}/"
    assert re.search(r'name="label.news" value="yes"[^>]* checked', alices.get(url).content.decode())
    assert alices.post(url, {"label.games": "yes"})["Location"] == "/p/pages/mine/"
    assert Judgment.objects.current().get().yes == ["games"]


def test_somebody_elses_answer_cannot_be_opened(alice, project, pages, browser_of):
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    bob = make_member(project, "annotator")
    assert browser_of(bob).get(f"/p/pages/mine/{first.pk}/").status_code == 404
