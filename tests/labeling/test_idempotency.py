"""One effect a key: whatever is killed, lost, repeated or sent twice at once, and never for who may no longer ask."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, close_old_connections, connection
from rest_framework.test import APIClient

from labeling import idempotency, jobs, judging, projects, queue, slots, tokens
from labeling.api import imports as doors
from labeling.models import Draft, IdempotencyKey, Import, Judgment, Project, Selection, Skip
from labeling.storage import folder
from tests.factories import make_item, make_member, make_project, make_user

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "k1"}
IMPORTS = "/api/v1/projects/pages/imports/"
FILE = b"url\nhttps://a.example/\n"


class Killed(BaseException):
    """The process ends here: nothing after this line runs."""


def die(*_args, **_kwargs):
    raise Killed


def client_of(person) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(person)
    return client


def program_of(person, *scopes) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.issue(person, name='t', scopes=list(scopes))[1]}")
    return client


def upload(client, file=FILE, **headers):
    return client.generic("POST", IMPORTS, file, content_type="text/csv", headers=KEY | headers)


@pytest.fixture
def project():
    project = make_project("pages")
    items = [make_item(project) for _ in range(2)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    return project


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def manager(project):
    return make_member(project, "manager")


@pytest.fixture
def slot(project, alice):
    return queue.lease_next(project, annotator=alice)


def answer(client, slot, *, yes=("news",), **headers):
    return client.post(f"/api/v1/assignments/{slot.pk}/judgment/", {"yes": list(yes)}, headers=KEY | headers)


# ---- killed, or failed ----------------------------------------------------------------------------------------------
def test_a_call_killed_before_its_answer_was_stored_has_done_nothing(alice, slot, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(idempotency, "keep", die)
        answer(client_of(alice), slot)
    assert (Judgment.objects.count(), IdempotencyKey.objects.count()) == (0, 0)
    assert answer(client_of(alice), slot).status_code == 201
    assert Judgment.objects.count() == 1


def test_an_upload_killed_before_its_answer_was_stored_has_done_nothing(manager, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(idempotency.Upload, "keep", die)
        upload(client_of(manager))
    assert (Import.objects.count(), IdempotencyKey.objects.count()) == (0, 0)
    first, second = upload(client_of(manager)), upload(client_of(manager))
    assert first.json()["id"] == second.json()["id"] == str(Import.objects.get().pk)


def test_an_answer_that_was_lost_on_its_way_is_given_again(alice, slot):
    client = client_of(alice)
    first, again = answer(client, slot), answer(client, slot)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Judgment.objects.count() == 1


def test_what_broke_in_the_middle_is_undone_and_may_be_tried_again(monkeypatch):
    make = projects.create

    def break_after(*args, **kwargs):
        make(*args, **kwargs)
        raise RuntimeError

    client = client_of(make_user(may_create_projects=True))
    with monkeypatch.context() as patch:
        patch.setattr(projects, "create", break_after)
        assert client.post("/api/v1/projects/", {"name": "Fresh"}, headers=KEY).status_code == 500
    assert not Project.objects.exists()
    assert client.post("/api/v1/projects/", {"name": "Fresh"}, headers=KEY).status_code == 201
    assert Project.objects.count() == 1


def test_a_deadlock_costs_another_try_and_not_an_error(alice, slot, monkeypatch):
    class Deadlock(Exception):
        sqlstate = idempotency.DEADLOCK

    submit, tries = judging.submit, []

    def lose_once(*args, **kwargs):
        tries.append(submit(*args, **kwargs))
        if len(tries) == 1:
            raise OperationalError from Deadlock()
        return tries[-1]

    monkeypatch.setattr(judging, "submit", lose_once)
    assert answer(client_of(alice), slot).status_code == 201
    assert (len(tries), Judgment.objects.count()) == (2, 1)


def test_a_refusal_is_stored_with_what_it_kept(project, alice, slot):
    """A lost lease keeps the ticks as a draft: that is an effect, too."""
    project.assignments.update(state="withdrawn", available_at=None)
    client = client_of(alice)
    first, again = answer(client, slot), answer(client, slot)
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (409, 409, "true")
    assert Draft.objects.get().answer["yes"] == ["news"]


# ---- told apart -----------------------------------------------------------------------------------------------------
def test_two_long_files_of_one_length_under_one_key_are_told_apart(manager):
    client, rows = client_of(manager), 70_000
    file, other = (b"url\n" + b"".join(b"https://%c%05d.example/\n" % (c, n) for n in range(rows)) for c in b"ab")
    assert len(file) == len(other) > 1024 * 1024
    first = upload(client, file)
    refused, again = upload(client, other), upload(client, file)
    assert (first.status_code, refused.status_code, again.status_code) == (202, 422, 202)
    assert again.json()["id"] == first.json()["id"]
    assert Import.objects.count() == len(stored_files()) == 1


@pytest.fixture(autouse=True)
def uploads_of_its_own(settings, tmp_path):
    settings.BLOB_DIR = tmp_path


def stored_files() -> list[str]:
    return [path.name for path in folder().iterdir()]


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_json_body_of_more_than_a_mebibyte_is_refused(alice, slot, headers):
    client = client_of(alice)
    path = f"/api/v1/assignments/{slot.pk}/judgment/"
    refused = client.post(path, {"yes": ["news"], "note": "x" * 1024 * 1024}, headers=headers)
    assert refused.status_code == 413
    assert "1,048,576" in refused.json()["detail"]


@pytest.mark.parametrize("key", ["", "x" * 201, "caf\u00e9", "a\tb"])
def test_a_key_nobody_could_mean_is_400(alice, slot, key):
    assert answer(client_of(alice), slot, **{"Idempotency-Key": key}).status_code == 400
    assert not Judgment.objects.exists()


# ---- who asks -------------------------------------------------------------------------------------------------------
def test_a_token_that_may_not_write_gets_no_stored_answer(alice, slot):
    assert answer(program_of(alice, "read", "write"), slot).status_code == 201
    assert answer(program_of(alice, "read"), slot).status_code == 403


def test_a_token_that_is_over_gets_no_stored_answer(alice, slot):
    client = program_of(alice, "read", "write")
    assert answer(client, slot).status_code == 201
    tokens.revoke_all(alice, by=alice)
    assert answer(client, slot).status_code == 401


def test_who_has_left_the_project_gets_no_stored_answer(project, alice, manager, slot):
    client, other = client_of(alice), client_of(manager)
    assert answer(client, slot).status_code == 201
    assert upload(other).status_code == 202
    project.memberships.all().delete()
    assert answer(client, slot).status_code == 404
    assert upload(other).status_code == 404


def test_who_has_lost_the_role_gets_no_stored_answer(project, alice, manager, slot):
    client, other = client_of(alice), client_of(manager)
    assert answer(client, slot).status_code == 201
    assert upload(other).status_code == 202
    project.memberships.update(role="viewer")
    assert answer(client, slot).status_code == 403
    assert upload(other).status_code == 403


def test_the_answer_stays_when_the_page_has_gone_to_somebody_else_since(project, alice, slot):
    client, path = client_of(alice), f"/api/v1/assignments/{slot.pk}/skip/"
    assert client.post(path, {"reason": "rather_not"}, headers=KEY).status_code == 204
    for _ in range(2):
        queue.lease_next(project, annotator=make_member(project, "annotator"))
    again = client.post(path, {"reason": "rather_not"}, headers=KEY)
    assert (again.status_code, again["Idempotency-Replayed"]) == (204, "true")
    assert client.post(path, {"reason": "other"}, headers=KEY).status_code == 422
    assert Skip.objects.count() == 1


# ---- at once --------------------------------------------------------------------------------------------------------
def test_the_second_of_two_uploads_on_the_way_gets_the_answer_of_the_first(manager, monkeypatch):
    """The quicker copy makes its job while the last bytes of the slower one are still coming in."""
    chunks, quicker = doors._chunks, []

    def with_a_quicker_copy(request):
        yield from chunks(request)
        if not quicker:
            quicker.append(None)
            quicker[0] = upload(client_of(manager))

    monkeypatch.setattr(doors, "_chunks", with_a_quicker_copy)
    slower = upload(client_of(manager))
    assert (slower.status_code, slower["Idempotency-Replayed"]) == (202, "true")
    assert slower.json() == quicker[0].json()
    assert Import.objects.count() == len(stored_files()) == 1
    jobs.run(Import.objects.get().pk)


@pytest.mark.django_db(transaction=True)
def test_copies_sent_at_once_have_one_effect_and_one_answer(alice, slot):
    secret = tokens.issue(alice, name="t", scopes=["read", "write"])[1]

    def send():
        client = APIClient(headers={"Authorization": f"Token {secret}"})
        return answer(client, slot)

    answers = at_once(8, send)
    assert {sent.status_code for sent in answers} == {201}
    assert len({sent.content for sent in answers}) == 1
    assert sum(sent.get("Idempotency-Replayed") == "true" for sent in answers) == 7
    assert Judgment.objects.count() == 1


def at_once(n: int, work: Callable[[], object]) -> list:
    results, start = [], threading.Barrier(n)

    def run() -> None:
        close_old_connections()
        start.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
