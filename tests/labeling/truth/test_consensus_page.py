"""How far answers are believed: what was learned, whether it came true, and learning anew, by page and API."""

import csv

import pytest

from labeling import fits, refits
from labeling.models import Job
from tests.factories import make_member, make_project
from tests.labeling.truth.crowd import GOOD, crowd, decide

pytestmark = pytest.mark.django_db
TRIO = {"ann": GOOD, "ben": GOOD, "cat": (0.6, 0.95)}


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def learned(project):
    items, truth = crowd(project, 80, TRIO)
    decide(project, items[:40], truth[:40])
    refits.make(project)
    return project


def page(client, project, role="viewer", path=""):
    client.force_login(make_member(project, role))
    return client.get(f"/p/{project.slug}/agreement/consensus/{path}")


def test_before_a_fit_it_says_when_there_will_be_one(client, project):
    html = page(client, project).content.decode()
    assert "Nothing was learned yet" in html and "when 100 answers are in" in html


def test_probabilities_that_hold_are_said_not_to_be_contradicted(client, learned):
    answer = page(client, learned)
    html = answer.content.decode()
    assert "Decisions do not contradict the probabilities" in html
    assert "Learned from 240 answers to 80 pages and 40 decisions" in html
    rows = [row for row in answer.context["plot"]["rows"] if row["n"] != "0"]
    assert len(rows) == len(answer.context["plot"]["dots"]) >= 2


def test_decisions_against_what_everybody_says_are_the_finding(client, project):
    items, truth = crowd(project, 80, TRIO)
    decide(project, items[:40], ~truth[:40])
    made = refits.make(project)
    html = page(client, project).content.decode()
    assert made.calibration["bins"]
    assert "people decided yes" in html


def test_without_a_decision_nothing_is_claimed(client, project):
    crowd(project, 40, TRIO)
    refits.make(project)
    answer = page(client, project)
    assert "No decision says yet whether the probabilities hold" in answer.content.decode()
    assert answer.context["plot"] is None


def test_the_files_hold_what_the_page_shows(client, learned):
    bins = list(csv.DictReader(page(client, learned, path="calibration.csv").content.decode().splitlines()))
    made = fits.newest(learned)
    assert [int(row["decided_labels"]) for row in bins] == [one["n"] for one in made.calibration["bins"]]
    labels = list(csv.DictReader(page(client, learned, path="learned.csv").content.decode().splitlines()))
    assert [row["label"] for row in labels] == list(learned.schema.asked_keys())
    assert all(0 < float(row["finds"]) < 1 for row in labels)


def test_only_who_manages_the_project_may_learn_again(client, learned):
    assert "Learn again now" not in page(client, learned).content.decode()
    client.force_login(make_member(learned, "manager"))
    assert "Learn again now" in client.get(f"/p/{learned.slug}/agreement/consensus/").content.decode()
    assert client.post(f"/p/{learned.slug}/agreement/consensus/refit/").status_code == 302
    assert Job.objects.get(project=learned, kind=refits.KIND).state == "queued"
    assert "being learned at this moment" in client.get(f"/p/{learned.slug}/agreement/consensus/").content.decode()


@pytest.mark.parametrize("role", ["viewer", "manager"])
def test_the_page_stays_within_fifteen_statements(client, learned, role, django_assert_max_num_queries):
    client.force_login(make_member(learned, role))
    with django_assert_max_num_queries(15):
        client.get(f"/p/{learned.slug}/agreement/consensus/")


# ---- the API --------------------------------------------------------------------------------------------------------
def test_a_program_reads_the_fit_and_asks_for_another(client, learned):
    client.force_login(make_member(learned, "manager"))
    url = f"/api/v1/projects/{learned.slug}/consensus/fit/"
    body = client.get(url).json()
    assert (body["n_judgments"], body["n_decisions"]) == (240, 40)
    assert {row["label"] for row in body["labels"]} == set(learned.schema.asked_keys())
    assert sum(one["n"] for one in body["calibration"]) == 40 * len(body["labels"])
    first, second = client.post(url), client.post(url)
    assert (first.status_code, second.json()["id"]) == (202, first.json()["id"])


def test_before_a_fit_a_program_is_told_so(client, project):
    client.force_login(make_member(project, "viewer"))
    answer = client.get(f"/api/v1/projects/{project.slug}/consensus/fit/")
    assert answer.status_code == 404
    assert "when 100 answers are in" in answer.content.decode()
