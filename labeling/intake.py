"""Rows in, Items out. Every row is created, known already, brings other text, or is refused with its line and reason.

The identity of an item is its canonical address, so the same list twice adds nothing. The text of a row becomes a
Snapshot; a text the item had before is known and changes nothing.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from labeling import bulk, imports, jobs, queue, weburls
from labeling.imports import Outcome
from labeling.models import Assignment, Import, Item, Project, Selection, Snapshot, Stream
from labeling.rows import Refusal, Row

KNOWN = ("url", "title", "text", "external_id", "language", "captured_at")
MAX_TITLE = 2_000
MAX_EXTERNAL_ID = 255
MAX_LANGUAGE = 35
MAX_METADATA_VALUE = 2_000
MAX_METADATA = 20_000


class BadCell(ValueError):
    """One cell cannot be taken; the text says why, in a sentence."""


@dataclass(slots=True)
class Candidate:
    """One row as an item would hold it."""

    url: weburls.WebURL
    title: str = ""
    text: str = ""
    external_id: str = ""
    language: str = ""
    captured_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def has_content(self) -> bool:
        return bool(self.title or self.text)

    @property
    def content_hash(self) -> str:
        return content_hash(self.title, self.text)


def content_hash(title: str, text: str) -> str:
    """SHA-256 of title and text. The length keeps "a" + "bc" and "ab" + "c" apart."""
    return hashlib.sha256(f"{len(title)}\n{title}{text}".encode()).hexdigest()


# ---- the job --------------------------------------------------------------------------------------------------------
def run(claim: jobs.Claim) -> dict[str, int]:
    """Handler of the job "import"."""
    this = Import.objects.select_related("project").get(pk=claim.job.pk)
    work = imports.Work(
        required=("url",),
        read=partial(read_row, assume_scheme=this.assume_scheme or None),
        store=partial(store, this),
    )
    counts = imports.carry_out(claim, this, work)
    bulk.analyze(Item, Snapshot, Selection, Assignment)
    return counts


# ---- one row --------------------------------------------------------------------------------------------------------
def read_row(row: Row, *, assume_scheme: str | None) -> Candidate | Refusal:
    """What a row says, or the sentence why it cannot be taken."""
    try:
        return candidate(row.values, assume_scheme=assume_scheme)
    except (weburls.BadURL, BadCell) as bad:
        return Refusal(row.number, row.line, str(bad), row.raw)


def candidate(values: dict[str, Any], *, assume_scheme: str | None) -> Candidate:
    """Raises BadURL or BadCell with a sentence."""
    return Candidate(
        url=weburls.parse(values["url"], assume_scheme=assume_scheme),
        title=text_of(values, "title", MAX_TITLE),
        text=text_of(values, "text", None),
        external_id=text_of(values, "external_id", MAX_EXTERNAL_ID).strip(),
        language=text_of(values, "language", MAX_LANGUAGE).strip(),
        captured_at=moment_of(values, "captured_at"),
        metadata=_metadata(values),
    )


def text_of(values: dict[str, Any], name: str, longest: int | None) -> str:
    """A cell as text, empty when it is missing. Raises BadCell with a sentence."""
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and name == "external_id":
        value = str(value)
    if not isinstance(value, str):
        raise BadCell(f"The value of “{name}” must be text.")
    if longest is not None and len(value) > longest:
        raise BadCell(f"The value of “{name}” is longer than {longest:,} characters.")
    return value


def moment_of(values: dict[str, Any], name: str) -> datetime | None:
    """A date or a time in ISO 8601; without a zone it is UTC. Raises BadCell with a sentence."""
    value = text_of(values, name, None).strip()
    if not value:
        return None
    try:
        moment = parse_datetime(value[:64])
        day = None if moment else parse_date(value[:64])
        if moment is None and day is not None:
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if moment is not None:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadCell(f"“{value[:40]}” in “{name}” is no date; write 2026-01-31 or 2026-01-31T12:00:00Z.")


def _metadata(values: dict[str, Any]) -> dict[str, str]:
    """Every other column, as text."""
    extra = {name: _plain(value) for name, value in values.items() if name not in KNOWN and value not in (None, "")}
    if sum(len(name) + len(value) for name, value in extra.items()) > MAX_METADATA:
        raise BadCell(f"The other columns hold more than {MAX_METADATA:,} characters together.")
    for name, value in extra.items():
        if len(value) > MAX_METADATA_VALUE:
            raise BadCell(f"The value of “{name[:60]}” is longer than {MAX_METADATA_VALUE:,} characters.")
    return extra


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadCell("A value is a list or an object; other columns hold text, numbers, true or false.")


# ---- a chunk --------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Known:
    """An item this chunk names: its row, and the content hashes of its snapshots."""

    item: Item
    is_new: bool
    hashes: set[str] = field(default_factory=set)


def store(run: Import, candidates: list[Candidate]) -> Outcome:
    """Write a chunk in the caller's transaction: items, snapshots, selections and, if asked, open slots."""
    # One import of a project writes at a time, so what is known is known; readers and annotators do not wait.
    project = Project.objects.select_for_update(no_key=True).get(pk=run.project_id)
    known = _known_items(project, candidates)
    build = bulk.builder(Item, project_id=project.pk, first_import_id=run.pk)
    outcome, snapshots = Outcome(), []
    for row in candidates:
        held = known.get(row.url.public_id)
        is_new = held is None
        if held is None:
            held = known[row.url.public_id] = _Known(_item(build, row), is_new=True)
        is_new_text = row.has_content and row.content_hash not in held.hashes
        if is_new_text:
            snapshots.append((held, _snapshot(row)))
            held.hashes.add(row.content_hash)
        outcome.created += is_new
        outcome.updated += not is_new and is_new_text
        outcome.duplicate += not is_new and not is_new_text
    _write(project, run, [held.item for held in known.values() if held.is_new], snapshots)
    return outcome


