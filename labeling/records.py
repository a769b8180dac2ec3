"""The records of a text file as bytes: its lines, or for CSV the lines that quoted line ends hold together.

Memory stays flat: a record is at most RECORD_BYTES, and what a longer one has too much is dropped while it is read.
A quote that is never closed costs only the line on which it opens: the lines behind it are read again as if it had
not been there.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

RECORD_BYTES = 4 << 20
KEPT_OF_CUT_BYTES = 8_192  # enough to show a person which line it was
LINE_COST_BYTES = 64  # what a held line weighs beside its text, so that very many short lines are bounded too

TOO_LONG = f"The line is longer than {RECORD_BYTES >> 20} MiB."


class Line(NamedTuple):
    """One physical line with its end; `is_cut` when it was too long and only its start is here."""

    number: int
    data: bytes
    is_cut: bool


class Record(NamedTuple):
    """What should be one row: `line` is where it starts, `fault` a sentence when it is no record (else empty)."""

    line: int
    data: bytes
    fault: str


def lines(chunks: Iterable[bytes], *, end: bytes = b"\n") -> Iterator[Line]:
    """The physical lines of the chunks, split at `end` (one byte) and nowhere else."""
    number, held, is_cut = 1, b"", False
    for chunk in chunks:
        *ended, rest = chunk.split(end)
        for piece in ended:
            yield _line(number, held if is_cut else held + piece + end, is_cut=is_cut)
            number, held, is_cut = number + 1, b"", False
        if not is_cut:
            _, held, is_cut = _line(number, held + rest, is_cut=False)
    if held:
        yield _line(number, held, is_cut=is_cut)


def line_records(lines: Iterable[Line]) -> Iterator[Record]:
    """One record a line; blank lines are none."""
    for line in lines:
        if not _is_blank(line):
            yield Record(line.number, line.data, TOO_LONG if line.is_cut else "")


def csv_records(lines: Iterator[Line], *, delimiter: bytes, columns: int) -> Iterator[Record]:
    """The records of CSV after RFC 4180 whose rows should have `columns` cells; blank lines between them are none."""
    source = _Returnable(lines)
    for first in source:
        if _is_blank(first):
            continue
        if b'"' not in first.data and not first.is_cut:  # most records are one line without a quote
            yield Record(first.number, first.data, "")
            continue
        taken, fault = _gathered(first, source, _Quotes(delimiter, columns))
        if fault:
            source.take_back(taken[1:])
            yield Record(first.number, first.data, fault)
        else:
            yield Record(first.number, b"".join(line.data for line in taken), "")


def _gathered(first: Line, source: Iterator[Line], quotes: "_Quotes") -> tuple[list[Line], str]:
    """The lines of the record that starts with `first`, and why they make none (else empty)."""
    if first.is_cut:
        return [first], TOO_LONG
    taken, size = [first], len(first.data)
    quotes.follow(first.data)
    while quotes.is_open and not quotes.fault:
        line = next(source, None)
        if line is None:
            return taken, "A quote opens on this line and is not closed anywhere behind it."
        taken.append(line)
        size += len(line.data) + LINE_COST_BYTES
        if line.is_cut or size > RECORD_BYTES:
            return taken, f"A quote opens on this line and is not closed within {RECORD_BYTES >> 20} MiB."
        quotes.follow(line.data)
    return taken, quotes.fault


class _Returnable:
    """Lines of which some can be taken back, to come again."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.waiting: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self.waiting.popleft() if self.waiting else next(self.lines)

    def take_back(self, taken: list[Line]) -> None:
        self.waiting.extendleft(reversed(taken))


class _Quotes:
    """Follows one CSV record through its lines and knows whether a quoted cell is still open."""

    def __init__(self, delimiter: bytes, columns: int) -> None:
        self.delimiter = delimiter
        self.columns = columns
        self.cells = 1
        self.is_open = False
        self.fault = ""

    def follow(self, data: bytes) -> None:
        if b'"' not in data:
            return
        at = 0
        if not self.is_open and data.startswith(b'"'):
            self.is_open, at = True, 1
        while True:
            if self.is_open:
                at = self._close(data, at)
            if self.is_open or self.fault or not (at := data.find(self.delimiter, at) + 1):
                break
            self.cells += 1
            if data.startswith(b'"', at):
                self.is_open, at = True, at + 1
        if self.is_open and self.cells > self.columns:
            # Also keeps the work bounded: no run of lines is read again more often than there are columns.
            self.fault = f"A quote opens on this line in a row of more than {self.columns} cells."

    def _close(self, data: bytes, at: int) -> int:
        """Where the open cell ends in `data`; stays open when that is not in this line."""
        while (quote := data.find(b'"', at)) >= 0:
            at = quote + 1
            if data.startswith(b'"', at):  # a doubled quote stands for one
                at += 1
                continue
            self.is_open = False
            if not data.startswith(self.delimiter, at) and data[at:].strip(b"\r\n"):
                self.fault = "A quoted cell that opens on this line goes on behind its closing quote."
            break
        return at


def _line(number: int, data: bytes, *, is_cut: bool) -> Line:
    if is_cut or len(data) > RECORD_BYTES:
        return Line(number, data[:KEPT_OF_CUT_BYTES], True)
    return Line(number, data, False)


def _is_blank(line: Line) -> bool:
    return not line.data.strip(b" \r\n") and not line.is_cut
