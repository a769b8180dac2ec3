"""Backup and restore: one folder with the database, the blobs and a manifest with the SHA-256 of each file.

SQLite is copied by its online backup; PostgreSQL table by table with COPY from one REPEATABLE READ snapshot, which
needs no client programs of a fitting version and can be read back by any server. People go on working meanwhile. The
database is read before the blobs: a blob is written before the row that names it, so nothing named can be missing.
Secrets of the installation (SECRET_KEY) are not part of it.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from labeling import immutability, schemas
from labeling.consistent import one_snapshot
from labeling.models import Project
from labeling.refusals import Refused
from labeling.storage import NO_ROOM

FORMAT = "touchstone-backup/1"
MANIFEST = "manifest.json"
SQLITE_FILE = "database.sqlite3"
MIGRATIONS = "django_migrations"
PIECE_BYTES = 1 << 20
Manifest = dict[str, Any]


# ---- making one -----------------------------------------------------------------------------------------------------
def make(folder: Path) -> Manifest:
    """Write a backup that appears under its name only when it is whole. Raises Refused when something is there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already and not empty; choose another folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as part:
            whole = Path(part, "backup")
            whole.mkdir(mode=0o700)
            manifest = _fill(whole)
            whole.replace(folder)
        _flush(folder.parent)
    except OSError as trouble:
        if trouble.errno in NO_ROOM:
            raise Refused(
                f"The disk of {folder.parent} is full; nothing was kept. Make room or choose another."
            ) from None
        raise Refused(f"{folder} cannot be written: {trouble.strerror}.") from None
    return manifest


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
        "files": {name: _described(path) for name, path in sorted(_files_below(folder))},
    }
    _write(folder / MANIFEST, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        _flush(path)
    return manifest


def _copy_sqlite(folder: Path) -> tuple[dict[str, int], list[str]]:
    connection.ensure_connection()
    with closing(sqlite3.connect(folder / SQLITE_FILE)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        counts = {
            name: copy.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]  # noqa: S608 (our own tables)
            for name in _tables()
        }
        rows = copy.execute(f"SELECT app, name FROM {MIGRATIONS}")  # noqa: S608 (a constant)
        applied = [f"{app}.{name}" for app, name in rows]
    _flush(folder / SQLITE_FILE)
    return counts, sorted(applied)


def _copy_postgres(folder: Path) -> tuple[dict[str, int], list[str]]:
    counts: dict[str, int] = {}
    (folder / "tables").mkdir()
    with one_snapshot(), connection.cursor() as cursor:
        for table in _tables():
            columns = ", ".join(_quoted(column) for column in _columns(table))
            with (
                (folder / "tables" / f"{table}.copy").open("xb") as file,
                cursor.copy(f"COPY {_quoted(table)} ({columns}) TO STDOUT") as rows,
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
    for name, path in _files_below(source):
        if path.suffix == ".part":  # being written at this moment
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, copy)
        except FileNotFoundError:  # a file that is no longer needed was removed meanwhile
            continue
        _flush(copy)


# ---- reading one back -----------------------------------------------------------------------------------------------
def check(folder: Path) -> Manifest:
    """The manifest of a backup whose every file is as it was written. Raises Refused naming the file that is not."""
    manifest = _manifest_of(folder)
    for name, described in manifest["files"].items():
        path = folder / _safe(name)
        if not path.is_file():
            raise Refused(f"The backup is damaged: {name} is missing.")
        if _described(path) != described:
            raise Refused(f"The backup is damaged: {name} is not what was written.")
    unknown = {name for name, _ in _files_below(folder)} - set(manifest["files"]) - {MANIFEST}
    if unknown:
        raise Refused(f"The backup holds {sorted(unknown)[0]}, which its manifest does not name.")
    return manifest


def restore(folder: Path, *, replace: bool = False) -> Manifest:
    """Put a checked backup in place of this database and its blobs.

    Raises Refused when the backup is damaged or of another kind, and when this database holds projects, unless
    `replace`. Nothing is changed then. On PostgreSQL all rows are exchanged in one transaction.
    """
    manifest = check(folder)
    if manifest["database"] != connection.vendor:
        raise Refused(f"This backup is of {manifest['database']}, and this database is {connection.vendor}.")
    _refuse_other_migrations(manifest)
    if Project.objects.exists() and not replace:
        raise Refused("This database holds projects. Give --replace to put the backup in their place.")
    _put_back_blobs(folder / "blobs", Path(settings.BLOB_DIR))
    put_back: Callable[[Path, Manifest], None] = (
        _put_back_postgres if connection.vendor == "postgresql" else _put_back_sqlite
    )
    put_back(folder, manifest)
    schemas.by_id.cache_clear()
    return manifest


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _refuse_other_migrations(manifest: Manifest) -> None:
    different = sorted(set(manifest["migrations"]) ^ set(applied_migrations()))
    if different:
        raise Refused(
            f"The backup was made by version {manifest['version']} with other migrations ({different[0]}). "
            "Restore it with that version, then upgrade."
        )


def _put_back_sqlite(folder: Path, manifest: Manifest) -> None:
    with closing(sqlite3.connect((folder / SQLITE_FILE).as_uri() + "?mode=ro", uri=True)) as copy:
        if not _is_sound(copy):
            raise Refused(f"The backup is damaged: {SQLITE_FILE} is no sound database.")
        connection.ensure_connection()
        copy.backup(connection.connection)
    connection.close()
    immutability.install()


def _is_sound(database: sqlite3.Connection) -> bool:
    try:
        return bool(database.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _put_back_postgres(folder: Path, manifest: Manifest) -> None:
    tables = [table for table in manifest["tables"] if table != MIGRATIONS]
    with transaction.atomic(), connection.cursor() as cursor:
        immutability.remove()
        cursor.execute(f"TRUNCATE {', '.join(_quoted(table) for table in tables)}")
        for table in tables:
            with (folder / "tables" / f"{table}.copy").open("rb") as file:
                columns = file.readline().decode().rstrip("\n")
                with cursor.copy(f"COPY {_quoted(table)} ({columns}) FROM STDIN") as rows:
                    while piece := file.read(PIECE_BYTES):
                        rows.write(piece)
            if cursor.rowcount != manifest["tables"][table]:
                raise Refused(f"The backup is damaged: {table} holds {cursor.rowcount} rows, not those it counted.")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True)):
            cursor.execute(statement)
        immutability.install()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _put_back_blobs(source: Path, target: Path) -> None:
    """Each file whole under its name or not at all; files of the same name are the same or are replaced."""
    for name, path in _files_below(source):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.part")
        shutil.copyfile(path, part)
        _flush(part)
        part.replace(place)


# ---- tables and files -----------------------------------------------------------------------------------------------
def _tables() -> list[str]:
    return sorted({*connection.introspection.django_table_names(only_existing=True, include_views=False), MIGRATIONS})


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _manifest_of(folder: Path) -> Manifest:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["format"] != FORMAT:
            raise Refused(f"{folder} is a backup of another format ({str(manifest['format'])[:40]}).")
        named = ("version", "database", "migrations", "tables", "files")
        if not all(name in manifest for name in named):
            raise ValueError
    except OSError:
        raise Refused(f"{folder} is no backup: it has no {MANIFEST} that can be read.") from None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"The backup is damaged: {MANIFEST} is not what was written.") from None
    return dict(manifest)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise Refused(f"The backup is damaged: {MANIFEST} names {name[:80]}, which is outside of it.")
    return path


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size_bytes": path.stat().st_size}


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(path: Path) -> None:
    """To the disk: the bytes of a file, the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