def _known_items(project: Project, candidates: list[Candidate]) -> dict[str, _Known]:
    ids = {row.url.public_id for row in candidates}
    items = Item.objects.filter(project=project, public_id__in=ids).only("id", "public_id")
    known = {item.pk: _Known(item, is_new=False) for item in items}
    hashes = Snapshot.objects.filter(item__in=list(known)).values_list("item_id", "content_hash")
    for item_id, digest in hashes:
        known[item_id].hashes.add(digest)
    return {held.item.public_id: held for held in known.values()}


def _item(build: Callable[..., Item], row: Candidate) -> Item:
    url = row.url
    return build(
        public_id=url.public_id, url_raw=url.raw, url_key=url.key, url_display=url.display, host=url.host,
        registrable_domain=url.registrable_domain, flags=list(url.flags), external_id=row.external_id,
        language=row.language, metadata=row.metadata,
    )  # fmt: skip


def _snapshot(row: Candidate) -> Snapshot:
    return Snapshot(title=row.title, text=row.text, content_hash=row.content_hash, captured_at=row.captured_at)


def _write(project: Project, run: Import, items: list[Item], snapshots: list[tuple[_Known, Snapshot]]) -> None:
    # Items and snapshots name each other, so both are numbered before either is written.
    bulk.number(items)
    bulk.number([snapshot for _, snapshot in snapshots])
    for held, snapshot in snapshots:
        snapshot.item_id, held.item.snapshot_id = held.item.pk, snapshot.pk
    bulk.insert(items)
    bulk.insert([snapshot for _, snapshot in snapshots])
    bulk.point(Item, "snapshot", {held.item.pk: held.item.snapshot_id for held, _ in snapshots if not held.is_new})
    build = bulk.builder(Selection, stream=str(Stream.IMPORT), origin=f"import {run.pk}")
    selections = [build(item_id=item.pk) for item in items]
    bulk.insert(selections)
    if run.queue:
        for selection, item in zip(selections, items, strict=True):
            selection.item = item
        queue.open_slots(project, selections, overlap=project.overlap_for(Stream.IMPORT))


# ---- a pasted list --------------------------------------------------------------------------------------------------
def pasted(text: str) -> tuple[Iterator[bytes], str]:
    """A pasted list as chunks and content type of a file: a table with a column "url", or one address a line."""
    lines = text.replace("\r\n", "\n").split("\n")
    first = next((line for line in lines if line.strip()), "")
    if any("url" in (cell.strip().strip('"') for cell in first.split(mark)) for mark in ",;\t"):
        return iter([text.encode()]), "text/csv"
    # A line stays a line, so that a refusal names the line that was pasted.
    objects = (json.dumps({"url": line.strip()}) if line.strip() else "" for line in lines)
    return (f"{line}\n".encode() for line in objects), "application/x-ndjson"
