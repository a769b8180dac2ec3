"""One file read to its end, a chunk a transaction: rows written, counts and checkpoint stand or fall together.

So a killed import leaves nothing doubled or lost, and goes on after its last chunk. What a row means is told by two
functions: `read` (one row, before the transaction) and `store` (a chunk of read rows, inside it).
"""

import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from django.db import DataError, transaction
from django.db.models import F

from labeling import bulk, jobs, rows, storage, uploads
from labeling.models import Event, Import, Project, RefusedRow, RowNote, User
from labeling.refusals import Refused, Unacceptable
from labeling.rows import Note, Refusal, Row

CHUNK_ROWS = 2_000
CHUNK_BYTES = 4 << 20  # long page texts make shorter chunks, so that memory stays flat
JOB_KINDS = {Import.Kind.ITEMS: "import", Import.Kind.JUDGMENTS: "judgment_import"}
CANNOT_HOLD = "The database cannot hold a value of this row."


class Taken(Protocol):
    """A row as `read` understood it."""

    row: Row


T = TypeVar("T", bound=Taken)


@dataclass(slots=True)
class Outcome:
    """What became of the rows of one chunk."""

    created: int = 0
    duplicate: int = 0
    updated: int = 0
    refused: list[Refusal] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)  # about rows that are counted above

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.created + other.created, self.duplicate + other.duplicate, self.updated + other.updated,
            self.refused + other.refused, self.notes + other.notes,
        )  # fmt: skip

    @property
    def total(self) -> int:
        return self.created + self.duplicate + self.updated + len(self.refused)


@dataclass(frozen=True, slots=True)
class Work(Generic[T]):
    """How rows of one kind are taken."""

    required: Collection[str]
    read: Callable[[Row], T | Refusal]
    store: Callable[[list[T]], Outcome]


# ---- before: a file becomes a job -----------------------------------------------------------------------------------
def start(
    project: Project,
    *,
    by: User | None,
    chunks: Iterable[bytes],
    kind: str = Import.Kind.ITEMS,
    filename: str = "",
    content_type: str = "",
    queue: bool = False,
    assume_scheme: str = "",
    also: Callable[[Import], None] = lambda run: None,
) -> Import:
    """Store the file and queue its import. Raises Unacceptable when its first bytes show that it can be no list.

    `also` is called in the transaction that makes the import: what it writes stands or falls with it.
    """
    if project.archived_at is not None:
        raise Refused("This project is archived: nothing is imported into it. Restore it first.")
    upload = storage.save(chunks)
    try:
        form = uploads.sniff(upload.head, filename, content_type)
        with transaction.atomic():
            job = jobs.enqueue(JOB_KINDS[Import.Kind(kind)], project=project, by=by)
            run = Import.objects.create(
                job=job, project=project, kind=kind, filename=_printable(filename), stored_name=upload.name,
                sha256=upload.sha256, size_bytes=upload.size_bytes, format=form, queue=queue,
                assume_scheme=assume_scheme,
            )  # fmt: skip
            Event.record(
                f"import.started.{kind}", by=by, project=project, about=job, sha256=upload.sha256,
                filename=run.filename,
            )  # fmt: skip
            also(run)
    except uploads.BadFile as bad:
        storage.remove(upload.name)
        raise Unacceptable(str(bad), [{"pointer": "", "detail": str(bad)}]) from None
    except BaseException:
        storage.remove(upload.name)
        raise
    return run


def _printable(name: str) -> str:
    """A file name as text to show: its last part, nothing unprintable, at most 255 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:255]


# ---- during: chunk after chunk --------------------------------------------------------------------------------------
def carry_out(claim: jobs.Claim, run: Import, work: Work[T]) -> dict[str, int]:
    """Take every row from the checkpoint on. Raises Refused with a sentence when the file cannot be read as a whole."""
    share = Share(run, _survey(run))
    with storage.opened(run.stored_name) as stream:
        try:
            read = rows.read(stream, format=_format(run), required=work.required, skip=run.rows_done)
            with closing(_ahead(_chunks(read, work.read))) as chunks:
                for chunk in chunks:
                    _take(claim, run, work, chunk)
                    share.say(claim)
        except rows.BadFile as bad:
            raise Refused(str(bad)) from None
    return counts_of(run)


def _format(run: Import) -> uploads.Format:
    return "csv" if run.format == "csv" else "ndjson"


def _survey(run: Import) -> int:
    """Count the line ends. Damaged gzip shows here, before the first row is taken, so that nothing of it is kept."""
    try:
        with storage.opened(run.stored_name) as stream:
            _, chunks = uploads.open_plain(stream)
            return sum(chunk.count(b"\n") for chunk in chunks)
    except rows.BadFile as bad:
        raise Refused(str(bad)) from None
    except FileNotFoundError:
        raise Refused("The uploaded file is no longer on this server; send it again.") from None


def _ahead(chunks: Iterator[list[T | Refusal]]) -> Generator[list[T | Refusal]]:
    """The same chunks; while one is written, which mostly waits for the database, a thread reads the next."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader") as thread:
        coming: Future[list[T | Refusal]] = thread.submit(next, chunks, [])
        while chunk := coming.result():
            coming = thread.submit(next, chunks, [])
            yield chunk


