"""What was backed up comes back: the same rows, the same release bytes, the same promises."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from config import claims
from labeling import backups, immutability, invariants, restoring, schemas
from labeling.models import Blob, Event, GoldItem, GoldRelease, Heartbeat, Item, Project, User
from labeling.refusals import Refused
from tests.factories import make_project, make_user
from tests.labeling.gold.work import freeze, ready_project

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files_of_its_own(settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def release() -> GoldRelease:
    return freeze(ready_project("pages"), notes="first")


@pytest.fixture
def backup(release, tmp_path: Path) -> Path:
    backups.make(tmp_path / "backup")
    return tmp_path / "backup"


def lose_everything(settings, tmp_path: Path) -> None:
    """A new machine: no rows, no files."""
    immutability.remove()
    call_command("flush", interactive=False, verbosity=0)
    settings.BLOB_DIR = tmp_path / "new machine" / "blobs"
    schemas.by_id.cache_clear()


def state() -> dict[str, object]:
    return {
        "promises": [(finding.id, finding.n_breaches) for finding in invariants.findings()],
        "releases": list(GoldRelease.objects.values_list("manifest_sha256", "rows_sha256")),
        "blobs": sorted((blob.sha256, bytes(blob.content)) for blob in Blob.objects.all()),
        "people": list(User.objects.order_by("pk").values_list("username", "password")),
        "events": list(Event.objects.order_by("pk").values_list("pk", "kind", "about")),
    }


def test_a_restored_database_is_the_one_that_was_backed_up(backup, settings, tmp_path):
    before = state()
    lose_everything(settings, tmp_path)
    assert not Project.objects.exists()
    out = StringIO()
    call_command("restore", str(backup), stdout=out)
    assert state() == before and "every promise is kept" in out.getvalue()


def test_the_files_beside_the_database_come_back_too(backup, settings, tmp_path):
    frames = {path.name: path.read_bytes() for path in (settings.BLOB_DIR / "frames").iterdir()}
    lose_everything(settings, tmp_path)
    restoring.restore(backup)
    assert frames and {path.name: path.read_bytes() for path in (settings.BLOB_DIR / "frames").iterdir()} == frames


def test_work_goes_on_after_a_restore(backup, settings, tmp_path):
    """Keys are counted on from where they were, and the triggers stand again."""
    newest = Item.objects.latest("pk").pk
    lose_everything(settings, tmp_path)
    restoring.restore(backup)
    project = Project.objects.get(slug="pages")
    item = Item.objects.create(
        project=project, public_id="f" * 32, url_raw="u", url_key="u", url_display="u", host="h", registrable_domain="h"
    )
    assert item.pk > newest and make_user().pk
    with pytest.raises(IntegrityError if connection.vendor == "sqlite" else Exception, match="append-only"):
        GoldItem.objects.update(row_sha256="0" * 64)


def test_a_database_that_holds_projects_is_not_overwritten_unless_told(backup):
    make_project("new-work")
    with pytest.raises(CommandError, match="holds projects"):
        call_command("restore", str(backup))
    assert Project.objects.filter(slug="new-work").exists()
    call_command("restore", str(backup), "--replace", "--json", stdout=(out := StringIO()))
    assert json.loads(out.getvalue())["broken"] == []
    assert list(Project.objects.values_list("slug", flat=True)) == ["pages"]


def test_every_damaged_file_is_named_before_anything_is_changed(backup):
    manifest = json.loads((backup / "manifest.json").read_text())
    assert any(name.startswith("blobs/frames/") for name in manifest["files"])
    for name in list(manifest["files"])[:: max(1, len(manifest["files"]) // 4)]:
        content = (backup / name).read_bytes()
        (backup / name).write_bytes(content[:-1] + b"?")
        with pytest.raises(Refused, match=name):
            restoring.restore(backup, replace=True)
        (backup / name).unlink()
        with pytest.raises(Refused, match=f"{name} is missing"):
            restoring.restore(backup, replace=True)
        (backup / name).write_bytes(content)
    assert restoring.check(backup)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "other/1"}', '{"format": "touchstone-backup/1"}'])
def test_a_manifest_that_is_none_is_refused_with_a_sentence(backup, content):
    (backup / "manifest.json").write_text(content)
    with pytest.raises(CommandError, match=r"damaged|another format"):
        call_command("restore", str(backup))


def test_a_manifest_cannot_reach_outside_its_folder(backup):
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["files"]["../../etc/passwd"] = {"sha256": "", "size_bytes": 0}
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Refused, match="outside"):
        restoring.check(backup)


def test_a_file_nobody_wrote_there_is_refused(backup):
    (backup / "blobs" / "extra").write_text("x")
    with pytest.raises(Refused, match="does not name"):
        restoring.check(backup)


@pytest.mark.parametrize(("name", "value"), [("database", "oracle"), ("migrations", ["labeling.0999_later"])])
def test_a_backup_of_another_database_or_version_is_refused(backup, name, value):
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | {name: value}))
    with pytest.raises(Refused, match=r"is of oracle|other migrations"):
        restoring.restore(backup, replace=True)


def test_a_folder_that_holds_something_is_not_written_into(backup):
    with pytest.raises(CommandError, match="not empty"):
        call_command("backup", str(backup))


def test_a_full_disk_is_a_sentence_and_leaves_no_half_a_backup(release, tmp_path):
    with largest_file(4_000), pytest.raises(CommandError, match=r"nothing was kept\. Make room"):
        call_command("backup", str(tmp_path / "kept" / "today"))
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_full_disk_stops_a_restore_before_anything_is_changed(backup, settings, tmp_path):
    before = state()
    settings.BLOB_DIR = tmp_path / "new machine"
    with largest_file(100), pytest.raises(CommandError, match="is full; the database is as it was"):
        call_command("restore", str(backup), "--replace")
    assert state() == before
    assert [path for path in settings.BLOB_DIR.rglob("*") if path.is_file()] == []


def test_a_full_disk_in_the_middle_of_the_rows_changes_none_of_them(backup, monkeypatch):
    make_project("new-work")
    before = state()
    with database_without_room(monkeypatch), pytest.raises(CommandError, match=r"says “.+”; the database is as it was"):
        call_command("restore", str(backup), "--replace")
    assert state() == before and Project.objects.filter(slug="new-work").exists()


@contextmanager
def database_without_room(monkeypatch) -> Iterator[None]:
    """SQLite cannot write its log; a server's disk is not ours to fill: its last statement fails as on a full one."""
    if connection.vendor == "sqlite":
        with largest_file(4_000):
            yield
        return
    with monkeypatch.context() as full:
        full.setattr(
            immutability, "install", lambda: raise_it(psycopg.errors.DiskFull("No space left on device\nHINT"))
        )
        yield


