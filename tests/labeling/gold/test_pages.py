"""The pages of samples and releases: what stands, what is next, and forms that say what is wrong."""

import subprocess
import sys

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling import jobs, released
from labeling.models import Draw, GoldRelease, Job
from tests.factories import make_member
from tests.labeling.gold.work import annotators, answer_all, draw, freeze, make_gold_project, ready_project

pytestmark = pytest.mark.django_db


def client_of(project, *roles):
    client = Client()
    client.force_login(make_member(project, *roles))
    return client


def text(response):
    return " ".join(response.content.decode().split())


def test_a_manager_draws_a_sample_by_the_form():
    project = make_gold_project(n_items=8)
    client = client_of(project, "manager")
    assert "No sample yet" in text(client.get(f"/p/{project.slug}/samples/"))
    sent = client.post(f"/p/{project.slug}/samples/draw/", {"size": 3, "overlap": 2, "seed": "spring"})
    assert sent.status_code == 302
    waiting = client.get(f"/p/{project.slug}/samples/")
    assert "Drawing 3 pages" in text(waiting)
    assert jobs.run(Job.objects.get().pk) == "done"
    assert "0 of 3 drawn pages settled" in text(client.get(f"/p/{project.slug}/samples/"))
    assert "3 of 8" in text(client.get(f"/p/{project.slug}/samples/1/"))
    assert Draw.objects.get().seed == "spring"


def test_a_sample_larger_than_the_project_is_refused_at_its_field():
    project = make_gold_project(n_items=8)
    response = client_of(project, "manager").post(f"/p/{project.slug}/samples/draw/", {"size": 9})
    assert response.status_code == 422
    assert "The project has 8 pages: choose from 1 to 8." in text(response)
    assert 'value="9"' in text(response)


def test_htmx_gets_the_part_that_changes_alone():
    project = make_gold_project()
    response = client_of(project, "manager").get(f"/p/{project.slug}/samples/", headers={"HX-Request": "true"})
    assert response.content.decode().lstrip().startswith('<div class="stack" id="samples"')


def test_a_failed_draw_says_why_until_another_is_asked_for():
    project = make_gold_project()
    Job.objects.create(project=project, kind="draw", state="failed", message="The disk is full.")
    client = client_of(project, "manager")
    assert "The disk is full." in text(client.get(f"/p/{project.slug}/samples/"))
    client.post(f"/p/{project.slug}/samples/draw/", {"size": 3})
    assert "The disk is full." not in text(client.get(f"/p/{project.slug}/samples/"))


def test_the_releases_page_says_what_to_do_first():
    project = make_gold_project()
    client = client_of(project, "manager")
    assert "Draw a sample first" in text(client.get(f"/p/{project.slug}/releases/"))
    draw(project, size=3)
    assert "3 of 3 pages still wait for an answer" in text(client.get(f"/p/{project.slug}/releases/"))


def test_the_button_names_the_version_it_freezes():
    project = ready_project()
    client = client_of(project, "manager")
    assert "Freeze version 1.0.0" in text(client.get(f"/p/{project.slug}/releases/"))
    assert client.post(f"/p/{project.slug}/releases/freeze/", {"notes": "First."}).status_code == 302
    assert "being frozen" in text(client.get(f"/p/{project.slug}/releases/"))
    assert jobs.run(Job.objects.get(kind="freeze").pk) == "done"
    page = text(client.get(f"/p/{project.slug}/releases/"))
    assert "Version 1.0.0 is the latest" in page
    assert "Nothing changed since version 1.0.0" in page
    assert "Freeze version" not in page


def test_a_press_on_a_stale_page_is_409_and_says_why():
    project = ready_project()
    freeze(project)
    response = client_of(project, "manager").post(f"/p/{project.slug}/releases/freeze/", {})
    assert response.status_code == 409
    assert "Nothing changed since version 1.0.0" in text(response)
    assert GoldRelease.objects.count() == 1