def _chunks(read: Iterator[Row | Refusal], take: Callable[[Row], T | Refusal]) -> Iterator[list[T | Refusal]]:
    while chunk := list(_some(read, take)):
        yield chunk


def _some(read: Iterator[Row | Refusal], take: Callable[[Row], T | Refusal]) -> Iterator[T | Refusal]:
    room = CHUNK_BYTES
    for row in islice(read, CHUNK_ROWS):
        if isinstance(row, Refusal):
            yield row
        else:
            yield take(row)
            room -= len(row.data)
        if room < 0:
            return


def _take(claim: jobs.Claim, run: Import, work: Work[T], chunk: list[T | Refusal]) -> None:
    with transaction.atomic():
        outcome = _stored(work, [row for row in chunk if not isinstance(row, Refusal)])
        outcome.refused += [row for row in chunk if isinstance(row, Refusal)]
        if outcome.total != len(chunk):
            raise AssertionError(f"{len(chunk)} rows went in, {outcome.total} came out")
        _report(run, outcome)
        Import.objects.filter(pk=run.pk).update(
            rows_done=F("rows_done") + len(chunk),
            rows_total=F("rows_total") + len(chunk),
            rows_created=F("rows_created") + outcome.created,
            rows_duplicate=F("rows_duplicate") + outcome.duplicate,
            rows_updated=F("rows_updated") + outcome.updated,
            rows_refused=F("rows_refused") + len(outcome.refused),
        )
        claim.guard()
    run.refresh_from_db(fields=[*COUNTERS, "rows_done"])


def _stored(work: Work[T], rows: list[T]) -> Outcome:
    """What the rows became. A row the database cannot hold, for whatever reason, is found by halving and refused."""
    try:
        with transaction.atomic():
            return work.store(rows)
    except DataError:
        if len(rows) == 1:
            return Outcome(refused=[rows[0].row.refusal(CANNOT_HOLD)])
        half = len(rows) // 2
        return _stored(work, rows[:half]) + _stored(work, rows[half:])


def _report(run: Import, outcome: Outcome) -> None:
    refused = [(run.pk, row.number, row.line, row.reason[:500], row.raw) for row in outcome.refused]
    bulk.copy(RefusedRow, ("run_id", "number", "line", "reason", "raw"), refused)
    notes = [(run.pk, note.number, note.line, note.sentence[:500]) for note in outcome.notes]
    bulk.copy(RowNote, ("run_id", "number", "line", "sentence"), notes)


# ---- how far it is --------------------------------------------------------------------------------------------------
COUNTERS = ("rows_total", "rows_created", "rows_duplicate", "rows_updated", "rows_refused")


def counts_of(run: Import) -> dict[str, int]:
    return {name: getattr(run, name) for name in COUNTERS}


def in_words(run: Import) -> str:
    """ "12,000 rows read: 11,400 new, 500 known, 100 refused" """
    parts = [f"{run.rows_created:,} new", f"{run.rows_duplicate:,} known"]
    if run.rows_updated:
        parts.append(f"{run.rows_updated:,} brought up to date")
    parts.append(f"{run.rows_refused:,} refused")
    read = "1 row" if run.rows_total == 1 else f"{run.rows_total:,} rows"
    return f"{read} read: {', '.join(parts)}"


class Share:
    """Tells the job how far it is, at most once a second."""

    EVERY_SECONDS = 1.0

    def __init__(self, run: Import, lines: int) -> None:
        self.run, self.lines = run, max(lines, 1)
        self.began, self.began_at = time.monotonic(), run.rows_done
        self.said = 0.0

    def say(self, claim: jobs.Claim) -> None:
        now = time.monotonic()
        if now - self.said < self.EVERY_SECONDS:
            return
        self.said = now
        claim.progress(min(self.run.rows_done / self.lines, 1.0), in_words(self.run) + self._time_left(now))

    def _time_left(self, now: float) -> str:
        """Nothing in the first seconds: an estimate from one chunk would only be wrong."""
        seconds, done = now - self.began, self.run.rows_done - self.began_at
        if seconds < 3 or not done:
            return ""
        left = max(self.lines - self.run.rows_done, 0) * seconds / done
        if left < 60:
            return " · less than a minute left"
        minutes = round(left / 60)
        return f" · about {minutes} {'minute' if minutes == 1 else 'minutes'} left"


def refused_rows(run: Import) -> Iterator[dict[str, Any]]:
    """The refused rows in the order of the file, streamed."""
    found = run.refused.order_by("number").values("line", "reason", "raw")
    for row in found.iterator(chunk_size=CHUNK_ROWS):
        yield dict(row)


# ---- without a worker -----------------------------------------------------------------------------------------------
def finish_here(run: Import, *, patience_seconds: float = 3600) -> Import:
    """Do the import in this process, or wait for the worker that was quicker. Returns it as it then stands."""
    until = time.monotonic() + patience_seconds
    jobs.run(run.pk)
    run.job.refresh_from_db()
    while run.job.state in (jobs.State.QUEUED, jobs.State.RUNNING) and time.monotonic() < until:
        time.sleep(0.2)
        run.job.refresh_from_db()
    run.refresh_from_db()
    return run
