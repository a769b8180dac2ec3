"""What is turned away before any view: U+0000 by any door, bodies larger than a page takes, what cannot be read."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from labeling.models import Import
from tests.factories import make_member, make_project

pytestmark = pytest.mark.django_db
SENTENCE = "holds a null character (U+0000)"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
MEBIBYTE = 1 << 20


@pytest.fixture
def project():
    return make_project("pages")


@pytest.fixture
def operator(project) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_member(project, "manager", name="operator", is_superuser=True, is_staff=True))
    return client


def routes(patterns=None, before: str = "/") -> Iterator[str]:
    """Every address of the product, its parameters in angle brackets."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        elif "^" not in route:  # one catch-all of the administration is an expression
            yield route


def filled(route: str, values: dict[str, str]) -> str:
    samples = {"slug": "pages", "public_id": "0" * 32, "job_id": "00000000-0000-4000-8000-000000000000"} | values
    return PARAMETER.sub(lambda found: samples.get(found[1], "1"), route)


def turned_away(answer) -> bool:
    kind = "application/problem+json" if answer.request["PATH_INFO"].startswith("/api/") else "text/html"
    is_said = SENTENCE in answer.content.decode()
    return answer.status_code == 400 and answer["Content-Type"].startswith(kind) and is_said


def test_a_null_in_any_part_of_any_address_is_400(operator):
    let_in = [
        path
        for route in routes()
        for name in PARAMETER.findall(route)
        if not turned_away(operator.get(path := filled(route, {name: "a%00b"})))
    ]
    assert let_in == []


def test_a_null_in_any_query_is_400(operator):
    paths = [f"{filled(route, {})}?{query}" for route in routes() for query in ("q=%00", "%00=q", "q=a&q=%00")]
    assert [path for path in paths if not turned_away(operator.get(path))] == []
    assert len(paths) > 300


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=here"])
def test_a_null_in_any_form_is_400(operator, form):
    body = "note=%00"
    if form.startswith("multipart"):
        body = '--here\r\nContent-Disposition: form-data; name="note"\r\n\r\n\x00\r\n--here--\r\n'
    judged_by_row = "/p/<slug:slug>/items/import/"  # tests/labeling/intake/test_every_door.py
    paths = [filled(route, {}) for route in routes() if not route.startswith("/api/") and route != judged_by_row]
    assert [path for path in paths if not turned_away(operator.post(path, body, content_type=form))] == []


def test_a_null_in_a_cookie_is_400(client):
    client.cookies["sessionid"] = '"' + r"\000" * 10 + '"'
    client.cookies["sessionid"].set("sessionid", "\x00" * 10, '"' + r"\000" * 10 + '"')
    assert turned_away(client.get("/"))


def test_what_is_turned_away_has_the_headers_of_every_answer(operator):
    answer = operator.get("/?q=%00")
    assert answer["Cache-Control"] == "no-store"
    assert {"X-Frame-Options", "Permissions-Policy", "Content-Security-Policy"} <= set(answer.headers)


@pytest.mark.parametrize("word", ["items", "adjudicate"])
@pytest.mark.parametrize("name", ["x", "0" * 31, "0" * 33, "G" * 32, "ABCDEF" + "0" * 26])
def test_what_is_no_id_of_an_item_is_not_found(operator, word, name):
    assert operator.get(f"/p/pages/{word}/{name}/").status_code == 404
    assert operator.get(f"/api/v1/projects/pages/items/{name}/").status_code == 404


# ---- sizes ----------------------------------------------------------------------------------------------------------
def paste(client: Client, size: int):
    line = "https://example.org/a/rather/long/path/of/a/page\n"
    return client.post("/p/pages/items/import/", {"pasted": line * (size // len(line))})


def test_a_pasted_list_of_several_mebibytes_is_taken(operator):
    assert paste(operator, 3 * MEBIBYTE).status_code == 302
    assert Import.objects.get().size_bytes > 3 * MEBIBYTE


def test_a_longer_one_is_413_and_says_what_to_do_instead(operator):
    assert "10 MiB at most" in operator.get("/p/pages/items/import/").content.decode()
    answer = paste(operator, 11 * MEBIBYTE)
    assert answer.status_code == 413
    assert "at most 10 MiB together; send a file instead." in answer.content.decode()
    assert not Import.objects.exists()


def test_other_pages_take_a_mebibyte(operator):
    answer = operator.post("/p/pages/settings/", {"description": "x" * MEBIBYTE})
    assert answer.status_code == 413
    assert "1,048,576 bytes" in answer.content.decode()


def test_a_file_larger_than_an_import_may_be_is_turned_away_unread(operator, settings):
    settings.IMPORT_MAX_BYTES = 1_000
    answer = paste(operator, 2_000)
    assert answer.status_code == 413
    assert "1,000 bytes" in answer.content.decode()


def test_strangers_send_no_files(client, project):
    assert paste(client, 2 * MEBIBYTE).status_code == 413


def test_very_many_fields_are_400_in_a_sentence(operator):
    answer = operator.post("/p/pages/settings/", {f"f{n}": "" for n in range(10_000)})
    assert answer.status_code == 400
    assert "at most 2,000 fields" in answer.content.decode()


def test_a_host_that_is_not_ours_is_400_and_not_named(operator):
    for path in ("/", "/api/v1/projects/"):
        answer = operator.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert b"evil.example" not in answer.content


def test_a_null_in_the_name_of_a_static_file_is_400(operator):
    assert turned_away(operator.get("/static/touchstone/%00.css"))
