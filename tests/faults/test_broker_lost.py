"""The broker dies, comes back, or forgets everything: people go on working, and no job is lost or begun again."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.test import Client

from labeling import imports, tokens
from labeling.models import Job, Judgment
from tests.conftest import this_database_url
from tests.factories import make_assignment, make_member, make_project
from tests.faults.lists import QUICK, assert_whole, is_done, is_under_way, start_import, wait_until
from tests.servers import Worker

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Program:
    """Asks the API over HTTP in the name of a person."""

    def __init__(self, url: str, person) -> None:
        self.url = f"{url}/api/v1"
        _, secret = tokens.issue(person, name="program", scopes=["read", "write"])
        self.headers = {"Authorization": f"Token {secret}"}

    def post(self, path: str, body: bytes = b"{}", *, content_type: str = "application/json"):
        asked = Request(self.url + path, body, {**self.headers, "Content-Type": content_type}, method="POST")
        try:
            with urlopen(asked) as answer:
                return json.load(answer)
        except HTTPError as refused:
            pytest.fail(f"{path}: {refused.code} {refused.read().decode()}")


def test_people_judge_import_and_log_in_while_the_broker_is_dead(broker, live_server):
    project = make_project("pages")
    for slot in (1, 2):
        make_assignment(project, slot=slot)
    annotator, manager = make_member(project, "annotator", name="ann"), make_member(project, "manager")
    broker.kill()
    page = Program(live_server.url, annotator).post("/projects/pages/next/")["assignment"]
    Program(live_server.url, annotator).post(f"/assignments/{page['id']}/judgment/?next=true", b'{"yes": ["games"]}')
    job = Program(live_server.url, manager).post(
        "/projects/pages/imports/", b"url\nhttps://a.example/\n", content_type="text/csv"
    )
    login = Client().post("/accounts/login/", {"username": "ann", "password": "correct horse battery"})
    assert (Judgment.objects.count(), job["state"], login.status_code) == (1, "queued", 302)
    broker.start()
    with Worker(database_url=this_database_url(), redis_url=broker.url):  # on the settings we ship
        wait_until(lambda: Job.objects.get(pk=job["id"]).state == Job.State.DONE, seconds=60)


def test_what_was_queued_before_the_broker_forgot_everything_is_done_within_a_minute(broker):
    run = imports.start(make_project(), by=None, chunks=iter([b"url\nhttps://a.example/\n"]))
    assert Job.objects.get(pk=run.pk).nudged_at is not None
    broker.flush()
    with Worker(database_url=this_database_url(), redis_url=broker.url):  # on the settings we ship
        wait_until(lambda: is_done(run), seconds=60)


def test_an_import_goes_on_undisturbed_while_the_broker_dies_and_comes_back(broker):
    run = start_import()
    with Worker(database_url=this_database_url(), redis_url=broker.url, **QUICK):
        wait_until(lambda: is_under_way(run), seconds=60)
        broker.kill()
        assert is_under_way(run), "the import was over before its broker died"
        broker.start()
        wait_until(lambda: is_done(run), seconds=120)
        later = imports.start(make_project(), by=None, chunks=iter([b"url\nhttps://b.example/\n"]))
        wait_until(lambda: is_done(later), seconds=60)  # the worker found its broker again
    assert_whole(run)
    assert Job.objects.get(pk=run.pk).attempt == 1
