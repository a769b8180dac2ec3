"""What a sample was drawn from: the ids of all N items, kept as files named by their SHA-256."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from labeling.refusals import Refused
from labeling.sampling.draws import frame_bytes


def keep(item_ids: list[str]) -> str:
    """Write the frame, unless it is there already, and return its SHA-256."""
    content = frame_bytes(item_ids)
    sha256 = hashlib.sha256(content).hexdigest()
    path = path_of(sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{uuid.uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
    return sha256


def read(sha256: str) -> Iterator[str]:
    """The ids of a kept frame, in order. Raises Refused when its file is not there."""
    path = path_of(sha256)
    if not path.exists():
        raise Refused(f"The list of pages this sample was drawn from is missing; restore {path.name} from a backup.")
    with path.open(encoding="ascii") as file:
        for line in file:
            yield line.rstrip("\n")


def path_of(sha256: str) -> Path:
    return Path(settings.BLOB_DIR) / "frames" / sha256
