"""All projects at once, for who runs the installation."""

import csv
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import daily_counts, health, installation, project_counts, tokens
from labeling.health import Check
from labeling.models import Job
from tests.factories import make_item, make_judgment, make_member, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return make_user("olga", is_superuser=True)


@pytest.fixture(autouse=True)
def all_is_well(monkeypatch):
    monkeypatch.setattr(health, "checks", lambda: [Check("database", "ok"), Check("worker", "ok")])


@pytest.fixture
def busy():
    project = make_project("busy", name="Busy project")
    person = make_member(project, "annotator")
    for _ in range(3):
        make_judgment(make_item(project), person)
    project_counts.refresh(project)
    daily_counts.rebuild(project)
    return project


def shown(client, operator):
    client.force_login(operator)
    answer = client.get("/installation/")
    assert answer.status_code == 200
    return answer


def test_the_busiest_project_comes_first_with_its_counts(client, operator, busy):
    make_project("idle", name="Idle project")
    lines = shown(client, operator).context["lines"]
    assert [row["project"].slug for row in lines] == ["busy", "idle"]
    assert (lines[0]["pages"], lines[0]["answers"], lines[0]["lately"], lines[0]["people"]) == ("3", "3", "3", 1)
    assert not lines[1]["is_counted"]


def test_archived_projects_are_left_out(client, operator, busy):
    busy.archived_at = timezone.now()
    busy.save()
    assert shown(client, operator).context["lines"] == []


def test_what_stands_in_the_way_is_the_headline_the_worst_first(client, operator, busy, monkeypatch):
    assert "Everything works and nothing is stuck" in shown(client, operator).content.decode()
    tokens.issue(operator, name="probe", scopes=["read"], expires_at=timezone.now() + timedelta(days=3))
    assert "1 token will end within two weeks" in shown(client, operator).content.decode()
    Job.objects.create(kind="refit", project=busy, state="failed", message="No memory.", finished_at=timezone.now())
    html = shown(client, operator).content.decode()
    assert "1 job failed within four weeks" in html
    assert "No memory." in html and "Learning how far answers are believed" in html
    monkeypatch.setattr(health, "checks", lambda: [Check("worker", "degraded", "last seen 900 s ago")])
    assert "Worker does not answer" in shown(client, operator).content.decode()


def test_a_job_that_failed_long_ago_is_past(client, operator, busy):
    long_ago = timezone.now() - timedelta(days=40)
    Job.objects.create(kind="refit", project=busy, state="failed", finished_at=long_ago)
    assert "Everything works" in shown(client, operator).content.decode()


def test_a_folder_of_very_many_files_is_weighed_in_part(tmp_path, settings, monkeypatch):
    for name in "abc":
        (tmp_path / name).write_bytes(b"12345")
    settings.BLOB_DIR = tmp_path
    assert (installation.storage().files, installation.storage().is_partial) == (15, False)
    monkeypatch.setattr(installation, "MOST_FILES", 2)
    assert (installation.storage().files, installation.storage().is_partial) == (10, True)


def test_the_page_takes_no_more_statements_with_more_projects(client, operator, busy, django_assert_max_num_queries):
    for number in range(12):
        make_project(f"more-{number}")
    client.force_login(operator)
    with django_assert_max_num_queries(15):
        client.get("/installation/")


def test_the_file_holds_every_project(client, operator, busy):
    client.force_login(operator)
    [row] = csv.DictReader(client.get("/installation/projects.csv").content.decode().splitlines())
    assert (row["project"], row["pages"], row["answers_4_weeks"]) == ("busy", "3", "3")


def test_nobody_else_sees_it(client, busy):
    client.force_login(make_member(busy, "manager"))
    assert client.get("/installation/").status_code == 403
    assert "All projects" not in client.get("/").content.decode()
