"""Rows in, Items out. Every row is created, known already, brings something new, or is refused with line and reason.

The identity of an item is its canonical address, so the same list twice adds nothing. The text of a row becomes a
Snapshot; a text the item had before is known and changes nothing. External id, language and other columns fill what is
empty; what is known is never overwritten, and a row that says otherwise gets a note.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from labeling import bulk, chunks, jobs, shares, slots, weburls
from labeling.cells import (
    MAX_EXTERNAL_ID,
    MAX_LANGUAGE,
    MAX_METADATA,
    MAX_TITLE,
    BadCell,
    Metadata,
    moment_of,
    others_of,
    size_of,
    text_of,
)
from labeling.chunks import Outcome
from labeling.models import Assignment, Import, Item, Project, Selection, Snapshot, Stream
from labeling.phrases import listed
from labeling.rows import Refusal, Row

KNOWN = frozenset({"url", "title", "text", "external_id", "language", "captured_at"})
ONCE = ("external_id", "language")  # cells that fill an empty field of a known item
ITEM_COLUMNS = (
    "id", "public_id", "url_raw", "url_key", "url_display", "host", "registrable_domain", "flags", "external_id",
    "language", "metadata", "snapshot_id",
)  # fmt: skip
SNAPSHOT_COLUMNS = ("id", "item_id", "title", "text", "content_hash", "captured_at")
CHANGEABLE = (*ONCE, "metadata", "snapshot_id")
KEPT = "This page is known with another {names}; what was known is kept."
FULL = "There was no room beside what is known of this page for {names}."


@dataclass(slots=True)
class Candidate:
    """One row as an item would hold it."""

    row: Row
    url: weburls.WebURL
    title: str = ""
    text: str = ""
    external_id: str = ""
    language: str = ""
    captured_at: datetime | None = None
    metadata: Metadata = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """Empty for a row that brings neither title nor text."""
        return content_hash(self.title, self.text) if self.title or self.text else ""


def content_hash(title: str, text: str) -> str:
    """SHA-256 of title and text. The length keeps "a" + "bc" and "ab" + "c" apart."""
    return hashlib.sha256(f"{len(title)}\n{title}{text}".encode()).hexdigest()


# ---- the job --------------------------------------------------------------------------------------------------------
def run(claim: jobs.Claim) -> dict[str, int]:
    """Handler of the job "import"."""
    this = Import.objects.select_related("project").get(pk=claim.job.pk)
    work = chunks.Work(
        required=("url",),
        read=partial(read_row, assume_scheme=this.assume_scheme or None),
        store=partial(store, this),
    )
    counts = chunks.carry_out(claim, this, work)
    bulk.analyze(Item, Snapshot, Selection, Assignment)
    return counts


# ---- one row --------------------------------------------------------------------------------------------------------
def read_row(row: Row, *, assume_scheme: str | None) -> Candidate | Refusal:
    """What a row says, or the sentence why it cannot be taken."""
    try:
        return _candidate(row, assume_scheme)
    except (weburls.BadURL, BadCell) as bad:
        return row.refusal(str(bad))


def _candidate(row: Row, assume_scheme: str | None) -> Candidate:
    values: dict[str, Any] = row.values
    url = weburls.parse(values["url"], assume_scheme=assume_scheme)
    if len(values) == 1:
        return Candidate(row, url)
    return Candidate(
        row,
        url,
        title=text_of(values, "title", MAX_TITLE),
        text=text_of(values, "text", None),
        external_id=text_of(values, "external_id", MAX_EXTERNAL_ID).strip(),
        language=text_of(values, "language", MAX_LANGUAGE).strip(),
        captured_at=moment_of(values, "captured_at"),
        metadata=others_of(values, KNOWN),
    )


# ---- a chunk --------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Page:
    """An item this chunk names, as the database is to hold it."""

    public_id: str
    pk: int = 0  # 0 until a new one is numbered
    external_id: str = ""
    language: str = ""
    metadata: Metadata = field(default_factory=dict)
    snapshot_id: int | None = None
    hashes: set[str] = field(default_factory=set)

    def fill(self, given: Candidate) -> tuple[bool, list[str]]:
        """Take what is still empty. Returns whether something was, and what there is to note, in sentences."""
        filled, kept, notes = False, [], []
        for name in ONCE:
            new, old = getattr(given, name), getattr(self, name)
            if new and not old:
                setattr(self, name, new)
                filled = True
            elif new and new != old:
                kept.append(f"{name} (“{old}”)")
        kept += [name[:60] for name, value in given.metadata.items() if self.metadata.get(name, value) != value]
        if kept:
            notes.append(KEPT.format(names=listed(kept)))
        fresh = {name: value for name, value in given.metadata.items() if name not in self.metadata}
        if fresh and size_of(self.metadata) + size_of(fresh) > MAX_METADATA:
            notes.append(FULL.format(names=listed([name[:60] for name in fresh])))
        elif fresh:
            self.metadata = self.metadata | fresh
            filled = True
        return filled, notes


@dataclass(slots=True)
class _Chunk:
    """What is to be written for one chunk."""

    fresh: list[tuple[_Page, weburls.WebURL]] = field(default_factory=list)
    changed: dict[int, _Page] = field(default_factory=dict)
    texts: list[tuple[_Page, Candidate, str]] = field(default_factory=list)


def store(run: Import, rows: list[Candidate]) -> Outcome:
    """Write a chunk in the caller's transaction: items, snapshots, selections and, if asked, open slots."""
    # One import of a project writes at a time, so what is known is known; readers and annotators do not wait.
    project = Project.objects.select_for_update(no_key=True).get(pk=run.project_id)
    pages = _known_pages(project, {row.url.public_id for row in rows})
    outcome, chunk = Outcome(), _Chunk()
    for row in rows:
        page = pages.get(row.url.public_id)
        if page is None:
            page = pages[row.url.public_id] = _new_page(row)
            chunk.fresh.append((page, row.url))
            outcome.created += 1
            _take_text(page, row, chunk)
        else:
            _take_again(page, row, chunk, outcome)
    _write(project, run, chunk)
    return outcome


