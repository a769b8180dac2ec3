"""The bytes of a release: from what was settled to the files of its folder, the same on every machine and database.

JSON is canonical (RFC 8785), lines end with one line feed, and nothing here reads a clock: the only time in the files
is the release record's own. Rows hold the URL in its canonical form with its query, because a model that is to be
judged on a page must be given that page; who answered is in no file.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import rfc8785

from labeling.sampling.draws import decimal_string

FORMAT = "touchstone-gold/1"
CARD_FILES = ("CHANGES.md", "README.md", "manifest.json", "manifest.sha256")  # they follow from content and record
BUMPS = ("patch", "minor", "major")
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a release, settled."""

    item: str
    url: str
    host: str
    title: str
    content_sha256: str  # of the title and text people judged; empty when they had the address alone
    outcome: str  # labelled, not_assessable or withdrawn
    labels: Mapping[str, str]
    how: Mapping[str, str]
    n_judgments: int
    schema_version: int
    probability: Fraction
    draws: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "item": self.item,
            "url": self.url,
            "host": self.host,
            "outcome": self.outcome,
            "labels": dict(self.labels),
            "how": dict(self.how),
            "n_judgments": self.n_judgments,
            "schema_version": self.schema_version,
        }
        if self.title:
            row["title"] = self.title
        if self.content_sha256:
            row["content_sha256"] = self.content_sha256
        return row

    def weight(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "probability": decimal_string(self.probability),
            "probability_fraction": f"{self.probability.numerator}/{self.probability.denominator}",
            "draws": list(self.draws),
        }


@dataclass(frozen=True, slots=True)
class Head:
    """What the release record says: the rest of the files follows from the content."""

    project: str
    name: str
    version: str
    created: datetime
    notes: str = ""
    parent_version: str = ""
    parent_manifest_sha256: str = ""
    parent_changes: str = ""  # the parent's CHANGES.md, which this one goes on from


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between the rows of two releases, as ids of items."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def canonical(value: Any) -> bytes:
    """JSON after RFC 8785: keys in the order of their UTF-16 units, numbers as ECMAScript writes them."""
    return rfc8785.dumps(value)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ---- content: what a change of version is computed from -------------------------------------------------------------
def content_files(
    rows: Iterable[Row], *, labels: Mapping[str, Any], guideline: str, draws: Mapping[int, Mapping[str, Any]]
) -> Files:
    """The files people and programs use, without the card and the manifest."""
    ordered = sorted(rows, key=lambda row: row.item)
    data = [canonical(row.as_json()) for row in ordered]
    hashes = "".join(f"{sha256_of(line)}  {row.item}\n" for row, line in zip(ordered, data, strict=True))
    files = {
        "data.jsonl": _lines(data),
        "weights.jsonl": _lines(canonical(row.weight()) for row in ordered),
        "labels.json": canonical(labels) + b"\n",
        "guidelines.md": (guideline.replace("\r\n", "\n").rstrip("\n") + "\n").encode(),
        "rows.sha256": hashes.encode(),
    }
    return files | {f"draws/{number}.json": canonical(record) + b"\n" for number, record in draws.items()}


def content_sha256(content: Mapping[str, bytes]) -> str:
    """One hash over all content files: equal hashes mean that nothing changed."""
    return sha256_of(canonical({path: sha256_of(blob) for path, blob in content.items()}))


def row_hashes(rows_file: bytes) -> dict[str, str]:
    """Item -> hash of its row, from rows.sha256."""
    return {item: sha256 for sha256, item in (line.split("  ", 1) for line in rows_file.decode().splitlines())}


def change_between(old: Mapping[str, str], new: Mapping[str, str]) -> Change:
    """Compare two releases by the hashes of their rows."""
    return Change(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(item for item in new.keys() & old.keys() if new[item] != old[item])),
    )