def raise_it(trouble: Exception) -> None:
    raise trouble


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond it: what writing to a full disk is like."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_that_is_no_backup_is_refused(db, tmp_path):
    with pytest.raises(CommandError, match="no backup"):
        call_command("restore", str(tmp_path))


def test_a_restore_that_fails_half_way_changes_nothing(backup, settings, tmp_path):
    """A backup whose hashes fit but whose rows do not: made by nobody, and still not half restored."""
    if connection.vendor == "postgresql":
        damaged = backup / "tables" / "labeling_item.copy"
        damaged.write_bytes(damaged.read_bytes().splitlines(keepends=True)[0])
    else:
        damaged = backup / "database.sqlite3"
        damaged.write_bytes(b"not a database")
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["files"][damaged.relative_to(backup).as_posix()] = backups.described(damaged)
    (backup / "manifest.json").write_text(json.dumps(manifest))
    before = state()
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(backup), "--replace")
    assert state() == before


def test_only_whole_files_are_backed_up(release, settings, tmp_path):
    """Killed or still at it: what uploads, frames, models and score shards are written as at first."""
    for name in ("uploads/half.part", "models/.writing-x7.skops", "scores/.writing-k2"):
        (settings.BLOB_DIR / name).parent.mkdir(parents=True, exist_ok=True)
        (settings.BLOB_DIR / name).write_text("x")
    manifest = backups.make(tmp_path / "backup")
    assert not any("half" in name or "writing" in name for name in manifest["files"])


# ---- while it runs --------------------------------------------------------------------------------------------------
def test_nothing_is_put_in_place_of_a_running_installation(backup, settings):
    make_project("new-work")
    Heartbeat.beat("worker")
    with claims.data_folder(settings.DATA_DIR), pytest.raises(CommandError, match=r"already runs on|was seen within"):
        call_command("restore", str(backup), "--replace")
    assert Project.objects.filter(slug="new-work").exists()


def test_stopped_a_while_ago_or_told_to_it_is(backup, settings):
    Heartbeat.beat("worker")
    if connection.vendor == "postgresql":
        Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=61))
    call_command("restore", str(backup), "--replace", stdout=StringIO())
    Heartbeat.beat("worker")
    call_command("restore", str(backup), "--replace", "--force", stdout=StringIO())
