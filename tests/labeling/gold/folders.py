"""A small release made without a database, and its folder."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from labeling.release_format import Files, Head, Row, content_files, release_files

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
LABELS = {
    "schema_version": 1,
    "labels": [{"key": "games", "name": "Games"}, {"key": "news", "name": "News"}],
    "exclusive_groups": [],
}


def row(number: int, **changes) -> Row:
    fields = {
        "item": f"{number:032x}", "url": f"https://site{number}.example.org/", "host": f"site{number}.example.org",
        "title": "Ein Spiel für zwei", "content_sha256": "c" * 64, "outcome": "labelled",
        "labels": {"news": "no", "games": "yes"}, "how": {"news": "unanimous", "games": "adjudicated"},
        "n_judgments": 2, "schema_version": 1, "probability": Fraction(1, 3), "draws": (1,),
    }  # fmt: skip
    return Row(**fields | changes)


def content(*rows: Row, labels=LABELS, guideline="Read the page first.") -> Files:
    return content_files(rows, labels=labels, guideline=guideline, draws={1: {"seed": "a", "size": len(rows)}})


def release(*rows: Row) -> Files:
    head = Head(project="demo", name="Demo", version="1.0.0", created=NOON, notes="First cut.")
    return release_files(content(*(rows or (row(1), row(2), row(3)))), head, change=None)


def write(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
