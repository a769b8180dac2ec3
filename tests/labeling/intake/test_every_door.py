"""Every address of the public corpus by every door: taken as a browser reads it, or refused at its line."""

import csv
import io
import json

import pytest
from django.test import Client

from labeling import jobs
from labeling.models import Import, Item, Project
from tests.corpora import records
from tests.factories import make_member, make_project
from tests.labeling.intake.files import bring, counts

pytestmark = pytest.mark.django_db
MEMBERS = records("urls.jsonl")
CONTROL = {
    "id": "control",
    "input": "https://control.example/",
    "verdict": "accept",
    "whatwg_key": "https://control.example/",
}


def as_csv(members: list[dict]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [["url"], *([row["input"]] for row in members)]
    )
    return text.getvalue().encode(errors="surrogatepass")


def as_ndjson(members: list[dict]) -> bytes:
    return b"".join(json.dumps({"url": row["input"]}).encode() + b"\n" for row in members)


def client_of(project: Project) -> Client:
    client = Client()
    client.force_login(make_member(project, "manager"))
    return client


def by_api(project: Project, content: bytes, content_type: str) -> Import:
    answer = client_of(project).post(f"/api/v1/projects/{project.slug}/imports/", content, content_type)
    assert answer.status_code == 202, answer.content
    return done(answer.json()["id"])


def by_form(project: Project, members: list[dict]) -> Import:
    """As a browser sends it: lines end in CR LF, and half a character has become U+FFFD."""
    text = "\r\n".join(row["input"] for row in members).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    answer = client_of(project).post(f"/p/{project.slug}/items/import/", {"pasted": text})
    assert answer.status_code == 302, answer.content
    return done(answer["Location"].split("/")[-2])


def done(job_id: str) -> Import:
    jobs.run(job_id)
    return Import.objects.select_related("job").get(pk=job_id)


def lines_of(members: list[dict], *, first: int) -> list[int]:
    """The line on which each member starts, in a file where its own line ends stand as they are."""
    lines = []
    for row in members:
        lines.append(first)
        first += 1 + row["input"].count("\n")
    return lines


DOORS = {
    "csv": lambda project, members: (bring(project, as_csv(members)), lines_of(members, first=2)),
    "ndjson": lambda project, members: (bring(project, as_ndjson(members)), range(1, len(members) + 1)),
    "api, csv": lambda project, members: (by_api(project, as_csv(members), "text/csv"), lines_of(members, first=2)),
    "api, ndjson": lambda project, members: (
        by_api(project, as_ndjson(members), "application/x-ndjson"), range(1, len(members) + 1)),
    "form": lambda project, members: (by_form(project, members), range(1, len(members) + 1)),
}  # fmt: skip


def sendable(door: str) -> list[dict]:
    """What a form cannot carry as one line: half characters, and addresses with a line end in them."""
    halves = [row for row in MEMBERS if row["cls"] == "surrogate"]
    broken = [row for row in MEMBERS if set("\r\n") & set(row["input"])]
    left_out = [*halves, *broken] if door == "form" else []
    assert len(left_out) < 10
    return [row for row in [*MEMBERS, CONTROL] if row not in left_out]


@pytest.mark.parametrize("door", DOORS)
def test_each_address_meets_its_verdict_and_is_kept_byte_for_byte_or_reported_at_its_line(door):
    members, project = sendable(door), make_project()
    run, lines = DOORS[door](project, members)
    assert sum(counts(run)) == len(members)
    reasons = dict(run.refused.values_list("line", "reason"))
    taken = [row for row, line in zip(members, lines, strict=True) if line not in reasons]
    assert [row["id"] for row in taken if row["verdict"] == "reject"] == []
    assert [row["id"] for row in members if row["verdict"] in {"accept", "flag"} and row not in taken] == []
    # Of several spellings of one address the first is the item's.
    raw_of_key = {row["whatwg_key"]: row["input"] for row in reversed(taken)}
    assert dict(Item.objects.filter(project=project).values_list("url_key", "url_raw")) == raw_of_key
    assert all(reason.endswith(".") for reason in reasons.values())
