"""Checks a release folder with nothing but Python itself: no database, no network, no installed package.

    python labeling/verification.py DIR

Ends with 0 when every byte is as released, else with 1 and a sentence for each thing that is not: a file that is
missing, changed or extra, and inside data.jsonl the row. The standard library alone is imported, on purpose: whoever
receives a release can take this one file along.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHA256 = re.compile(r"[0-9a-f]{64}")
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
ROWS, ROW_HASHES = "data.jsonl", "rows.sha256"
MAX_ROWS_NAMED = 20
CHUNK = 1 << 20


class Unreadable(Exception):
    """The folder cannot be checked at all; the text says why."""


def verify(folder: str | os.PathLike[str]) -> list[str]:
    """What is wrong with the release in this folder, a sentence each; an empty list when nothing is."""
    root = Path(folder)
    try:
        manifest = _manifest(root)
    except Unreadable as reason:
        return [str(reason)]
    except OSError as trouble:
        return [f"{trouble.filename or folder} cannot be read: {trouble.strerror}."]
    listed = {entry["path"]: entry for entry in manifest["files"]}
    found = set(_files(root))
    known = {*listed, MANIFEST, SEAL}
    problems = [f"{name} is missing." for name in sorted(set(listed) - found)]
    problems += [f"{_shown(name)} is extra: the manifest does not name it." for name in sorted(found - known)]
    for name in sorted(found & set(listed)):
        problems += _file_problems(root, name, listed[name])
    return problems


def version_of(folder: str | os.PathLike[str]) -> str:
    """The version the manifest names."""
    return str(_manifest(Path(folder))["version"])


# ---- the manifest ---------------------------------------------------------------------------------------------------
def _manifest(root: Path) -> dict[str, Any]:
    if not root.is_dir():
        raise Unreadable(f"{_shown(str(root))} is not a folder.")
    for name in (MANIFEST, SEAL):
        if not (root / name).is_file() or (root / name).is_symlink():
            raise Unreadable(f"{name} is missing: this is not the folder of a release, or not a whole one.")
    content = (root / MANIFEST).read_bytes()
    if (root / SEAL).read_bytes() != f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode():
        raise Unreadable(f"{MANIFEST} has changed: its SHA-256 is not the one in {SEAL}.")
    try:
        manifest = json.loads(content)
        entries = manifest["files"]
        whole = all(_is_entry(entry) for entry in entries) and isinstance(manifest["version"], str)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise Unreadable(f"{MANIFEST} is not the manifest of a release.")
    if len({entry["path"] for entry in entries}) != len(entries):
        raise Unreadable(f"{MANIFEST} names a file twice.")
    return dict(manifest)


def _is_entry(entry: Any) -> bool:
    """Only plain names below the folder are ever opened: a manifest may come from anyone."""
    path, sha256, size = entry["path"], entry["sha256"], entry["size"]
    parts = path.split("/")
    safe = all(part not in {"", ".", ".."} and "\\" not in part and ":" not in part for part in parts)
    plain = path.isprintable() and path not in {MANIFEST, SEAL}
    return safe and plain and bool(SHA256.fullmatch(sha256)) and isinstance(size, int) and size >= 0


def _files(root: Path) -> Iterator[str]:
    """Every file below the folder as a/b/c. Links count as files, so that one is extra or changed, never followed."""
    for place, folders, names in os.walk(root):
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in [*names, *linked]:
            yield (Path(place) / name).relative_to(root).as_posix()


# ---- one file -------------------------------------------------------------------------------------------------------
def _file_problems(root: Path, name: str, entry: dict[str, Any]) -> list[str]:
    path = root / name
    if path.is_symlink() or not path.is_file():
        return [f"{name} is not a plain file."]
    try:
        sha256, size = _digest(path)
    except OSError as trouble:
        return [f"{name} cannot be read: {trouble.strerror}."]
    if sha256 == entry["sha256"] and size == entry["size"]:
        return []
    changed = f"{name} has changed: it has {size:,} bytes of {entry['size']:,}"
    problems = [f"{changed} and another SHA-256." if size != entry["size"] else f"{name} has changed: another SHA-256."]
    return problems + (_row_problems(root) if name == ROWS else [])


def _digest(path: Path) -> tuple[str, int]:
    seal, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            seal.update(chunk)
            size += len(chunk)
    return seal.hexdigest(), size


def _row_problems(root: Path) -> list[str]:
    """Which rows of data.jsonl are not as released, by the hash each had."""
    try:
        expected = [line.split()[::-1] for line in (root / ROW_HASHES).read_text("ascii").splitlines()]
        hashes = dict(expected)
    except (OSError, ValueError):
        return []  # rows.sha256 is named as missing or changed itself
    problems, seen = [], set()
    with (root / ROWS).open("rb") as file:
        for number, line in enumerate(file, 1):
            item = _item_of(line)
            wanted = hashes.get(item) if item else None
            if wanted is None:
                problems.append(f"{ROWS}, line {number}: this row is not of this release.")
            elif item in seen:
                problems.append(f"{ROWS}, line {number}: item {item} is there twice.")
            elif hashlib.sha256(line.removesuffix(b"\n")).hexdigest() != wanted:
                problems.append(f"{ROWS}, line {number}: the row of item {item} has changed.")
            seen.add(item)
    problems += [f"{ROWS}: the row of item {item} is missing." for item in hashes if item not in seen]
    more = len(problems) - MAX_ROWS_NAMED
    return problems[:MAX_ROWS_NAMED] + ([f"{ROWS}: {more:,} more rows are not as released."] if more > 0 else [])


def _item_of(line: bytes) -> str | None:
    try:
        item = json.loads(line)["item"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return item if isinstance(item, str) else None


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("Say which folder to check: python verification.py DIR\n")
        return 1
    problems = verify(arguments[0])
    if problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        return 1
    sys.stdout.write(f"Version {version_of(arguments[0])} is whole: every file is as released.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
