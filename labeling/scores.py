"""Scores of many items in one file: written whole or not at all, named by its SHA-256, read straight from the disk.

Layout of a shard, little-endian:

    8 bytes   b"TSSCORE1"
    8 bytes   length of the header
    header    JSON: columns (label keys), n_items, first_item, last_item; padded with spaces to a multiple of 64
    8 n       item ids, int64, growing
    4 n k     log-odds of each label, float32, one row an item; NaN where the label has no model

Log-odds keep their resolution where probabilities crowd at 0 and 1, and choosing needs no exponential.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from labeling import whole_files

MAGIC = b"TSSCORE1"
PREFIX_BYTES = 16
ALIGNMENT = 64
MAX_ITEMS = 100_000  # of one shard
LARGEST_HEADER = 2**20


class DamagedShard(Exception):
    """The file is not the shard that was written; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard on the disk, mapped into memory: only what is looked at is read.

    items: (n,) int64, growing; log_odds: (n, k) float32, one column for each of `columns`.
    """

    columns: tuple[str, ...]
    items: NDArray[np.int64]
    log_odds: NDArray[np.float32]
    sha256: str

    def probabilities(self) -> NDArray[np.float32]:
        """(n, k) float32 in [0, 1], NaN where the label has no model."""
        p: NDArray[np.float32] = expit(self.log_odds)
        return p

    def rows_of(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """(len(items),) row of each item, -1 for one that is not in this shard."""
        rows = np.searchsorted(self.items, items)
        rows[rows == len(self.items)] = 0
        found = self.items[rows] == items if len(self.items) else np.zeros(len(items), dtype=bool)
        return np.where(found, rows, -1)


def path_of(folder: Path, sha256: str) -> Path:
    return folder / f"{sha256}.scores"


def write(folder: Path, *, columns: Sequence[str], items: NDArray[np.int64], log_odds: NDArray[np.float32]) -> str:
    """Write a shard and return its SHA-256. The name appears only when every byte is on the disk.

    items: (n,) growing, n from 1 to 100,000; log_odds: (n, len(columns)). Raises ValueError for other shapes.
    """
    if not 1 <= len(items) <= MAX_ITEMS or log_odds.shape != (len(items), len(columns)):
        raise ValueError(f"{len(items)} items, scores {log_odds.shape} and {len(columns)} columns make no shard")
    if np.any(np.diff(items) <= 0):
        raise ValueError("the items of a shard must grow")
    content = [_head(columns, items), _bytes(items, "<i8"), _bytes(log_odds, "<f4")]
    seal = hashlib.sha256()
    for part in content:
        seal.update(part)
    folder.mkdir(parents=True, exist_ok=True)
    whole_files.write(path_of(folder, seal.hexdigest()), content)
    return seal.hexdigest()


def read(folder: Path, sha256: str) -> Shard:
    """Open a shard without reading its scores. Raises DamagedShard; `verify` also compares the digest."""
    path = path_of(folder, sha256)
    try:
        header, start = _read_head(path)
        n_items, columns = int(header["n_items"]), tuple(header["columns"])
        expected = start + n_items * (8 + 4 * len(columns))
        if path.stat().st_size != expected:
            raise DamagedShard(f"{path.name} is {path.stat().st_size} bytes long instead of {expected}.")
        items = np.memmap(path, dtype="<i8", mode="r", offset=start, shape=(n_items,))
        shape = (n_items, len(columns))
        log_odds = np.memmap(path, dtype="<f4", mode="r", offset=start + 8 * n_items, shape=shape)
    except FileNotFoundError:
        raise DamagedShard(f"{path.name} is not there. Put it back from a backup, or train again.") from None
    except (KeyError, TypeError, ValueError) as wrong:
        raise DamagedShard(f"{path.name} is no score shard: {wrong}.") from wrong
    return Shard(columns, items, log_odds, sha256)


def verify(folder: Path, sha256: str) -> None:
    """Read the whole file and raise DamagedShard unless its bytes are those that were written."""
    try:
        with path_of(folder, sha256).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DamagedShard(f"{sha256}.scores is not there. Put it back from a backup, or train again.") from None
    if found != sha256:
        raise DamagedShard(f"{sha256}.scores holds other bytes than were written: their SHA-256 is {found}.")


def _head(columns: Sequence[str], items: NDArray[np.int64]) -> bytes:
    known = {
        "columns": list(columns),
        "n_items": len(items),
        "first_item": int(items[0]),
        "last_item": int(items[-1]),
    }
    header = json.dumps(known, separators=(",", ":")).encode()
    header += b" " * (-(PREFIX_BYTES + len(header)) % ALIGNMENT)
    return MAGIC + len(header).to_bytes(8, "little") + header


def _read_head(path: Path) -> tuple[dict[str, Any], int]:
    with path.open("rb") as file:
        prefix = file.read(PREFIX_BYTES)
        length = int.from_bytes(prefix[8:], "little")
        if prefix[:8] != MAGIC or length > LARGEST_HEADER:
            raise ValueError("it does not begin as one")
        return json.loads(file.read(length)), PREFIX_BYTES + length


def _bytes(values: NDArray[Any], kind: str) -> bytes:
    return np.ascontiguousarray(values, dtype=kind).tobytes()
