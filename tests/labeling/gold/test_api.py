"""Samples, releases and judgments over REST."""

import base64
import csv
import hashlib
import io
import json

import pytest
from rest_framework.test import APIClient

from labeling import jobs, released
from labeling.api.downloads import Span, Unsatisfiable, asked_range
from labeling.models import Event, Job
from tests.factories import make_item, make_judgment, make_member
from tests.labeling.gold.work import annotators, answer_all, draw, freeze, make_gold_project, ready_project

pytestmark = pytest.mark.django_db


def client_of(project, role):
    client = APIClient()
    client.force_login(make_member(project, role))
    return client


def url(project, rest):
    return f"/api/v1/projects/{project.slug}/{rest}"


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


# ---- samples --------------------------------------------------------------------------------------------------------
def test_a_sample_is_drawn_by_a_job_whose_result_is_the_stored_record():
    project = make_gold_project(n_items=8)
    client = client_of(project, "manager")
    response = client.post(url(project, "samples/"), {"size": 4, "seed": "spring", "overlap": 3})
    assert response.status_code == 202
    assert jobs.run(response.json()["id"]) == "done"
    result = client.get(response.json()["url"]).json()["result"]
    sample = client.get(url(project, f"samples/{result['sample']}/")).json()
    assert (sample["id"], sample["size"], sample["frame_size"], sample["seed"]) == (1, 4, 8, "spring")
    assert (sample["probability"], sample["probability_fraction"], sample["overlap"]) == ("0.5", "4/8", 3)
    assert (sample["n_waiting"], sample["n_disputed"], sample["n_settled"]) == (4, 0, 0)
    assert [row["id"] for row in client.get(url(project, "samples/")).json()["results"]] == [1]


def test_the_probabilities_come_as_one_line_a_page():
    project = make_gold_project(n_items=8)
    draw(project, size=4)
    response = client_of(project, "manager").get(url(project, "samples/1/probabilities/"))
    rows = [json.loads(line) for line in body(response).splitlines()]
    assert response["Content-Type"] == "application/x-ndjson"
    assert (len(rows), sum(row["drawn"] for row in rows)) == (8, 4)


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [({}, "/size"), ({"size": 0}, "/size"), ({"size": 9}, "/size"), ({"size": "many"}, "/size"),
     ({"size": 2, "floor": 0.5}, "/floor"), ({"size": 2, "risk_weights": {"games": 2}}, "/risk_weights"),
     ({"size": 2, "score_run": 1}, "/score_run"), ({"size": 2, "overlap": 99}, "/overlap"),
     ({"size": 2, "seed": "s" * 65}, "/seed"), ({"size": 2, "seed": ["a"]}, "/seed")],
)  # fmt: skip
def test_a_sample_that_cannot_be_drawn_is_422_and_says_where(sent, pointer):
    project = make_gold_project(n_items=8)
    response = client_of(project, "manager").post(url(project, "samples/"), sent)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Job.objects.exists()


def test_a_floor_of_1_is_the_uniform_sample_it_names():
    project = make_gold_project()
    response = client_of(project, "manager").post(url(project, "samples/"), {"size": 2, "floor": 1, "seed": 7})
    assert (response.status_code, Job.objects.get().params["seed"]) == (202, "7")


@pytest.mark.parametrize("role", ["viewer", "annotator", "adjudicator"])
def test_only_managers_see_and_draw_samples(role):
    project = make_gold_project()
    client = client_of(project, role)
    assert client.get(url(project, "samples/")).status_code == 403
    assert client.post(url(project, "samples/"), {"size": 2}).status_code == 403


# ---- freezing -------------------------------------------------------------------------------------------------------
def test_a_release_is_frozen_by_a_job():
    project = ready_project()
    client = client_of(project, "manager")
    response = client.post(url(project, "releases/"), {"notes": "First."})
    assert response.status_code == 202
    assert jobs.run(response.json()["id"]) == "done"
    release = client.get(url(project, "releases/1.0.0/")).json()
    assert (release["version"], release["n_items"], release["parent"]) == ("1.0.0", 4, None)
    assert "draws/1.json" in {file["name"] for file in release["files"]}
    assert [row["version"] for row in client.get(url(project, "releases/")).json()["results"]] == ["1.0.0"]


def test_what_is_open_is_409_at_once_with_the_counts():
    project = make_gold_project()
    draw(project, size=4)
    response = client_of(project, "manager").post(url(project, "releases/"), {})
    assert (response.status_code, response.json()["waiting"]) == (409, 4)
    assert "4 of 4 pages still wait for an answer" in response.json()["detail"]
    assert not Job.objects.exists()


