"""Backups: one folder with the database, the blobs and a manifest with the SHA-256 of each file.

SQLite is copied by its online backup; PostgreSQL table by table with COPY from one REPEATABLE READ snapshot, which
needs no client programs of a fitting version and can be read back by any server (restoring.py). People go on working
meanwhile. The database is read before the blobs: a blob is written before the row that names it, so nothing named can
be missing. Secrets of the installation (SECRET_KEY) are not part of it.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from labeling.consistent import one_snapshot
from labeling.refusals import Refused
from labeling.storage import NO_ROOM

FORMAT = "touchstone-backup/1"
MANIFEST = "manifest.json"
SQLITE_FILE = "database.sqlite3"
MIGRATIONS = "django_migrations"
Manifest = dict[str, Any]


# ---- making one -----------------------------------------------------------------------------------------------------
def make(folder: Path) -> Manifest:
    """Write a backup that appears under its name only when it is whole. Raises Refused when something is there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already and not empty; choose another folder.")
    with told(folder, otherwise="nothing was kept. Make room, or choose another place"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as part:
            whole = Path(part, "backup")
            whole.mkdir(mode=0o700)
            manifest = _fill(whole)
            whole.replace(folder)
        flush(folder.parent)
    return manifest


@contextmanager
def told(place: Path, *, otherwise: str) -> Iterator[None]:
    """What the disk or the database says against it becomes a sentence: Refused."""
    try:
        with connection.wrap_database_errors:
            yield
    except OSError as trouble:
        if trouble.errno in NO_ROOM:
            raise Refused(f"The disk of {place} is full; {otherwise}.") from None
        raise Refused(f"{trouble.filename or place}: {trouble.strerror}; {otherwise}.") from None
    except DatabaseError as trouble:
        said = str(trouble).strip().partition("\n")[0].rstrip(".")
        raise Refused(f"The database says “{said}”; {otherwise}.") from None


def _fill(folder: Path) -> Manifest:
    copy = _copy_postgres if connection.vendor == "postgresql" else _copy_sqlite
    tables, migrations = copy(folder)
    _copy_blobs(Path(settings.BLOB_DIR), folder / "blobs")
    manifest: Manifest = {
        "format": FORMAT,
        "version": settings.VERSION,
        "created": timezone.now().isoformat(timespec="seconds"),
        "database": connection.vendor,
        "migrations": migrations,
        "tables": tables,
        "files": {name: described(path) for name, path in sorted(files_below(folder))},
    }
    _write(folder / MANIFEST, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        flush(path)
    return manifest


def _copy_sqlite(folder: Path) -> tuple[dict[str, int], list[str]]:
    connection.ensure_connection()
    with closing(sqlite3.connect(folder / SQLITE_FILE)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        counts = {
            name: copy.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0]  # noqa: S608 (our own tables)
            for name in _tables()
        }
        rows = copy.execute(f"SELECT app, name FROM {MIGRATIONS}")  # noqa: S608 (a constant)
        applied = [f"{app}.{name}" for app, name in rows]
    flush(folder / SQLITE_FILE)
    return counts, sorted(applied)


def _copy_postgres(folder: Path) -> tuple[dict[str, int], list[str]]:
    counts: dict[str, int] = {}
    (folder / "tables").mkdir()
    with one_snapshot(), connection.cursor() as cursor:
        for table in _tables():
            columns = ", ".join(quoted(column) for column in _columns(table))
            with (
                (folder / "tables" / f"{table}.copy").open("xb") as file,
                cursor.copy(f"COPY {quoted(table)} ({columns}) TO STDOUT") as rows,
            ):
                file.write(f"{columns}\n".encode())
                for piece in rows:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            counts[table] = cursor.rowcount
        return counts, applied_migrations()


def _copy_blobs(source: Path, target: Path) -> None:
    target.mkdir()
    for name, path in files_below(source):
        if _is_being_written(path):
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, copy)
        except FileNotFoundError:  # a file that is no longer needed was removed meanwhile
            continue
        flush(copy)


def _is_being_written(path: Path) -> bool:
    """At this moment, or when somebody was killed: uploads and frames end so, models and scores begin so."""
    return path.suffix == ".part" or path.name.startswith(".writing-")


# ---- tables and files -----------------------------------------------------------------------------------------------
def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _tables() -> list[str]:
    return sorted({*connection.introspection.django_table_names(only_existing=True, include_views=False), MIGRATIONS})


def _columns(table: str) -> list[str]:
    """Those that hold a value of their own; the database makes the others from these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
            "AND attgenerated = '' ORDER BY attnum",
            [quoted(table)],
        )
        return [name for (name,) in cursor.fetchall()]


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size_bytes": path.stat().st_size}


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush(path: Path) -> None:
    """To the disk: the bytes of a file, the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
