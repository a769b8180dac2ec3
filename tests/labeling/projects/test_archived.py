"""A project that was put away: nobody is given its pages, nothing comes in, and all of it is there when it is back."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from labeling import projects, queue, slots
from labeling.models import Import, Selection
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
SENTENCE = "This project is archived"


@pytest.fixture
def project():
    project = make_project("pages")
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=2)
    return project


@pytest.fixture
def manager(project):
    return make_member(project, "manager")


@pytest.fixture
def archived(project, manager):
    projects.archive(project, by=manager)
    project.refresh_from_db()
    return project


def logged_in(client, person):
    client.force_login(person)
    return client


def test_nobody_is_given_its_pages_and_the_sentence_says_why(archived):
    person = make_member(archived, "annotator")
    assert queue.lease_next(archived, annotator=person) is None
    given = logged_in(APIClient(), person).post("/api/v1/projects/pages/next/").json()
    assert given["assignment"] is None
    assert given["reason"].startswith(SENTENCE)
    assert SENTENCE in logged_in(Client(), person).get("/p/pages/annotate/").content.decode()


def test_nothing_is_imported_into_it_by_any_door(archived, manager, tmp_path):
    api, browser = logged_in(APIClient(), manager), logged_in(Client(), manager)
    for path, rows in (("imports/", b"url\nhttps://a.example/\n"), ("judgments/import/", b"url,annotator,yes\n")):
        refused = api.generic("POST", f"/api/v1/projects/pages/{path}", rows, content_type="text/csv")
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith(SENTENCE)
    page = browser.post("/p/pages/items/import/", {"pasted": "https://a.example/"})
    assert page.status_code == 422
    assert SENTENCE in page.content.decode()
    file = tmp_path / "pages.csv"
    file.write_text("url\nhttps://a.example/\n")
    with pytest.raises(CommandError, match=SENTENCE):
        call_command("import_items", "pages", str(file))
    assert not Import.objects.exists()


def test_what_came_in_before_waits_until_it_is_restored(archived, manager):
    person = make_member(archived, "annotator")
    projects.restore(archived, by=manager)
    archived.refresh_from_db()
    assert queue.lease_next(archived, annotator=person) is not None
