"""Lists of others' payloads: paths that climb, lines that split headers, addresses that lead away. None works."""

import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
from django.test import Client

from labeling import imports, storage
from tests.corpora import BAD_INPUTS
from tests.corpora.bad_inputs.oracles import header_split
from tests.factories import make_member, make_project, make_user
from tests.labeling.intake.files import csv

pytestmark = pytest.mark.django_db
ORIGIN = "http://testserver/"
PASSWORD = "correct horse battery"
OF_A_SYSTEM = (b"root:", b"[fonts]", b"SECRET_KEY", b"DJANGO_SETTINGS")


def payloads(name: str) -> list[str]:
    return (BAD_INPUTS / "third_party" / f"patt_{name}.txt").read_text("utf-8").splitlines()


CLIMBING, SPLITTING, LEADING_AWAY = (payloads(name) for name in ("directory_traversal", "crlf", "open_redirect"))


@pytest.fixture
def project():
    return make_project("pages")


@pytest.fixture
def manager(project) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_member(project, "manager"))
    return client


def get(client: Client, path: str, query: str = ""):
    """Ask as a server hands it on: the path decoded once, the query as it stood, both as bytes in Latin-1."""
    as_bytes = {"PATH_INFO": unquote_to_bytes(path), "QUERY_STRING": query.encode()}
    return client.get("/", **{name: value.decode("latin-1") for name, value in as_bytes.items()})


def leads_away(answer) -> bool:
    """Whether a browser would leave the site for where the answer sends it; it drops blanks and takes \\ for /."""
    where = re.sub(r"[\t\r\n]", "", answer.headers.get("Location", "/").strip()).replace("\\", "/")
    has_scheme = re.match(r"[a-z][a-z0-9+.-]*:", where, re.IGNORECASE)
    return where.startswith("//") or bool(has_scheme and not where.startswith(ORIGIN))


@pytest.mark.parametrize("prefix", ["/", "/static/", "/api/v1/projects/pages/releases/1.0.0/files/", "/admin/"])
def test_no_path_climbs_out_of_its_folder(manager, prefix):
    wrong = []
    for payload in CLIMBING:
        for path in (prefix + payload, prefix + quote(payload, safe="")):
            answer = get(manager, path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if answer.status_code not in {301, 302, 400, 403, 404} or any(words in body for words in OF_A_SYSTEM):
                wrong.append((path, answer.status_code))
            if leads_away(answer) or header_split(answer.headers.items()):
                wrong.append((path, dict(answer.headers)))
    assert wrong == []


def test_no_file_name_climbs_out_of_the_folder_of_uploads(project, settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"
    for payload in CLIMBING + SPLITTING:
        run = imports.start(project, by=None, chunks=[csv("https://a.example/,,")], filename=f"{payload}.csv")
        assert not {"/", "\\", "\r", "\n"} & set(run.filename)
        assert (storage.folder() / run.stored_name).is_file()
    assert {path.parent for path in Path(tmp_path).rglob("*") if path.is_file()} == {storage.folder()}


@pytest.mark.parametrize(
    "where", ["/{}", "/p/pages/items/{}", "/?q={}", "/p/pages/items/?q={}", "/accounts/login/?next={}"]
)
def test_no_line_end_splits_a_header(manager, client, where):
    wrong = []
    for payload in SPLITTING + LEADING_AWAY:
        for person in (manager, client):
            path, _, query = where.format(payload).partition("?")
            answer = get(person, path, query)
            is_set = "crlf" in answer.cookies
            if answer.status_code >= 500 or is_set or header_split(answer.headers.items()) or leads_away(answer):
                wrong.append((path, query, answer.status_code, dict(answer.headers)))
    assert wrong == []


def test_no_login_leads_away(client):
    make_user("nia")
    wrong = []
    for payload in LEADING_AWAY + SPLITTING:
        for target in {payload, unquote_to_bytes(payload).decode("utf-8", "replace")}:
            answer = client.post("/accounts/login/", {"username": "nia", "password": PASSWORD, "next": target})
            if answer.status_code not in {302, 400} or leads_away(answer) or header_split(answer.headers.items()):
                wrong.append((target, answer.status_code, answer.headers.get("Location")))
    assert wrong == []


def test_the_judge_of_this_page_knows_what_leads_away():
    class Answer:
        def __init__(self, where):
            self.headers = {"Location": where}

    assert all(leads_away(Answer(where)) for where in ("//evil.example", "/\t\\evil.example", "https:evil.example/"))
    assert not any(leads_away(Answer(where)) for where in ("/p/", "x", "?q=//evil.example", "/%2f%2fevil.example"))