def _known_pages(project: Project, ids: Collection[str]) -> dict[str, _Page]:
    columns = ("pk", "public_id", *ONCE, "metadata", "snapshot_id")
    found = Item.objects.filter(project=project, public_id__among=ids).values_list(*columns)
    pages = {
        pk: _Page(public_id, pk, external_id, language, metadata, snapshot_id)
        for pk, public_id, external_id, language, metadata, snapshot_id in found
    }
    if pages:
        for pk, digest in Snapshot.objects.filter(item__in=pages).values_list("item_id", "content_hash"):
            pages[pk].hashes.add(digest)
    return {page.public_id: page for page in pages.values()}


def _new_page(row: Candidate) -> _Page:
    return _Page(row.url.public_id, 0, row.external_id, row.language, row.metadata)


def _take_text(page: _Page, row: Candidate, chunk: _Chunk) -> bool:
    """Keep the text of a row for a page; False for none, and for one the page had before."""
    digest = row.content_hash
    if not digest or digest in page.hashes:
        return False
    page.hashes.add(digest)
    chunk.texts.append((page, row, digest))
    return True


def _take_again(page: _Page, row: Candidate, chunk: _Chunk, outcome: Outcome) -> None:
    """A row of a page that is known, from before or from an earlier row."""
    filled, notes = page.fill(row)
    if notes:
        outcome.notes.append(row.row.note(" ".join(notes)))
    if _take_text(page, row, chunk) or filled:
        outcome.updated += 1
        if page.pk:
            chunk.changed[page.pk] = page
    else:
        outcome.duplicate += 1


def _write(project: Project, run: Import, chunk: _Chunk) -> None:
    # Items and snapshots name each other, so both are numbered before either is written.
    for (page, _), key in zip(chunk.fresh, bulk.next_keys(Item, len(chunk.fresh)), strict=True):
        page.pk = key
    keys = bulk.next_keys(Snapshot, len(chunk.texts))
    for (page, _, _), key in zip(chunk.texts, keys, strict=True):
        page.snapshot_id = key
    bulk.copy(Item, ITEM_COLUMNS, map(_item, chunk.fresh), project_id=project.pk, first_import_id=run.pk)
    bulk.copy(Snapshot, SNAPSHOT_COLUMNS, map(_snapshot, keys, chunk.texts))
    bulk.update(Item, CHANGEABLE, {pk: _changeable(page) for pk, page in sorted(chunk.changed.items())})
    _select(project, run, [page for page, _ in chunk.fresh])


def _item(new: tuple[_Page, weburls.WebURL]) -> bulk.Values:
    page, url = new
    return (
        page.pk, url.public_id, url.raw, url.key, url.display, url.host, url.registrable_domain, url.flags,
        page.external_id, page.language, page.metadata, page.snapshot_id,
    )  # fmt: skip


def _snapshot(key: int, text: tuple[_Page, Candidate, str]) -> bulk.Values:
    page, row, digest = text
    return key, page.pk, row.title, row.text, digest, row.captured_at


def _changeable(page: _Page) -> bulk.Values:
    return page.external_id, page.language, page.metadata, page.snapshot_id


def _select(project: Project, run: Import, fresh: list[_Page]) -> None:
    """Say of each new item how it came, and open its slots if that was asked."""
    how = {"stream": str(Stream.IMPORT), "origin": f"import {run.pk}"}
    if not run.queue:
        bulk.copy(Selection, ("item_id",), ((page.pk,) for page in fresh), **how)
        return
    selections = [Selection(item=Item(pk=page.pk, snapshot_id=page.snapshot_id), **how) for page in fresh]
    bulk.insert(selections)
    for overlap, part in shares.groups(project, Stream.IMPORT, selections):
        slots.open_up(project, part, overlap=overlap)


# ---- a pasted list --------------------------------------------------------------------------------------------------
def pasted(text: str) -> tuple[Iterator[bytes], str]:
    """A pasted list as chunks and content type of a file: a table with a column "url", or one address a line."""
    lines = text.replace("\r\n", "\n").split("\n")
    first = next((line for line in lines if line.strip()), "")
    if any("url" in (cell.strip().strip('"') for cell in first.split(mark)) for mark in ",;\t"):
        return iter([text.encode()]), "text/csv"
    # A line stays a line and as it was pasted, so that a refusal names it and nothing of an address is lost.
    objects = (json.dumps({"url": line}) if line.strip() else "" for line in lines)
    return (f"{line}\n".encode() for line in objects), "application/x-ndjson"
