"""What was released, read back: by version, file by file, row by row, and as a folder."""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Count, Exists, OuterRef

from labeling.models import GoldItem, GoldRelease, Project
from labeling.refusals import Refused
from labeling.release_format import CARD_FILES, Change, Files, change_between

VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


def latest(project: Project) -> GoldRelease | None:
    return project.releases.order_by("-major", "-minor", "-patch").first()


def find(project: Project, version: str) -> GoldRelease | None:
    """The release with this version, as people write it; None for anything else."""
    matched = VERSION.fullmatch(version)
    if matched is None:
        return None
    major, minor, patch = map(int, matched.groups())
    return project.releases.filter(major=major, minor=minor, patch=patch).first()


def read_file(release: GoldRelease, name: str) -> bytes:
    """The bytes of one file of a release. Raises Refused when a takedown emptied it."""
    file = release.files.select_related("blob").get(name=name)
    if file.blob.content is None:
        raise Refused(f"{name} of version {release.version} was taken down.")
    return bytes(file.blob.content)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a release was asked: the number of the labels' version, and the labels with their revisions."""

    version: int
    revisions: Mapping[str, int]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.revisions)


def labels_of(release: GoldRelease) -> Asked:
    asked = json.loads(read_file(release, "labels.json"))
    return Asked(asked["schema_version"], {label["key"]: label["revision"] for label in asked["labels"]})


def draws_of(release: GoldRelease) -> list[int]:
    """The numbers of the samples a release is made of, in order."""
    names = release.files.filter(name__startswith="draws/").values_list("name", flat=True)
    return sorted(int(name.removeprefix("draws/").removesuffix(".json")) for name in names)


def content(release: GoldRelease) -> Files:
    """The files a change of version is computed from."""
    names = release.files.exclude(name__in=CARD_FILES)
    return {name: read_file(release, name) for name in names.values_list("name", flat=True)}


def changes(older: GoldRelease, newer: GoldRelease) -> Change:
    """What differs between the rows of two releases."""
    hashes = [
        dict(GoldItem.objects.filter(release=release).values_list("item__public_id", "row_sha256"))
        for release in (older, newer)
    ]
    return change_between(*hashes)


def n_changes(release: GoldRelease) -> dict[str, int]:
    """How many rows a release added, changed and removed, counted."""
    old = GoldItem.objects.filter(release=release.parent, item=OuterRef("item"))
    now = GoldItem.objects.filter(release=release)
    n_kept = now.filter(Exists(old)).count()
    n_same = now.filter(Exists(old.filter(row_sha256=OuterRef("row_sha256")))).count()
    n_before = release.parent.n_items if release.parent else 0
    return {"added": release.n_items - n_kept, "changed": n_kept - n_same, "removed": n_before - n_kept}


def n_outcomes(release: GoldRelease) -> dict[str, int]:
    """How many rows have each outcome."""
    return dict(release.gold_items.order_by("outcome").values_list("outcome").annotate(Count("pk")))


def rows(release: GoldRelease) -> Iterator[dict[str, Any]]:
    """The rows of a release, in order of their items."""
    for line in read_file(release, "data.jsonl").splitlines():
        yield json.loads(line)


def write_folder(release: GoldRelease, folder: Path) -> list[str]:
    """Write every file of the release below a new folder, and return their names.

    The folder appears under its name only when it is whole. Raises Refused when something is there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already and not empty; choose another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    names = list(release.files.values_list("name", flat=True))
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as part:
        for name in names:
            path = Path(part, "release", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(read_file(release, name))
                file.flush()
                os.fsync(file.fileno())
        Path(part, "release").replace(folder)
    return names
