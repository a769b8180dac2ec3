"""Putting a backup in place of this installation's database and blobs: whole, or not at all."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PurePosixPath

from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, transaction

from labeling import immutability, schemas
from labeling.backups import (
    FORMAT,
    MANIFEST,
    MIGRATIONS,
    SQLITE_FILE,
    Manifest,
    applied_migrations,
    described,
    files_below,
    flush,
    quoted,
    told,
)
from labeling.models import Project
from labeling.refusals import Refused

PIECE_BYTES = 1 << 20


def check(folder: Path) -> Manifest:
    """The manifest of a backup whose every file is as it was written. Raises Refused naming the file that is not."""
    manifest = _manifest_of(folder)
    with told(folder, otherwise="nothing was changed"):
        _compare(folder, manifest)
    return manifest


def _compare(folder: Path, manifest: Manifest) -> None:
    for name, written in manifest["files"].items():
        path = folder / _safe(name)
        if not path.is_file():
            raise Refused(f"The backup is damaged: {name} is missing.")
        if described(path) != written:
            raise Refused(f"The backup is damaged: {name} is not what was written.")
    unknown = {name for name, _ in files_below(folder)} - set(manifest["files"]) - {MANIFEST}
    if unknown:
        raise Refused(f"The backup holds {sorted(unknown)[0]}, which its manifest does not name.")


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
    put_back: Callable[[Path, Manifest], None] = (
        _put_back_postgres if connection.vendor == "postgresql" else _put_back_sqlite
    )
    with told(Path(settings.DATA_DIR), otherwise="the database is as it was"):
        _put_back_blobs(folder / "blobs", Path(settings.BLOB_DIR))
        put_back(folder, manifest)
    schemas.by_id.cache_clear()
    return manifest


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
        cursor.execute(f"TRUNCATE {', '.join(quoted(table) for table in tables)}")
        for table in tables:
            with (folder / "tables" / f"{table}.copy").open("rb") as file:
                columns = file.readline().decode().rstrip("\n")
                with cursor.copy(f"COPY {quoted(table)} ({columns}) FROM STDIN") as rows:
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
    for name, path in files_below(source):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.part")
        try:
            shutil.copyfile(path, part)
            flush(part)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)


# ---- what is in it --------------------------------------------------------------------------------------------------
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
