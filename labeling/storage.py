"""Uploaded files: written once under a generated name, in full or not at all, and read back by that name alone.

What a person called a file is kept beside it as text and never becomes a path. A file is deleted when its import is
done, or UPLOAD_RETENTION_DAYS after it failed or was cancelled.
"""

import errno
import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from labeling.refusals import Refused

HEAD_BYTES = 65_536  # what `uploads.sniff` looks at
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class TooLarge(Refused):
    """More bytes than this installation takes (413)."""

    status = 413
    code = "too_large"


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file: its generated name, what it weighs, and its first bytes."""

    name: str
    sha256: str
    size_bytes: int
    head: bytes


def save(chunks: Iterable[bytes], *, max_bytes: int | None = None) -> Upload:
    """Write the chunks to a temporary file, flush it to the disk, then give it its name. Never holds the whole file.

    Raises TooLarge past `max_bytes` (IMPORT_MAX_BYTES by default) and Refused when the disk is full; either way nothing
    of it stays behind.
    """
    limit = settings.IMPORT_MAX_BYTES if max_bytes is None else max_bytes
    folder().mkdir(parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    part = folder() / f"{name}.part"
    try:
        upload = _write(part, name, chunks, limit)
        part.rename(folder() / name)
    except OSError as trouble:
        if trouble.errno in NO_ROOM:
            raise Refused("The disk of this server is full; nothing was stored. Tell whoever runs it.") from None
        raise
    finally:
        part.unlink(missing_ok=True)
    _flush_folder()
    return upload


def _write(part: Path, name: str, chunks: Iterable[bytes], limit: int) -> Upload:
    seal, size, head = hashlib.sha256(), 0, b""
    with part.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"The file is larger than {limit:,} bytes; send it in parts.")
            seal.update(chunk)
            head += chunk[: HEAD_BYTES - len(head)]
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Upload(name=name, sha256=seal.hexdigest(), size_bytes=size, head=head)


def _flush_folder() -> None:
    """A new name survives a power cut only when its folder is flushed too."""
    handle = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def opened(name: str) -> BinaryIO:
    return (folder() / name).open("rb")


def names(*, before: datetime) -> list[str]:
    """What was written before this moment, half-written files included."""
    if not folder().exists():
        return []
    return [path.name for path in folder().iterdir() if path.stat().st_mtime < before.timestamp()]


def remove(name: str) -> None:
    (folder() / name).unlink(missing_ok=True)


def folder() -> Path:
    return Path(settings.BLOB_DIR) / "uploads"
