"""What an uploaded file really is: its format by its content, and its plain bytes, unpacked within limits.

Names and content types are hints that a browser or a person made up; the first bytes decide what is never read
(archives, pickles, web pages, Parquet, UTF-16). Nothing here holds more than a few chunks of a file.
"""

import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

Format = Literal["csv", "ndjson"]

CHUNK_BYTES = 65_536
MAX_UNPACKED_BYTES = 4 << 30
MAX_RATIO = 200  # real lists of pages pack 5 to 30 to one, a bomb about 1,000
RATIO_FREE_BYTES = 8 << 20  # below this no ratio can hurt

GZIP = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"PK\x05\x06": "an empty ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"%PDF": "a PDF",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"SQLite format 3": "an SQLite database",
    b"\x93NUMPY": "a NumPy file",
    b"\x89PNG": "an image",
    b"GIF8": "an image",
    b"\xff\xd8\xff": "an image",
    b"\x7fELF": "a program",
    **{bytes([0x80, protocol]): "a Python pickle" for protocol in range(2, 6)},
}
FORMAT_OF_TYPE: dict[str, Format] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/json": "ndjson",
}
FORMAT_OF_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "ndjson",
    ".ndjson": "ndjson",
    ".json": "ndjson",
}
# fmt: off
REFUSED_SUFFIXES = frozenset((
    ".htm", ".html", ".xhtml", ".xml", ".svg", ".yaml", ".yml", ".pkl", ".pickle", ".joblib", ".npy", ".npz",
    ".parquet", ".arrow", ".avro", ".orc", ".xls", ".xlsx", ".ods", ".zip", ".tar", ".tgz", ".bz2", ".xz", ".7z",
    ".rar", ".zst", ".sqlite", ".db", ".pdf", ".py", ".exe",
))
# fmt: on


class BadFile(ValueError):
    """The whole file is refused; the text says why, in a sentence for the person who sent it."""


def sniff(head: bytes, filename: str = "", content_type: str = "") -> Format:
    """The format of a file that begins with `head` (a few kB are enough; it may be gzip), or BadFile.

    A file that begins like JSON is NDJSON whatever it is called; else the content type, then the name decide, then CSV.
    """
    name = PurePosixPath(filename.lower().removesuffix(".gz"))
    if name.suffix in REFUSED_SUFFIXES:
        raise BadFile(f"Files of the kind {name.suffix} are not read; send CSV or NDJSON, plain or gzip.")
    plain = _unpacked_head(head) if head.startswith(GZIP) else head
    refuse_foreign(plain)
    if first_character(plain) in (b"{", b"["):
        return "ndjson"
    declared = FORMAT_OF_TYPE.get(content_type.partition(";")[0].strip().lower())
    return declared or FORMAT_OF_SUFFIX.get(name.suffix, "csv")


def open_plain(stream: BinaryIO, *, gzip: bool | None = None) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of the unpacked text (a byte order mark taken off), and all of its chunks, these bytes included.

    gzip: None looks at the first bytes. Raises BadFile for what is no text; damage and bombs raise it while the chunks
    are read, so a caller keeps nothing until the last chunk has come.
    """
    head, chunks = _primed(iter(partial(stream.read, CHUNK_BYTES), b""))
    packed = head.startswith(GZIP)
    if gzip and not packed:
        raise BadFile("The file was announced as gzip, but it is not a gzip file.")
    if packed and gzip is not False:
        head, chunks = _primed(_gunzip(chunks))
    refuse_foreign(head)
    if head.startswith(UTF8_MARK):
        next(chunks)
        head = head.removeprefix(UTF8_MARK)
        chunks = chain([head], chunks)
    return head, chunks


def refuse_foreign(head: bytes) -> None:
    """Raise BadFile when the first bytes of a plain file are those of no text in UTF-8."""
    if not head:
        raise BadFile("The file is empty.")
    if head.startswith(GZIP):
        raise BadFile("The file is packed with gzip twice; unpack it once.")
    if head.startswith(UTF16_MARKS) or _has_nulls_like_utf16(head):
        raise BadFile("The file is in UTF-16; save it as UTF-8 and send it again.")
    for magic, what in FOREIGN.items():
        if head.startswith(magic):
            raise BadFile(f"The file is {what}; send CSV or NDJSON, plain or gzip.")
    if head[257:262] == b"ustar":
        raise BadFile("The file is a tar archive; send CSV or NDJSON, plain or gzip.")
    if first_character(head) == b"<":
        raise BadFile("The file is a web page or XML; send CSV or NDJSON, plain or gzip.")


def first_character(head: bytes) -> bytes:
    """The first byte that is neither blank nor part of a byte order mark."""
    return head.removeprefix(UTF8_MARK).lstrip()[:1]


def _has_nulls_like_utf16(head: bytes) -> bool:
    """ASCII text in UTF-16 has a null in every second place; a stray null in UTF-8 does not."""
    start = head[:200]
    return any(half and half.count(0) > 0.8 * len(half) for half in (start[::2], start[1::2])) and start.count(0) < len(
        start
    )


def _primed(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    head = b""
    while len(head) < CHUNK_BYTES and (chunk := next(chunks, b"")):
        head += chunk
    return head, chain([head], chunks)


def _unpacked_head(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, CHUNK_BYTES)
    except zlib.error:
        raise BadFile("The gzip file is damaged; pack it again.") from None


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of all members of a gzip file, never more than a chunk at once."""
    member = zlib.decompressobj(wbits=31)
    packed_bytes = unpacked_bytes = 0
    plain = b""
    for chunk in chunks:
        packed_bytes += len(chunk)
        waiting = chunk
        while waiting or len(plain) == CHUNK_BYTES:
            if member.eof:
                if not waiting.strip(b"\0"):  # tapes and some tools pad the end with nulls
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                plain = member.decompress(waiting, CHUNK_BYTES)
            except zlib.error:
                raise BadFile("The gzip file is damaged; pack it again.") from None
            unpacked_bytes += len(plain)
            _refuse_bomb(packed_bytes, unpacked_bytes)
            if plain:
                yield plain
            waiting = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise BadFile("The gzip file ends too early; it was cut off on its way.")


def _refuse_bomb(packed_bytes: int, unpacked_bytes: int) -> None:
    if unpacked_bytes > MAX_UNPACKED_BYTES:
        raise BadFile(f"The file unpacks to more than {MAX_UNPACKED_BYTES >> 30} GiB; send it in parts.")
    if unpacked_bytes > RATIO_FREE_BYTES and unpacked_bytes > MAX_RATIO * packed_bytes:
        raise BadFile(f"The file unpacks to more than {MAX_RATIO} times its size, which no list of pages does.")
