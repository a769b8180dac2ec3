"""What a job holds while it writes for long: its own row only at the very end, and never another caller's freeze."""

from pathlib import Path

import pytest

from labeling import readiness, releases, samples
from labeling.candidates import Request
from labeling.models import Event, Job
from labeling.refusals import Refused
from tests.labeling.gold.work import make_gold_project, ready_project

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files_of_its_own(settings, tmp_path: Path) -> None:
    settings.BLOB_DIR = tmp_path / "blobs"


class Guard:
    """Remembers what was written when it was asked whether the job is still ours."""

    def __call__(self) -> None:
        self.written = set(Event.objects.values_list("kind", flat=True))


def test_a_draw_locks_its_job_only_when_all_is_written():
    """The lock holds up the heartbeat: in a long draw the sweep would take a living worker for dead."""
    project, guard = make_gold_project(), Guard()
    samples.draw(project, samples.checked(project, size=2, seed="a", overlap=2), by=None, guard=guard)
    assert "sample.drawn" in guard.written


def test_a_freeze_locks_its_job_only_when_all_is_written():
    guard = Guard()
    releases.freeze(ready_project(), Request(notes="first"), by=None, guard=guard)
    assert "release.frozen" in guard.written


def test_of_two_freezes_asked_for_at_once_none_is_given_the_others(monkeypatch):
    """The other's job is written after we looked for one, and before we write ours."""
    project = ready_project()
    require = readiness.require

    def slowly(*asked: object):
        monkeypatch.setattr(readiness, "require", require)
        releases.queue_freeze(project, Request(notes="theirs"), by=None)
        require(*asked)

    monkeypatch.setattr(readiness, "require", slowly)
    with pytest.raises(Refused, match="being frozen at this moment"):
        releases.queue_freeze(project, Request(notes="ours"), by=None)
    assert [job.params["notes"] for job in Job.objects.filter(kind="freeze")] == ["theirs"]
