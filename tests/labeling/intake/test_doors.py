"""Imports by API, page and command: the same rows, the same sentences."""

import gzip
import json
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from labeling import jobs, tasks  # noqa: F401
from labeling.models import Assignment, Import, Item, Job
from tests.factories import make_member, make_project
from tests.labeling.intake.files import bring, csv

pytestmark = pytest.mark.django_db
ONE = csv("https://a.example/,A,one")


@pytest.fixture
def project():
    return make_project("pages")


@pytest.fixture
def api(project):
    client = APIClient(raise_request_exception=True)
    client.force_login(make_member(project, "manager"))
    return client


def post(api, content: bytes, *, query: str = "", content_type: str = "text/csv", **headers):
    return api.generic("POST", f"/api/v1/projects/pages/imports/{query}", content, content_type, headers=headers)


# ---- API ------------------------------------------------------------------------------------------------------------
def test_a_file_posted_is_a_job_and_then_a_report(api):
    answer = post(api, csv("https://a.example/,A,one", "nonsense,,"), query="?queue=true")
    assert answer.status_code == 202
    assert {"id", "kind", "state", "progress", "message", "result", "url"} <= answer.json().keys()
    assert answer["Location"] == answer.json()["url"]
    jobs.run(answer.json()["id"])
    report = api.get(f"/api/v1/projects/pages/imports/{answer.json()['id']}/").json()
    assert (report["state"], report["rows_total"], report["rows_created"], report["rows_refused"]) == ("done", 2, 1, 1)
    assert Assignment.objects.count() == 2
    assert api.get(answer["Location"].partition("testserver")[2]).json()["state"] == "done"


def test_refused_rows_stream_as_ndjson(api, project):
    run = bring(project, csv("nonsense,,", "also\n nonsense,,"))
    answer = api.get(f"/api/v1/projects/pages/imports/{run.pk}/refused/")
    rows = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert answer["Content-Type"] == "application/x-ndjson"
    assert rows[0].keys() == {"line", "reason", "raw"}


def test_what_was_said_otherwise_than_known_is_noted(api, project):
    bring(project, csv("https://a.example/,17", header="url,external_id"))
    run = bring(project, csv("https://a.example/,18", header="url,external_id"))
    report = api.get(f"/api/v1/projects/pages/imports/{run.pk}/").json()
    sentence = "This page is known with another external_id (“17”); what was known is kept."
    assert (report["rows_noted"], report["notes"]) == (1, [{"line": 2, "note": sentence}])


def test_a_body_packed_with_gzip_is_unpacked(api):
    answer = post(api, gzip.compress(ONE), **{"Content-Encoding": "gzip"})
    jobs.run(answer.json()["id"])
    assert Item.objects.count() == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data", "text/html"])
def test_other_content_types_are_415(api, content_type):
    assert post(api, ONE, content_type=content_type).status_code == 415


def test_an_unknown_content_encoding_is_415(api):
    assert post(api, ONE, **{"Content-Encoding": "br"}).status_code == 415


@pytest.mark.parametrize("query", ["?queue=perhaps", "?assume_scheme=ftp", "?colour=blue"])
def test_a_query_it_does_not_know_is_400(api, query):
    assert post(api, ONE, query=query).status_code == 400


def test_what_is_no_list_is_422_with_a_sentence(api):
    answer = post(api, b"PK\x03\x04")
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert "ZIP archive" in answer.json()["detail"]


def test_a_file_larger_than_allowed_is_413(api, settings):
    settings.IMPORT_MAX_BYTES = 10
    assert post(api, ONE).status_code == 413


def test_the_same_key_sent_twice_is_one_import(api):
    first = post(api, ONE, **{"Idempotency-Key": "k1"})
    second = post(api, ONE, **{"Idempotency-Key": "k1"})
    assert second["Idempotency-Replayed"] == "true"
    assert first.json()["id"] == second.json()["id"]
    assert Import.objects.count() == 1


def test_annotators_do_not_import_and_strangers_see_no_project(project):
    client = APIClient()
    client.force_login(make_member(project, "annotator"))
    assert post(client, ONE).status_code == 403
    client.force_login(make_member(make_project(), "manager"))
    assert post(client, ONE).status_code == 404


def test_existing_answers_are_posted_the_same_way(api, project):
    bring(project, ONE)
    rows = csv("https://a.example/,w1,news", header="url,annotator,yes")
    answer = api.generic("POST", "/api/v1/projects/pages/judgments/import/", rows, "text/csv")
    jobs.run(answer.json()["id"])
    report = api.get(f"/api/v1/projects/pages/imports/{answer.json()['id']}/").json()
    assert (answer.status_code, report["rows_created"]) == (202, 1)