def test_freezing_again_without_a_change_is_409_at_once():
    project = ready_project()
    freeze(project)
    response = client_of(project, "manager").post(url(project, "releases/"), {})
    assert response.status_code == 409
    assert response.json()["detail"].startswith("Nothing changed since version 1.0.0")


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [({"bump": "huge"}, "/bump"), ({"samples": [9]}, "/samples"), ({"samples": []}, "/samples"),
     ({"accepted_by": {"games": "most"}}, "/accepted_by/games"), ({"accepted_by": {"chess": "unanimous"}},
     "/accepted_by/chess"), ({"notes": "n" * 10_001}, "/notes")],
)  # fmt: skip
def test_a_freeze_that_cannot_be_understood_is_422(sent, pointer):
    response = client_of(project := ready_project(), "manager").post(url(project, "releases/"), sent)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_two_releases_are_compared_whichever_is_named_first():
    project = ready_project(n_items=8, size=3)
    freeze(project)
    draw(project, size=5)
    answer_all(project, *annotators(project))
    freeze(project)
    client = client_of(project, "viewer")
    diff = client.get(url(project, "releases/1.1.0/diff/1.0.0/")).json()
    assert (diff["older"], diff["newer"], len(diff["added"]), diff["changed"]) == ("1.0.0", "1.1.0", 2, [])
    assert client.get(url(project, "releases/1.0.0/diff/9.0.0/")).status_code == 404


# ---- downloading ----------------------------------------------------------------------------------------------------
@pytest.fixture
def gold():
    """A released project, a viewer of it, the bytes of data.jsonl and where they are."""
    project = ready_project()
    release = freeze(project)
    return (
        client_of(project, "viewer"), url(project, "releases/1.0.0/files/data.jsonl"),
        released.read_file(release, "data.jsonl"),
    )  # fmt: skip


def test_a_file_comes_whole_with_its_hash_in_every_form(gold):
    client, where, data = gold
    response = client.get(where)
    sha256 = hashlib.sha256(data)
    digest = base64.b64encode(sha256.digest()).decode()
    assert body(response) == data
    assert response["ETag"] == f'"{sha256.hexdigest()}"'
    assert response["Digest"] == f"sha-256={digest}"
    assert response["Repr-Digest"] == f"sha-256=:{digest}:"
    assert response["Content-Length"] == str(len(data))
    assert response["Accept-Ranges"] == "bytes"


def test_a_browser_saves_the_file_and_runs_nothing_of_it(gold):
    client, where, _ = gold
    response = client.get(where)
    assert response["Content-Disposition"].startswith('attachment; filename="project-')
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize(
    ("header", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=10-", slice(10, None)), ("bytes=-5", slice(-5, None)),
     ("bytes=5-999999999", slice(5, None)), ("bytes=-999999999", slice(0, None))],
)  # fmt: skip
def test_a_range_is_206_with_those_bytes(gold, header, part):
    client, where, data = gold
    response = client.get(where, headers={"Range": header})
    first = part.indices(len(data))[0]
    assert response.status_code == 206
    assert body(response) == data[part]
    assert response["Content-Range"] == f"bytes {first}-{first + len(data[part]) - 1}/{len(data)}"


def test_a_download_cut_in_two_is_the_whole(gold):
    client, where, data = gold
    etag = client.head(where)["ETag"]
    start = body(client.get(where, headers={"Range": "bytes=0-99"}))
    rest = client.get(where, headers={"Range": "bytes=100-", "If-Range": etag})
    assert (rest.status_code, start + body(rest)) == (206, data)


def test_if_range_of_another_version_sends_the_whole(gold):
    client, where, data = gold
    response = client.get(where, headers={"Range": "bytes=100-", "If-Range": '"another"'})
    assert (response.status_code, body(response)) == (200, data)


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes", "bytes=a-b"])
def test_a_range_that_says_nothing_is_left_aside(gold, header):
    client, where, data = gold
    response = client.get(where, headers={"Range": header})
    assert (response.status_code, body(response)) == (200, data)


