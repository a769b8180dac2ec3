"""Uploaded files hold addresses as they were given: they go when their import is done, or a while after it died."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import intake, jobs, retention, storage
from labeling.models import Import, Job
from tests.factories import make_item, make_project
from tests.labeling.intake.files import bring, bring_answers, counts, csv, send

pytestmark = pytest.mark.django_db
ONE = csv("https://a.example/?pupil=anna,A,one")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.BLOB_DIR = tmp_path
    return tmp_path / "uploads"


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def age(folder, *, days: float) -> None:
    """As if everything had been written and every job had ended so long ago."""
    then = timezone.now() - timedelta(days=days)
    for path in folder.iterdir():
        os.utime(path, (then.timestamp(), then.timestamp()))
    Job.objects.exclude(finished_at=None).update(finished_at=then)


def test_the_file_of_a_finished_import_is_gone(folder):
    run = bring(make_project(), ONE)
    assert run.job.state == Job.State.DONE
    assert files(folder) == []


def test_so_is_that_of_imported_answers(folder):
    project = make_project()
    make_item(project, "https://a.example/")
    run = bring_answers(project, csv("https://a.example/,w1,news", header="url,annotator,yes"))
    assert (counts(run), files(folder)) == ((1, 0, 0, 0), [])


def test_a_waiting_import_keeps_its_file_however_long_it_waits(folder):
    run = send(make_project(), ONE)
    age(folder, days=400)
    retention.apply()
    assert files(folder) == [run.stored_name]
    assert jobs.run(run.pk) == "done"


def test_a_worker_that_died_before_it_could_say_done_says_it_the_next_time(folder):
    run = send(make_project(), ONE)
    intake.run(jobs.claim(run.pk))
    assert files(folder) == []
    Job.objects.filter(pk=run.pk).update(state=Job.State.QUEUED)
    assert jobs.run(run.pk) == "done"
    assert counts(Import.objects.get(pk=run.pk)) == (1, 0, 0, 0)


def test_a_worker_that_lost_its_fence_deletes_nothing(folder):
    run = send(make_project(), ONE)
    claim = jobs.claim(run.pk)
    Job.objects.filter(pk=run.pk).update(fence=claim.fence + 1)
    with pytest.raises(jobs.FenceLost):
        intake.run(claim)
    assert files(folder) == [run.stored_name]


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_the_file_of_a_dead_import_waits_a_week_for_another_try(folder, end):
    run = send(make_project(), csv("A", header="title"))
    jobs.run(run.pk) if end == "failed" else jobs.cancel(run.job, by=None)
    age(folder, days=6)
    assert retention.apply()["uploads"] == 0
    age(folder, days=8)
    assert retention.apply()["uploads"] == 1
    assert files(folder) == []


def test_a_try_that_comes_too_late_is_told_so(folder):
    run = send(make_project(), ONE)
    jobs.cancel(run.job, by=None)
    age(folder, days=8)
    retention.apply()
    jobs.retry(Job.objects.get(pk=run.pk), by=None)
    jobs.run(run.pk)
    assert Job.objects.get(pk=run.pk).message == "The uploaded file is no longer on this server; send it again."


def test_what_no_import_names_goes_after_a_day(folder):
    storage.save([b"an upload whose process died"])
    (folder / "0123.part").write_bytes(b"half of one")
    assert retention.apply()["uploads"] == 0
    age(folder, days=2)
    assert retention.apply()["uploads"] == 2