# ---- page -----------------------------------------------------------------------------------------------------------
def test_a_pasted_list_leads_to_its_report(client, project):
    client.force_login(make_member(project, "manager"))
    answer = client.post(
        "/p/pages/items/import/", {"pasted": "a.example\nnonsense", "assume_scheme": "on"}, follow=True
    )
    assert "Waiting for a worker" in answer.content.decode()
    run = Import.objects.get()
    jobs.run(run.pk)
    report = client.get(f"/p/pages/imports/{run.pk}/").content.decode()
    assert "2 rows read: 1 new, 0 known, 1 refused" in report
    assert "The address does not start with http:// or https://." in report


def test_an_uploaded_file_keeps_its_name_as_text_only(client, project):
    client.force_login(make_member(project, "manager"))
    file = SimpleUploadedFile("../../<b>pages.csv", ONE)
    client.post("/p/pages/items/import/", {"file": file})
    run = Import.objects.get()
    assert run.filename == "<b>pages.csv"
    assert run.stored_name.isalnum()
    assert "&lt;b&gt;pages.csv" in client.get(f"/p/pages/imports/{run.pk}/").content.decode()


def test_neither_file_nor_list_is_said_at_the_form(client, project):
    client.force_login(make_member(project, "manager"))
    answer = client.post("/p/pages/items/import/", {})
    assert answer.status_code == 422
    assert "Choose a file or paste a list" in answer.content.decode()


def test_a_file_that_is_no_list_is_said_at_the_form(client, project):
    client.force_login(make_member(project, "manager"))
    answer = client.post("/p/pages/items/import/", {"file": SimpleUploadedFile("a.csv", b"PK\x03\x04")})
    assert answer.status_code == 422
    assert "ZIP archive" in answer.content.decode()


def test_the_csv_of_refused_rows_runs_in_no_spreadsheet(client, project):
    client.force_login(make_member(project, "manager"))
    run = bring(project, b'url\n=HYPERLINK("http://evil")\n@sum\n')
    answer = client.get(f"/p/pages/imports/{run.pk}/refused.csv")
    cells = b"".join(answer.streaming_content).decode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert ",=" not in cells
    assert ",'@sum" in cells


def test_the_report_shows_what_was_said_otherwise_than_known(client, project):
    client.force_login(make_member(project, "manager"))
    bring(project, csv("https://a.example/,17", header="url,external_id"))
    run = bring(project, csv("https://a.example/,<b>18", header="url,external_id"))
    report = client.get(f"/p/pages/imports/{run.pk}/").content.decode()
    assert "This page is known with another external_id (“17”); what was known is kept." in report


def test_an_import_of_another_project_is_not_found(client, project):
    client.force_login(make_member(project, "manager"))
    run = bring(make_project(), ONE)
    assert client.get(f"/p/pages/imports/{run.pk}/").status_code == 404


# ---- commands -------------------------------------------------------------------------------------------------------
def test_the_command_imports_without_a_worker_and_says_what_it_did(project, tmp_path):
    file = tmp_path / "pages.csv"
    file.write_bytes(csv("https://a.example/,A,one", "nonsense,,"))
    said = StringIO()
    call_command("import_items", "pages", str(file), "--queue", stdout=said)
    assert "2 rows read: 1 new, 0 known, 1 refused." in said.getvalue()
    assert "line 3: The address does not start with http:// or https://." in said.getvalue()
    assert Assignment.objects.count() == 2


def test_the_command_reports_in_json(project, tmp_path):
    file = tmp_path / "pages.csv"
    file.write_bytes(ONE)
    said = StringIO()
    call_command("import_items", "pages", str(file), "--json", stdout=said)
    assert json.loads(said.getvalue())["rows_created"] == 1


@pytest.mark.parametrize(
    ("slug", "content", "sentence"),
    [
        ("nowhere", ONE, "There is no project “nowhere”."),
        ("pages", b"PK\x03\x04", "ZIP archive"),
        ("pages", b"title\nA\n", "no column"),
        ("pages", None, "cannot be read"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_sentence(project, tmp_path, slug, content, sentence):
    file = tmp_path / "pages.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        call_command("import_items", slug, str(file))


def test_answers_are_imported_by_command(project, tmp_path):
    bring(project, ONE)
    file = tmp_path / "answers.ndjson"
    file.write_text('{"url": "https://a.example/", "annotator": "w1", "yes": ["news"]}\n')
    call_command("import_judgments", "pages", str(file), stdout=StringIO())
    assert Job.objects.get(kind="judgment_import").result["rows_created"] == 1