@pytest.mark.parametrize("header", ["bytes=999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416(gold, header):
    client, where, data = gold
    response = client.get(where, headers={"Range": header})
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(data)}")


def test_who_has_the_bytes_gets_304(gold):
    client, where, _ = gold
    etag = client.head(where)["ETag"]
    assert client.get(where, headers={"If-None-Match": f'"x", {etag}'}).status_code == 304


def test_head_sends_the_headers_alone(gold):
    client, where, data = gold
    response = client.head(where)
    assert (response.status_code, body(response), response["Content-Length"]) == (200, b"", str(len(data)))


def test_each_download_is_in_the_audit_trail(gold):
    client, where, _ = gold
    body(client.get(where))
    body(client.get(where, headers={"Range": "bytes=0-9"}))
    client.head(where)
    told = Event.objects.filter(kind="release.downloaded").order_by("id")
    assert [(event.data["file"], event.data["range"] is None) for event in told] == [
        ("data.jsonl", True), ("data.jsonl", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "data.jsonl/", "draws/../data.jsonl",
     "DATA.JSONL", "%2e%2e/manifest.json", "data.jsonl.bak", "x%0d%0aX-A:%20b"],
)  # fmt: skip
def test_only_names_of_the_release_lead_to_a_file(gold, name):
    client, where, _ = gold
    response = client.get(where.removesuffix("data.jsonl") + name)
    assert response.status_code == 404
    assert "X-A" not in response.headers


def test_files_in_folders_keep_their_path(gold):
    client, where, _ = gold
    response = client.get(where.replace("data.jsonl", "draws/1.json"))
    assert json.loads(body(response))["design"] == "uniform"
    assert "draws-1.json" in response["Content-Disposition"]


@pytest.mark.parametrize("version", ["1.0", "01.0.0", "9.9.9", "latest", "1.0.0-x", "1e3.0.0", "9" * 30 + ".0.0"])
def test_a_version_that_is_none_is_404(gold, version):
    client, where, _ = gold
    assert client.get(where.replace("1.0.0", version)).status_code == 404


def test_annotators_cannot_download_gold():
    project = ready_project()
    freeze(project)
    client = client_of(project, "annotator")
    assert client.get(url(project, "releases/1.0.0/files/data.jsonl")).status_code == 403
    assert client_of(make_gold_project(), "manager").get(url(project, "releases/1.0.0/")).status_code == 404


def test_an_empty_file_has_no_satisfiable_range():
    assert asked_range("bytes=0-", size_bytes=10) == Span(0, 9)
    with pytest.raises(Unsatisfiable):
        asked_range("bytes=0-", size_bytes=0)


# ---- judgments ------------------------------------------------------------------------------------------------------
def judged_project():
    project = make_gold_project(n_items=0)
    item = make_item(project, "https://shop.example.org/?q=1")
    person = make_member(project, "annotator", name="alice")
    make_judgment(item, person, yes=["games"], note='=HYPERLINK("http://evil.example","click")')
    make_judgment(item, "w7")
    return project


def test_judgments_are_paged_under_pseudonyms():
    project = judged_project()
    response = client_of(project, "manager").get(url(project, "judgments/?page_size=1"))
    (row,) = response.json()["results"]
    assert (row["annotator"], row["none"], row["stream"]) == ("w7", True, "import")
    assert response.json()["next"]
    assert "alice" not in client_of(project, "manager").get(url(project, "judgments/")).content.decode()


def test_a_manager_may_ask_who_answered_and_an_adjudicator_may_not():
    project = judged_project()
    answer = client_of(project, "manager").get(url(project, "judgments/?identify=true")).json()
    assert {row["annotator"] for row in answer["results"]} == {"alice", "w7"}
    assert client_of(project, "adjudicator").get(url(project, "judgments/?identify=true")).status_code == 403


def test_all_judgments_stream_as_ndjson():
    project = judged_project()
    response = client_of(project, "manager").get(url(project, "judgments/"), headers={"Accept": "application/x-ndjson"})
    rows = [json.loads(line) for line in body(response).splitlines()]
    assert response["Content-Type"] == "application/x-ndjson"
    assert [row["yes"] for row in rows] == [["games"], []]
    assert rows[0]["url"] == "https://shop.example.org/?q=1"


def csv_of(project, query=""):
    response = client_of(project, "manager").get(url(project, f"judgments/{query}"), headers={"Accept": "text/csv"})
    assert response["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(body(response).decode())))


def test_a_spreadsheet_runs_nothing_of_the_csv_unless_it_is_raw():
    project = judged_project()
    assert csv_of(project)[0]["note"].startswith("'=HYPERLINK")
    assert csv_of(project, "?raw=true")[0]["note"].startswith("=HYPERLINK")
    assert csv_of(project)[0]["asked"] == "games|news|self_harm"


def test_who_answers_in_the_project_stays_blind_until_a_page_is_done():
    project = make_gold_project()
    draw(project, size=2)
    alice, bob = annotators(project)
    answer_all(project, alice)
    blind = make_member(project, "manager", "annotator")
    client = APIClient()
    client.force_login(blind)
    assert client.get(url(project, "judgments/")).json()["results"] == []
    assert client_of(project, "adjudicator").get(url(project, "judgments/")).json()["results"] == []
    assert len(client_of(project, "manager").get(url(project, "judgments/")).json()["results"]) == 2
    answer_all(project, bob)
    assert len(client.get(url(project, "judgments/")).json()["results"]) == 4


def test_a_type_that_judgments_do_not_come_in_is_406():
    project = judged_project()
    response = client_of(project, "manager").get(url(project, "judgments/"), headers={"Accept": "image/png"})
    assert response.status_code == 406


def test_a_release_as_csv_has_a_column_a_label():
    project = ready_project()
    freeze(project)
    response = client_of(project, "viewer").get(url(project, "releases/1.0.0/csv/"))
    rows = list(csv.DictReader(io.StringIO(body(response).decode())))
    assert len(rows) == 4
    assert {row["news"] for row in rows} == {"no"}
    assert {row["probability"] for row in rows} == {"0.66666666666666667"}
