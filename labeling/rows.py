"""The rows of an uploaded CSV or NDJSON file, one by one, whatever its size: each is a Row or a Refusal that says why.

A row that cannot be read never costs another one: bad UTF-8, U+0000, too many or too few cells, a repeated JSON key
or a line of 100 MB are refusals that name their line. What makes the whole file unreadable is a BadFile. `number`
counts rows and refusals from 1 and is the same at each reading of the same bytes, so an interrupted import goes on
with `skip`.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from labeling import strict_json
from labeling.records import RECORD_BYTES, Line, Record, csv_records, line_records, lines
from labeling.uploads import CHUNK_BYTES, BadFile, Format, first_character, open_plain, sniff

__all__ = ["BadFile", "Format", "Refusal", "Row", "read", "sniff"]

MAX_COLUMNS = 200
FIELD_BYTES = 1 << 20
RAW_CHARACTERS = 2_000
DELIMITERS = (",", ";", "\t")
JSON_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}

Values = dict[str, object]

# One limit for the whole process, and by default far below the text of a page; `_refuse_long_cells` holds the real one.
csv.field_size_limit(RECORD_BYTES)


@dataclass(slots=True)
class Refusal:
    """A row that is not taken, the sentence why, and its text as a report may show it."""

    number: int
    line: int
    reason: str
    raw: str


@dataclass(slots=True)
class Note:
    """Something to know about a row that is taken, in a sentence."""

    number: int
    line: int
    sentence: str


@dataclass(slots=True)
class Row:
    """One row: `line` is the physical line on which it starts, `data` its bytes."""

    number: int
    line: int
    data: bytes
    values: Values

    def refusal(self, reason: str) -> Refusal:
        return Refusal(self.number, self.line, reason, _shown(self.data))

    def note(self, sentence: str) -> Note:
        return Note(self.number, self.line, sentence)


class BadRow(ValueError):
    """One row is refused; the text says why."""


def read(
    stream: BinaryIO, *, format: Format, required: Collection[str], gzip: bool | None = None, skip: int = 0
) -> Iterator[Row | Refusal]:
    """The rows and refusals of a file, in its order. CSV values are text; NDJSON values are what the JSON says.

    required: names of columns of which each row must fill at least one, with text.
    gzip: None tells by the first bytes.
    skip: how many rows and refusals, counted from the start, are passed over without being parsed.
    Raises BadFile here for a file that cannot be read at all, and from the iterator for gzip that turns out damaged,
    cut off or a bomb: whatever was read until then belongs to a refused file.
    """
    head, chunks = open_plain(stream, gzip=gzip)
    if len(head) < CHUNK_BYTES and not first_character(head):
        raise BadFile("The file is blank.")
    if format == "csv":
        records, parse = _open_csv(head, chunks, required)
    else:
        records, parse = _open_ndjson(head, chunks, required)
    return _rows(records, parse, skip)


def _rows(records: Iterable[Record], parse: Callable[[bytes], Values], skip: int) -> Iterator[Row | Refusal]:
    for number, record in enumerate(records, start=1):
        if number > skip:
            yield _row(number, record, parse)


def _row(number: int, record: Record, parse: Callable[[bytes], Values]) -> Row | Refusal:
    try:
        if record.fault:
            raise BadRow(record.fault)
        return Row(number, record.line, record.data, parse(record.data))
    except (BadRow, strict_json.BadJSON) as refused:
        return Refusal(number, record.line, str(refused), _shown(record.data))


def _open_csv(
    head: bytes, chunks: Iterable[bytes], required: Collection[str]
) -> tuple[Iterator[Record], Callable[[bytes], Values]]:
    is_old_mac = b"\r" in head and b"\n" not in head
    physical = lines(chunks, end=b"\r" if is_old_mac else b"\n")
    header = next((line for line in physical if line.data.strip()), None)
    if header is None:
        raise BadFile("The file is blank.")
    names, delimiter = _header(header, required)
    records = csv_records(physical, delimiter=delimiter.encode(), columns=len(names))
    return records, partial(_csv_values, names=names, delimiter=delimiter, required=required)


def _header(line: Line, required: Collection[str]) -> tuple[list[str], str]:
    """The names of the columns, and the delimiter: the one that finds a required name, then the most names."""
    if line.is_cut or b"\0" in line.data:
        raise BadFile("The file is no CSV: its first line is not a line of column names.")
    try:
        text = line.data.decode()
    except UnicodeDecodeError:
        raise BadFile("The names of the columns are not in UTF-8; save the file as UTF-8 and send it again.") from None
    readings = {delimiter: _names(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(readings, key=lambda d: (not set(required).isdisjoint(readings[d]), len(readings[d])))
    _refuse_header(readings[delimiter], required)
    return readings[delimiter], delimiter


def _names(text: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        return []


def _refuse_header(names: list[str], required: Collection[str]) -> None:
    if len(names) > MAX_COLUMNS:
        raise BadFile(f"The file has {len(names):,} columns; at most {MAX_COLUMNS} are read.")
    if set(required).isdisjoint(names):
        found = _shown(", ".join(names).encode())[:200]
        raise BadFile(f"The first line names no column {_either(required)}; its columns are: {found or 'unreadable'}.")
    if "" in names:
        raise BadFile(f"Column {names.index('') + 1} has no name; name it or take it out.")
    for name in names:
        if names.count(name) > 1:
            raise BadFile(f'Two columns are called "{_shown(name.encode())}"; which one counts would be a guess.')


def _csv_values(data: bytes, *, names: list[str], delimiter: str, required: Collection[str]) -> Values:
    if b"\0" in data:
        raise BadRow("The row contains a null character (U+0000), which cannot be stored.")
    try:
        cells = next(csv.reader([data.decode()], delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise BadRow(f"The row is not in UTF-8: byte {error.start + 1} of it does not belong.") from None
    except csv.Error:
        raise BadRow("The row is not CSV: a line end or a quote stands inside a cell that has no quotes.") from None
    if len(cells) != len(names):
        raise BadRow(f"The row has {len(cells)} cells, but the header names {len(names)} columns.")
    values: Values = dict(zip(names, cells, strict=True))
    _refuse_long_cells(values, size=len(data))
    _refuse_missing(values, required)
    return values


def _open_ndjson(
    head: bytes, chunks: Iterable[bytes], required: Collection[str]
) -> tuple[Iterator[Record], Callable[[bytes], Values]]:
    if first_character(head) == b"[":
        raise BadFile("The file is one JSON list; send one object on each line instead (jq -c '.[]' makes it).")
    return line_records(lines(chunks)), partial(_json_values, required=required)


def _json_values(data: bytes, *, required: Collection[str]) -> Values:
    values = strict_json.loads(data)
    if not isinstance(values, dict):
        raise BadRow(f"The line is not a JSON object but {_kind(values)}.")
    if len(values) > MAX_COLUMNS:
        raise BadRow(f"The object has {len(values):,} keys; at most {MAX_COLUMNS} are read.")
    _refuse_long_cells(values, size=len(data))
    _refuse_missing(values, required)
    return values


def _refuse_long_cells(values: Values, *, size: int) -> None:
    if size <= FIELD_BYTES:  # a cell is never longer than its row
        return
    for name, value in values.items():
        if isinstance(value, str) and len(value.encode()) > FIELD_BYTES:
            raise BadRow(f'The cell "{_shown(name.encode())}" is longer than {FIELD_BYTES >> 20} MiB.')


def _refuse_missing(values: Values, required: Collection[str]) -> None:
    is_filled = False
    for name in required:
        value = values.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRow(f'The value of "{name}" must be text, but it is {_kind(value)}.')
        is_filled = is_filled or bool(value and value.strip())
    if not is_filled:
        raise BadRow(f"The row has no {_either(required)}.")


def _either(names: Collection[str]) -> str:
    return " or ".join(f'"{name}"' for name in names)


def _kind(value: object) -> str:
    return JSON_KINDS.get(type(value), "null")


def _shown(data: bytes) -> str:
    """The start of `data` as text that is safe to print: what does not print stands as its escape."""
    text = data[: 4 * RAW_CHARACTERS].rstrip(b"\r\n").decode(errors="backslashreplace")[:RAW_CHARACTERS]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)[:RAW_CHARACTERS]
