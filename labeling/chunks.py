"""One file read to its end, a chunk a transaction: rows written, counts and checkpoint stand or fall together.

So a killed import leaves nothing doubled or lost, and goes on after its last chunk. What a row means is told by two
functions: `read` (one row, before the transaction) and `store` (a chunk of read rows, inside it).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, Protocol, TypeVar

from django.db import DataError, transaction
from django.db.models import F

from labeling import bulk, imports, jobs, rows, storage, uploads
from labeling.models import Import, RefusedRow, RowNote
from labeling.refusals import Refused
from labeling.rows import Note, Refusal, Row

CHUNK_ROWS = 2_000
CHUNK_BYTES = 4 << 20  # long page texts make shorter chunks, so that memory stays flat
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


def carry_out(claim: jobs.Claim, run: Import, work: Work[T]) -> dict[str, int]:
    """Take every row from the checkpoint on, then forget the file.

    Raises Refused with a sentence when the file cannot be read as a whole.
    """
    if not run.stored_name:  # read to its end before; only that it is done could not be said any more
        return imports.counts_of(run)
    share = imports.Share(run, _survey(run))
    with storage.opened(run.stored_name) as stream:
        try:
            read = rows.read(stream, format=_format(run), required=work.required, skip=run.rows_done)
            for chunk in _chunks(read, work.read):
                _take(claim, run, work, chunk)
                share.say(claim)
        except rows.BadFile as bad:
            raise Refused(str(bad)) from None
    _forget_file(claim, run)
    return imports.counts_of(run)


def _forget_file(claim: jobs.Claim, run: Import) -> None:
    """It holds addresses as they were given, and those can carry data of pupils: not kept beyond its use."""
    with transaction.atomic():
        Import.objects.filter(pk=run.pk).update(stored_name="")
        claim.guard()
    storage.remove(run.stored_name)


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
    run.refresh_from_db(fields=[*imports.COUNTERS, "rows_done"])


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