def test_a_bump_that_is_none_is_refused():
    project = ready_project()
    response = client_of(project, "manager").post(f"/p/{project.slug}/releases/freeze/", {"bump": "huge"})
    assert response.status_code == 422


@pytest.mark.parametrize("address", ["releases/", "samples/", "samples/1/"])
def test_what_a_page_asks_the_database_does_not_grow_with_the_sample_or_read_an_answer(address):
    asked = []
    for n_items in (2, 12):
        project = ready_project(n_items=n_items, size=n_items)
        freeze(project)
        client = client_of(project, "manager")
        client.get(f"/p/{project.slug}/{address}")
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/p/{project.slug}/{address}").status_code == 200
        asked.append([query["sql"] for query in captured.captured_queries])
    assert len(asked[0]) == len(asked[1])
    assert [sql for sql in asked[1] if "labeling_judgment" in sql or "data.jsonl" in sql] == []


def test_asking_for_a_freeze_reads_no_answer_before_the_worker_does():
    project = ready_project()
    freeze(project)
    draw(project, size=5)
    answer_all(project, *annotators(project))
    with CaptureQueriesContext(connection) as captured:
        assert client_of(project, "manager").post(f"/p/{project.slug}/releases/freeze/", {}).status_code == 302
    assert [query["sql"] for query in captured.captured_queries if "labeling_judgment" in query["sql"]] == []


def test_samples_come_twenty_to_a_page():
    project = make_gold_project(n_items=2)
    for number in range(21):
        draw(project, size=1, seed=f"s{number}")
    client = client_of(project, "manager")
    first, second = (text(client.get(f"/p/{project.slug}/samples/?page={page}")) for page in (1, 2))
    assert "Sample 21<" in first and "Sample 1<" not in first and "Page 1 of 2" in first
    assert "Sample 1<" in second and "Sample 21<" not in second


def test_a_release_can_be_checked_by_the_file_its_page_offers(tmp_path):
    project = ready_project()
    released.write_folder(freeze(project), tmp_path / "gold")
    client = client_of(project, "viewer")
    page = text(client.get(f"/p/{project.slug}/releases/1.0.0/"))
    address = f"/p/{project.slug}/releases/verification.py"
    assert f'href="{address}"' in page and "python verification.py" in page
    response = client.get(address)
    assert response["Content-Disposition"] == 'attachment; filename="verification.py"'
    (tmp_path / "verification.py").write_bytes(b"".join(response))
    check = [sys.executable, "-I", "-S", tmp_path / "verification.py", tmp_path / "gold"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Version 1.0.0 is whole: every file is as released.\n")


def test_a_release_shows_its_digest_its_files_and_what_changed():
    project = ready_project(n_items=8, size=3)
    first = freeze(project, notes="<b>First</b>")
    draw(project, size=5)
    answer_all(project, *annotators(project))
    freeze(project)
    client = client_of(project, "viewer")
    page = text(client.get(f"/p/{project.slug}/releases/1.0.0/"))
    assert first.manifest_sha256 in page
    assert "&lt;b&gt;First&lt;/b&gt;" in page
    assert f"/api/v1/projects/{project.slug}/releases/1.0.0/files/draws/1.json" in page
    assert "2 added, 0 changed, 0 removed" in text(client.get(f"/p/{project.slug}/releases/1.1.0/"))
    assert client.get(f"/p/{project.slug}/releases/9.0.0/").status_code == 404


@pytest.mark.parametrize(
    ("role", "samples", "releases", "freezing"),
    [("viewer", 403, 200, 403), ("annotator", 403, 403, 403), ("adjudicator", 403, 200, 403)],
)
def test_who_may_see_and_freeze(role, samples, releases, freezing):
    project = ready_project()
    client = client_of(project, role)
    assert client.get(f"/p/{project.slug}/samples/").status_code == samples
    listed = client.get(f"/p/{project.slug}/releases/")
    assert listed.status_code == releases
    assert '<button class="btn go">Freeze' not in text(listed)
    assert client.post(f"/p/{project.slug}/releases/freeze/").status_code == freezing
