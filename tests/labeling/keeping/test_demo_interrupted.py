"""The demo, stopped or killed while it is made: the next start goes on, with the same imports and passwords."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config.supervisor import StopRequested
from labeling import chunks, demo, imports
from labeling.management.commands import seed_demo
from labeling.models import Import, Item, Job, Judgment, User
from tests.labeling.jobs.work import long_ago

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = [f"https://site{number}.example.org/" for number in range(8)]


@pytest.fixture(autouse=True)
def small_demo(settings, tmp_path, monkeypatch):
    """The same steps on a few pages, in chunks that can be interrupted."""
    settings.DATA_DIR = tmp_path
    settings.BLOB_DIR = tmp_path / "blobs"
    pages = [demo._line(url=url) for url in PAGES]
    answers = [demo._line(url=PAGES[0], annotator="r1", none=True)]
    for project in ("homepage", "ut1"):
        monkeypatch.setattr(demo, f"{project}_items", lambda: iter(pages))
        monkeypatch.setattr(demo, f"{project}_judgments", lambda: iter(answers))
    monkeypatch.setattr(demo, "QUEUED", dict.fromkeys(demo.QUEUED, 1))
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    monkeypatch.setattr(imports, "LOOK_SECONDS", 0.01)


def seed() -> list[dict[str, str]]:
    call_command("seed_demo", "--json", stdout=(said := StringIO()))
    return json.loads(said.getvalue())["accounts"]


def assert_whole() -> None:
    """One import a file, nothing lost, nothing doubled."""
    assert Import.objects.count() == Import.objects.filter(job__state=Job.State.DONE).count() == 4
    assert (Item.objects.count(), Judgment.objects.count()) == (2 * len(PAGES), 2)


def interrupt(monkeypatch, how: BaseException) -> None:
    """After the first chunk of the first import."""

    def stop(*_args: object) -> None:
        raise how

    with monkeypatch.context() as first_start:
        first_start.setattr(imports.Share, "say", stop)
        with pytest.raises((type(how), CommandError)):
            seed()
    assert Import.objects.get().rows_done == 3


def test_stopped_in_an_import_it_goes_on_after_the_last_chunk(monkeypatch):
    interrupt(monkeypatch, StopRequested())
    seed()
    assert_whole()
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}


def test_an_import_that_failed_is_tried_again(monkeypatch):
    interrupt(monkeypatch, RuntimeError("a bug that was mended since"))
    assert Job.objects.get().state == Job.State.FAILED
    seed()
    assert_whole()


def test_what_a_killed_start_still_held_is_taken_over(monkeypatch):
    interrupt(monkeypatch, StopRequested())
    Job.objects.update(state=Job.State.RUNNING, attempt=1, heartbeat_at=long_ago())
    seed()
    assert_whole()


def test_killed_with_its_passwords_written_the_next_start_gives_the_accounts_those(monkeypatch, settings):
    write = seed_demo._write

    def write_and_die(*args: object) -> None:
        write(*args)
        raise StopRequested

    with monkeypatch.context() as first_start:
        first_start.setattr(seed_demo, "_write", write_and_die)
        with pytest.raises(StopRequested):
            seed()
    assert not User.objects.exists(), "an account whose password nobody has seen"
    written = json.loads((settings.DATA_DIR / "accounts.json").read_text())
    assert seed() == written
    assert all(User.objects.get(username=row["username"]).check_password(row["password"]) for row in written)
