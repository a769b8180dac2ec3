"""Changing one's answer: what was saved in another tab is never overwritten unseen, and nothing chosen is lost."""

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from labeling import judging, queue, slots
from labeling.models import Judgment, Selection
from labeling.refusals import Refused
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


def client_of(person):
    client = APIClient(raise_request_exception=False)
    client.force_login(person)
    return client


@pytest.fixture
def api(alice):
    return client_of(alice)


@pytest.fixture
def browser(alice):
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def first(project, alice):
    """Alice's first answer, that none of the labels holds, as the API gave it: a response."""
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=1)
    slot = queue.lease_next(project, annotator=alice)
    return client_of(alice).post(f"/api/v1/assignments/{slot.pk}/judgment/", {"none": True})


def path_of(response):
    return f"/api/v1/judgments/{response.json()['judgment']['id']}/revise/"


def ticked():
    return sorted(Judgment.objects.current().get().yes)


# ---- over the API ---------------------------------------------------------------------------------------------------
def test_one_can_revise_ones_own_answer_and_nobody_elses(api, project, first):
    assert client_of(make_member(project, "annotator")).post(path_of(first), {"yes": ["news"]}).status_code == 404
    response = api.post(path_of(first), {"yes": ["news"]})
    assert response.status_code == 201 and response.json()["judgment"]["revision"] == 2


def test_an_answer_comes_with_the_tag_its_correction_is_to_name(api, first):
    response = api.post(path_of(first), {"yes": ["news"]}, HTTP_IF_MATCH=first["ETag"])
    assert response.status_code == 201 and response["ETag"] != first["ETag"]
    assert api.post(path_of(response), {"yes": ["games"]}, HTTP_IF_MATCH=response["ETag"]).status_code == 201


def test_a_stale_tag_is_412_with_both_versions(api, first):
    api.post(path_of(first), {"yes": ["news"], "note": "From the other tab."}, HTTP_IF_MATCH=first["ETag"])
    late = api.post(path_of(first), {"yes": ["games"]}, HTTP_IF_MATCH=first["ETag"])
    assert late.status_code == 412
    assert late.json()["theirs"]["yes"] == ["news"] and late.json()["theirs"]["note"] == "From the other tab."
    assert late.json()["mine"]["yes"] == ["games"]
    assert ticked() == ["news"]


def test_after_seeing_both_the_correction_is_taken_under_the_version_it_was_answered_with(api, first):
    api.post(path_of(first), {"yes": ["news"]}, HTTP_IF_MATCH=first["ETag"])
    late = api.post(path_of(first), {"yes": ["games"]}, HTTP_IF_MATCH=first["ETag"])
    again = api.post(path_of(first), {"yes": ["games"]}, HTTP_IF_MATCH=f'"{late.json()["version"]}"')
    assert again.status_code == 201 and ticked() == ["games"]


def test_an_old_revision_is_not_corrected_unseen_even_without_a_tag(api, first):
    api.post(path_of(first), {"yes": ["news"]})
    assert api.post(path_of(first), {"yes": ["games"]}).status_code == 412
    assert ticked() == ["news"]


def test_a_tag_that_never_was_is_412(api, first):
    assert api.post(path_of(first), {"yes": ["news"]}, HTTP_IF_MATCH='"another"').status_code == 412


def test_the_same_correction_sent_twice_is_one(api, first):
    for _ in range(2):
        response = api.post(path_of(first), {"yes": ["news"]}, HTTP_IF_MATCH=first["ETag"])
        assert response.status_code == 201 and response.json()["judgment"]["revision"] == 2
    assert Judgment.objects.count() == 2


def test_an_answer_that_is_not_counted_any_more_cannot_be_changed(alice, first):
    judgment = Judgment.objects.get()
    Judgment.objects.update(voided_at="2026-01-01T00:00Z")
    with pytest.raises(Refused, match="not counted any more"):
        judging.revise(judgment, by=alice, answer=judging.Answer(yes=("news",)))


# ---- on the page ----------------------------------------------------------------------------------------------------
def page_of(response):
    return f"/p/pages/mine/{response.json()['judgment']['id']}/"


def version_on(response):
    return re.search(r'name="version" value="([^"]+)"', response.content.decode()).group(1)


def test_the_page_takes_the_answer_it_shows(browser, first):
    version = version_on(browser.get(page_of(first)))
    assert browser.post(page_of(first), {"label.news": "yes", "version": version}).status_code == 302
    assert ticked() == ["news"]


def test_two_tabs_lose_nothing_both_versions_are_shown_and_the_second_may_still_save(browser, first):
    version = version_on(browser.get(page_of(first)))
    browser.post(page_of(first), {"label.news": "yes", "note": "Local paper.", "version": version})
    late = browser.post(page_of(first), {"label.games": "yes", "note": "Chess.", "version": version})
    html = late.content.decode()
    assert late.status_code == 412
    assert "What is saved now says: News yes with the note “Local paper.”." in html
    assert re.search(r'name="label.games" value="yes"[^>]* checked', html) and "Chess." in html
    assert ticked() == ["news"]
    browser.post(page_of(first), {"label.games": "yes", "note": "Chess.", "version": version_on(late)})
    assert ticked() == ["games"]


def test_an_incomplete_correction_keeps_the_version_it_started_from(browser, first):
    version = version_on(browser.get(page_of(first)))
    refused = browser.post(page_of(first), {"version": version})
    assert (refused.status_code, version_on(refused)) == (422, version)


def test_an_old_link_shows_the_answer_in_force(browser, api, first):
    api.post(path_of(first), {"yes": ["news"]})
    html = browser.get(page_of(first)).content.decode()
    assert re.search(r'name="label.news" value="yes"[^>]* checked', html)
    shown = browser.get("/p/pages/mine/").content.decode()
    assert shown.count("News yes") == 1 and "None of these" not in shown


def test_sending_the_form_twice_is_one_correction(browser, first):
    form = {"label.news": "yes", "version": version_on(browser.get(page_of(first)))}
    assert [browser.post(page_of(first), form).status_code for _ in range(2)] == [302, 302]
    assert Judgment.objects.count() == 2
