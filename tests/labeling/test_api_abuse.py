"""Every record of the list of abuses of an API, by its class; a class nobody looks for here is a failure."""

import base64

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from labeling.models import Project
from tests.corpora import records
from tests.corpora.bad_inputs.oracles import header_split
from tests.factories import make_item, make_member, make_project
from tests.full_house import named_patterns
from tests.labeling.intake.files import bring, csv

pytestmark = pytest.mark.django_db
RECORDS = {record["id"]: record for record in records("api_abuse.jsonl")}
PROJECTS = "/api/v1/projects/"


@pytest.fixture
def project() -> Project:
    project = make_project("pages")
    make_item(project)
    return project


@pytest.fixture
def api(project) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(make_member(project, "manager", name="nia", is_superuser=True))
    return client


def lists(api: APIClient) -> list[str]:
    """The address of every paged list of the API."""
    kwargs = {name: {"slug": "pages"} if list(entry.pattern.converters) == ["slug"] else {}
              for name, entry in named_patterns()
              if name.startswith("api:") and set(entry.pattern.converters) <= {"slug"}}  # fmt: skip
    paths = [reverse(name, kwargs=values) for name, values in kwargs.items()]
    found = [path for path in paths if {"results", "next"} <= content_of(api.get(path)).keys()]
    assert len(found) >= 6
    return found


def content_of(answer) -> dict:
    is_json = answer.headers.get("Content-Type", "") == "application/json" and answer.status_code == 200
    return answer.json() if is_json else {}


def is_problem(answer, status: int) -> bool:
    return (
        answer.status_code == status
        and answer["Content-Type"] == "application/problem+json"
        and bool(answer.json()["detail"])
    )


# ---- one check a class ----------------------------------------------------------------------------------------------
def refused_by_every_list(api, record):
    name, mark, value = record["value"].partition("=")
    query = {name: value} if mark else {record["where"]: record["value"]}
    assert [path for path in lists(api) if not is_problem(api.get(path, query), 400)] == []


def refused_page(api, record):
    query = {record["where"]: record["value"]}
    assert [path for path in lists(api) if not is_problem(api.get(path, query), 400)] == []


def changes_nothing(api, record):
    before = Project.objects.values().get()
    api.generic("PATCH", f"{PROJECTS}pages/", record["value"], "application/json")
    assert Project.objects.values().get() == before


def unsupported(api, record):
    assert is_problem(api.generic("POST", PROJECTS, "{}", record["value"]), 415)


def malformed(api, record):
    assert is_problem(api.generic("POST", PROJECTS, record["value"], "application/json"), 400)


def stays_here(api, record):
    api.logout()
    sent = {"username": "nia", "password": "correct horse battery", "next": record["value"]}
    assert api.post("/accounts/login/", sent, format="multipart")["Location"] == "/"


def is_only_a_name(api, record):
    """As the name of a project, of an import, and of a file of a release."""
    api.patch(f"{PROJECTS}pages/", {"name": record["value"]})
    run = bring(Project.objects.get(), csv("nonsense,,"), filename=record["value"])
    for path in (
        f"/p/pages/imports/{run.pk}/refused.csv",
        f"/p/pages/imports/{run.pk}/",
        "/p/pages/agreement/labels.csv",
    ):
        answer = api.get(path)
        assert (answer.status_code, header_split(answer.headers.items())) == (200, [])
        assert "passwd" not in answer.headers.get("Content-Disposition", "")
    path = reverse(
        "api:release_file", kwargs={"slug": "pages", "version": "1.0.0", "name": record["value"].replace("\r\n", "")}
    )
    assert api.get(path).status_code == 404


def is_not_obeyed(api, record):
    name, _, value = record["value"].partition(": ")
    assert is_problem(api.post(f"{PROJECTS}pages/", {}, headers={name: value}), 405)
    assert Project.objects.count() == 1


def is_not_ours(api, record):
    name, _, value = record["value"].partition(": ")
    assert is_problem(api.get(PROJECTS, headers={name: value}), 400)


def has_one_meaning(api, record):
    key = {"Idempotency-Key": "k1"}
    assert api.post("/api/v1/tokens/", {"name": "a", "scopes": ["read"]}, headers=key).status_code == 201
    assert is_problem(api.post("/api/v1/tokens/", {"name": "b", "scopes": ["read"]}, headers=key), 422)


CHECKS = {
    "orm_leak": refused_by_every_list, "q_injection": refused_by_every_list, "pagination": refused_page,
    "mass_assignment": changes_nothing, "content_type": unsupported, "json": malformed, "open_redirect": stays_here,
    "path": is_only_a_name, "header": is_only_a_name, "method": is_not_obeyed, "host": is_not_ours,
    "idempotency": has_one_meaning,
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_an_abuse_of_the_api_has_no_effect(api, name):
    CHECKS[RECORDS[name]["cls"]](api, RECORDS[name])


@pytest.mark.parametrize("value", ["-1", "0", "1.5", "1e3", "NaN", "1001", "9" * 400, "１", "", "page"])
def test_a_size_of_a_page_nobody_could_mean_is_400(api, value):
    assert [path for path in lists(api) if not is_problem(api.get(path, {"page_size": value}), 400)] == []


# ---- bodies that are no JSON, or barely -----------------------------------------------------------------------------
# Without the empty body, which is none: a call may have no body.
SUITE = [record for record in records("third_party/json_test_suite.jsonl") if record.get("b64")]
CLEAR = ("accept", "reject")
NO_OBJECT = "The body must be a JSON object."
# RFC 8259 lets a reader refuse these: a repeated key has no one value, and the database holds no U+0000.
REFUSED_ON_PURPOSE = (
    "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json",
    "y_string_null_escape.json",
)  # fmt: skip


def test_an_endpoint_reads_json_as_the_json_test_suite_wants_it(api):
    """What is JSON but no object, or an object without the fields of a project, is told apart from what is no JSON."""
    wrong = []
    for record in SUITE:
        answer = api.generic("POST", PROJECTS, base64.b64decode(record["b64"]), "application/json")
        is_read = answer.status_code == 422 or NO_OBJECT in answer.json().get("detail", "")
        is_wanted = record["verdict"] == "accept" and not record["name"].endswith(REFUSED_ON_PURPOSE)
        if answer.status_code not in {400, 422} or (record["verdict"] in CLEAR and is_read != is_wanted):
            wrong.append((record["name"], answer.status_code, answer.json().get("detail")))
    assert wrong == []
    assert Project.objects.count() == 1