def bump_between(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """The smallest bump the content allows: major when an old row or label is not as it was, minor when something was
    added or a weight is another, else patch."""
    rows = change_between(row_hashes(old["rows.sha256"]), row_hashes(new["rows.sha256"]))
    labels_before, labels_now = _label_keys(old), _label_keys(new)
    if rows.changed or rows.removed or labels_before - labels_now:
        return "major"
    if rows.added or labels_now - labels_before or old["weights.jsonl"] != new["weights.jsonl"]:
        return "minor"
    return "patch"


def _label_keys(content: Mapping[str, bytes]) -> set[str]:
    return {label["key"] for label in json.loads(content["labels.json"])["labels"]}


# ---- the whole folder ------------------------------------------------------------------------------------------------
def release_files(content: Files, head: Head, *, change: Change | None) -> Files:
    """Content, card, changes, manifest and seal. `change` is None for the first version."""
    files = dict(content)
    files["CHANGES.md"] = _changes(head, change).encode()
    files["README.md"] = _readme(head, content).encode()
    manifest = canonical(
        {
            "format": FORMAT,
            "project": head.project,
            "name": head.name,
            "version": head.version,
            "created": _time(head.created),
            "parent": {"version": head.parent_version, "manifest_sha256": head.parent_manifest_sha256}
            if head.parent_version
            else None,
            "n_items": content["rows.sha256"].count(b"\n"),
            "content_sha256": content_sha256(content),
            "files": [
                {"path": path, "sha256": sha256_of(files[path]), "size": len(files[path])} for path in sorted(files)
            ],
        }
    )
    files["manifest.json"] = manifest
    files["manifest.sha256"] = f"{sha256_of(manifest)}  manifest.json\n".encode()
    return files


def _lines(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _changes(head: Head, change: Change | None) -> str:
    told = "First version." if change is None else _told(change)
    notes = f"\n{head.notes.strip()}\n" if head.notes.strip() else ""
    before = "\n" + head.parent_changes.removeprefix("# Changes\n\n") if head.parent_changes else ""
    return f"# Changes\n\n## {head.version}, {head.created.astimezone(UTC):%Y-%m-%d}\n\n{told}\n{notes}{before}"


def _told(change: Change) -> str:
    counts = ((len(change.added), "added"), (len(change.changed), "changed"), (len(change.removed), "removed"))
    parts = [f"{n:,} {'row' if n == 1 else 'rows'} {what}" for n, what in counts if n]
    return f"{', '.join(parts)}." if parts else "The same rows; only words or weights differ."


SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def _size_category(n: int) -> str:
    return next((name for limit, name in SIZES if n < limit), "1M<n<10M")


def _readme(head: Head, content: Files) -> str:
    n_items = content["rows.sha256"].count(b"\n")
    keys = ", ".join(f"`{key}`" for key in sorted(_label_keys(content)))
    n_draws = sum(path.startswith("draws/") for path in content)
    return f"""---
pretty_name: {canonical(f"{head.name} {head.version}").decode()}
annotations_creators:
- expert-generated
size_categories:
- {_size_category(n_items)}
task_categories:
- text-classification
configs:
- config_name: default
  data_files:
  - split: test
    path: data.jsonl
---

# {head.name}, version {head.version}

{n_items:,} web pages drawn by chance ({n_draws} {"sample" if n_draws == 1 else "samples"}, see `draws/`), judged by
people who saw no other answer and no model's score. For evaluation only: a model that was trained on these pages cannot
be judged by them.

- `data.jsonl`: one row a page. `labels` holds yes, no or unsure for every label that was asked ({keys}); a label that
  is not there was not asked. `how` says what settled it: `unanimous` answers, an `adjudicated` decision, a `consensus`.
  `outcome` is `labelled`, `not_assessable` (the page could not be judged) or `withdrawn`.
- `url` is the canonical address with its query, because a model must be given the page that people judged.
- `weights.jsonl`: the probability with which each page was drawn, as a decimal and as an exact fraction. Weigh each row
  by 1 / probability, or the figures describe the sample and not the frame.
- `labels.json`, `guidelines.md`: what was asked, and the guideline people followed.
- `draws/`: the record of each draw. Sorting the frame's ids by their random numbers gives the same sample again.
- `manifest.json`: the SHA-256 of every file, and of the version before. `rows.sha256`: the hash of each row.
- `CHANGES.md`: what differs from the version before.

To check that every byte is as released, run `python verification.py FOLDER` on the folder that holds these files and
nothing else. That one file needs only Python; it is offered where the release is, and is `labeling/verification.py` of
the product's source. The SHA-256 of `manifest.json` is the digest of the release: compare it with the digest you were
given by another way.

No file names a person. Released {_time(head.created)}; a released version never changes, a correction is a new one.
"""
