"""Judgments and releases out, row by row, in flat memory: NDJSON, and CSV that a spreadsheet can open without harm.

Raters go by their pseudonym unless the caller may see who they are. A spreadsheet runs what looks like a formula, so
the plain CSV marks such cells with an apostrophe; the raw one leaves every cell as it is, for programs.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from labeling import released
from labeling.consistent import one_snapshot
from labeling.models import Assignment, GoldRelease, Judgment, Project, State, Stream
from labeling.models.work import COUNTED, PROBES

CHUNK = 2_000
FLUSH_BYTES = 64 * 1024
INVISIBLE = " \u00a0\u200b\ufeff\x0b\x0c\x1c\x1d\x1e\x1f\x00"
FORMULA = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
JUDGMENT_COLUMNS = (
    "id", "item", "url", "annotator", "yes", "unsure", "none", "asked", "outcome", "confidence", "note",
    "active_seconds", "wall_seconds", "submitted_at", "stream", "purpose", "round", "source", "schema_version",
    "revision", "saw_suggestion",
)  # fmt: skip


# ---- judgments ------------------------------------------------------------------------------------------------------
def judgments(project: Project, *, complete_only: bool) -> QuerySet[Judgment]:
    """The answers in force. `complete_only` leaves out pages that still wait for someone, so that people stay blind.

    Answers that are about a person (known answers, repeats) are no answers about the page: they stay out.
    """
    found = Judgment.objects.current().filter(item__project=project).exclude(purpose__in=PROBES)
    if complete_only:
        waiting = Assignment.objects.filter(
            project=project, purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED]
        ).values("item")
        found = found.exclude(item__in=waiting)
    return found.select_related("item", "rater__user", "schema", "assignment__selection")


def judgment_row(judgment: Judgment, *, identify: bool, whole_urls: bool) -> dict[str, Any]:
    """One answer as programs get it."""
    item, rater, slot = judgment.item, judgment.rater, judgment.assignment
    return {
        "id": judgment.pk,
        "item": item.public_id,
        "url": item.url_key if whole_urls else item.url_display,
        "annotator": rater.user.get_username() if identify and rater.user else rater.code,
        "outcome": judgment.outcome,
        "verdicts": judgment.verdicts,
        "yes": judgment.yes,
        "unsure": judgment.unsure,
        "none": judgment.outcome == Judgment.Outcome.JUDGED and not judgment.yes and not judgment.unsure,
        "confidence": judgment.confidence or None,
        "note": judgment.note,
        "active_seconds": judgment.active_seconds,
        "wall_seconds": judgment.wall_seconds,
        "submitted_at": judgment.submitted_at.isoformat().replace("+00:00", "Z"),
        "stream": slot.selection.stream if slot else Stream.IMPORT.value,
        "purpose": judgment.purpose,
        "round": judgment.round,
        "source": judgment.source,
        "schema_version": judgment.schema.number,
        "revision": judgment.revision,
        "saw_suggestion": judgment.saw_suggestion,
    }


def all_judgments(found: QuerySet[Judgment], *, identify: bool, whole_urls: bool) -> Iterator[dict[str, Any]]:
    """Every row of one moment, in order of their ids, a chunk at a time."""
    last = 0
    with one_snapshot():
        while chunk := list(found.filter(pk__gt=last).order_by("pk")[:CHUNK]):
            for judgment in chunk:
                yield judgment_row(judgment, identify=identify, whole_urls=whole_urls)
            last = chunk[-1].pk


def judgments_as_csv(rows: Iterable[dict[str, Any]], *, raw: bool) -> Iterator[bytes]:
    """The columns that `import_judgments` reads, and more. Lists are joined by |."""
    flat = ({**row, "asked": sorted(row["verdicts"])} for row in rows)
    return as_csv(flat, columns=JUDGMENT_COLUMNS, raw=raw)


# ---- a release ------------------------------------------------------------------------------------------------------
def release_as_csv(release: GoldRelease, *, raw: bool) -> Iterator[bytes]:
    """The rows of a release with a column a label and their probability, to look at; data.jsonl is the truth."""
    keys = [label["key"] for label in json.loads(released.read_file(release, "labels.json"))["labels"]]
    weights = released.read_file(release, "weights.jsonl").splitlines()
    rows = (
        {**row, **row["labels"], "probability": json.loads(weight)["probability"]}
        for row, weight in zip(released.rows(release), weights, strict=True)
    )
    fixed = ("item", "url", "host", "title", "outcome", "n_judgments", "schema_version", "probability")
    return as_csv(rows, columns=(*fixed, *(key for key in keys if key not in fixed)), raw=raw)


# ---- formats --------------------------------------------------------------------------------------------------------
def as_ndjson(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One JSON object a line, sent in pieces worth a packet."""
    return _in_pieces(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def as_csv(rows: Iterable[dict[str, Any]], *, columns: Sequence[str], raw: bool) -> Iterator[bytes]:
    """RFC 4180, UTF-8, with a header. Cells are safe for a spreadsheet unless `raw`."""
    return _in_pieces(_csv_lines(rows, columns, raw=raw))


def _csv_lines(rows: Iterable[dict[str, Any]], columns: Sequence[str], *, raw: bool) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(columns)
    for row in rows:
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        cells = [_cell(row.get(column)) for column in columns]
        writer.writerow(cells if raw else map(spreadsheet_safe, cells))
    yield line.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "|".join(value) if isinstance(value, list) else str(value)


def spreadsheet_safe(cell: str) -> str:
    """The cell as it is, or behind an apostrophe when a spreadsheet might run it. Plain numbers stay numbers."""
    start = cell.lstrip(INVISIBLE)
    if start.startswith(FORMULA) and not PLAIN_NUMBER.fullmatch(start):
        return f"'{cell}"
    return cell


def _in_pieces(lines: Iterable[str]) -> Iterator[bytes]:
    held, size = [], 0
    for line in lines:
        piece = line.encode()
        held.append(piece)
        size += len(piece)
        if size >= FLUSH_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
