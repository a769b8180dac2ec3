"""Rows of uploaded files: every bad row costs only itself, every bad file says what it is, and memory stays flat."""

import base64
import contextlib
import gzip
import io
import json
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.records import RECORD_BYTES
from labeling.rows import BadFile, Refusal, Row, read, sniff
from tests.corpora import records, redos_strings
from tests.corpora.bad_inputs import make_bad_files

FILES = {f"{case['kind']}-{case['cls']}": case for case in make_bad_files.CASES}
SPECTRUM = {record["name"]: record for record in records("third_party/csv_spectrum.jsonl")}
# Their expected values do not belong to their bytes: one is only a sample, in the other the line ends lost their CR.
for inconsistent in ("csvs/location_coordinates.csv", "csvs/newlines_crlf.csv"):
    del SPECTRUM[inconsistent]


def packed(data: bytes) -> bytes:
    """gzip without the clock: names of tests are made of these bytes, and every worker must make the same ones."""
    return gzip.compress(data, mtime=0)


HEADER = b"url,title\n"


@pytest.mark.parametrize("name", FILES)
def test_each_generated_file_meets_its_manifest(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TS_CANARY", str(tmp_path / "canary"))
    case = FILES[name]
    rows = upload(made(case), filename=f"upload.{case['ext']}")
    if case["expect"] == "reject_file":
        assert isinstance(rows, BadFile)
    elif case["expect"] in ("ok", "partial"):
        assert counts(rows) == (case["ok"] + case["dup"], case["bad"])
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("name", "good", "refused"),
    [
        ("csv-cr_only", 6, 0),
        ("csv-latin1", 2, 1),
        ("csv-semicolon", 3, 0),
        ("csv-big_field", 2, 0),
        ("csv-one_line", 0, 1),
    ],
)
def test_files_that_might_be_refused_are_read_where_that_is_safe(name, good, refused):
    assert counts(upload(made(FILES[name]))) == (good, refused)


@pytest.mark.parametrize("name", SPECTRUM)
def test_agrees_with_the_csv_spectrum(name):
    expected = SPECTRUM[name]["expected"]
    rows = read_csv(base64.b64decode(SPECTRUM[name]["b64"]), required=list(expected[0]))
    assert [row.values for row in rows] == expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\n \r\n", "The file is blank."),
        (b"\xef\xbb\xbf", "The file is blank."),
        (b"link,title\nx,y\n", 'The first line names no column "url"; its columns are: link, title.'),
        (b"url,a,a\n", 'Two columns are called "a"; which one counts would be a guess.'),
        (b"url,,a\n", "Column 2 has no name; name it or take it out."),
        (b"url" + b",c" * 200, "The file has 201 columns; at most 200 are read."),
        (b"url,\xe9\n", "The names of the columns are not in UTF-8; save the file as UTF-8 and send it again."),
        (b"url\x00,title\n", "The file is no CSV: its first line is not a line of column names."),
        (b"url," + b"x" * (RECORD_BYTES + 1), "The file is no CSV: its first line is not a line of column names."),
        ("url,title\n".encode("utf-16"), "The file is in UTF-16; save it as UTF-8 and send it again."),
        ("url,title\n".encode("utf-16-le"), "The file is in UTF-16; save it as UTF-8 and send it again."),
        (b"PK\x03\x04...", "The file is a ZIP archive or an Excel workbook; send CSV or NDJSON, plain or gzip."),
        (b"PAR1...", "The file is a Parquet file; send CSV or NDJSON, plain or gzip."),
        (b"\x80\x04\x95...", "The file is a Python pickle; send CSV or NDJSON, plain or gzip."),
        (b" \n<!doctype html>", "The file is a web page or XML; send CSV or NDJSON, plain or gzip."),
        (packed(packed(HEADER)), "The file is packed with gzip twice; unpack it once."),
        (packed(HEADER * 1_000)[:-9], "The gzip file ends too early; it was cut off on its way."),
        (b"\x1f\x8b" + b"x" * 50, "The gzip file is damaged; pack it again."),
        (
            packed(HEADER + (b"x,%060000d\n" % 0) * 400),
            "The file unpacks to more than 200 times its size, which no list of pages does.",
        ),
    ],
)
def test_says_why_a_file_is_refused(data, sentence):
    with pytest.raises(BadFile) as refusal:
        list(read_csv(data))
    assert str(refusal.value) == sentence


def test_a_file_announced_as_gzip_has_to_be_gzip():
    with pytest.raises(BadFile, match="it is not a gzip file"):
        read_csv(HEADER, gzip=True)


def test_a_json_list_is_refused_with_the_way_out():
    with pytest.raises(BadFile, match="send one object on each line"):
        read_ndjson(b'\n[{"url": "a"}]')


def test_gzip_of_several_members_and_padding_is_read_whole():
    whole = packed(HEADER + b"a,1\n") + packed(b"b,2\n") + b"\0" * 512
    assert urls(read_csv(whole)) == ["a", "b"]


def test_gzip_that_unpacks_to_whole_chunks_is_read_whole():
    lines = HEADER + b"".join(b"https://example.org/%07d,%07d\n" % (n, n) for n in range(20_000))
    packer = zlib.compressobj(9, wbits=31)
    assert len(urls(read_csv(packer.compress(lines) + packer.flush()))) == 20_000


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
def test_the_delimiter_is_the_one_that_finds_the_columns(delimiter):
    (row,) = read_csv(
        b'title,url\n"a,b;c\td",x\n'.replace(b"e,u", b"e" + delimiter + b"u").replace(b'",x', b'"' + delimiter + b"x")
    )
    assert row.values == {"title": "a,b;c\td", "url": "x"}


def test_line_ends_in_quotes_are_kept_and_lines_are_counted_as_an_editor_shows_them():
    rows = list(read_csv(b'url,title\r\na,"one\r\ntwo\n\nfour"\r\n\r\nb,x\r\n'))
    assert [(row.line, row.values["title"]) for row in rows] == [(2, "one\r\ntwo\n\nfour"), (7, "x")]


def test_a_quote_that_is_never_closed_costs_only_its_own_line():
    rows = list(read_csv(HEADER + b'a,"open\nb,x\n"c","y\nz"\n'))
    assert described(rows) == [
        (2, "A quoted cell that opens on this line goes on behind its closing quote."),
        (3, "b"),
        (4, "c"),
    ]


def test_an_open_quote_with_no_other_quote_behind_it_costs_only_its_own_line():
    rows = list(read_csv(HEADER + b'a,"open\n' + b"b,x\n" * 3))
    assert described(rows) == [
        (2, "A quote opens on this line and is not closed anywhere behind it."),
        (3, "b"),
        (4, "b"),
        (5, "b"),
    ]


def test_an_open_quote_is_given_up_after_the_longest_record():
    rows = described(read_csv(HEADER + b'a,"open\n' + b"b,x\n" * 100_000))
    assert rows[0] == (2, "A quote opens on this line and is not closed within 4 MiB.")
    assert len(rows) == 100_001


@pytest.mark.timeout(60)
def test_quotes_made_to_be_read_again_and_again_do_not_take_long():
    assert counts(read_csv(HEADER + b'y","z\n' * 20_000))[0] == 0
    assert counts(read_csv(HEADER + b'x"y,"z\n' * 20_000))[0] == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a", "The row has 1 cells, but the header names 2 columns."),
        (b"a,b,c", "The row has 3 cells, but the header names 2 columns."),
        (b" ,b", 'The row has no "url".'),
        (b"a,\x00", "The row contains a null character (U+0000), which cannot be stored."),
        (b"a,\xff", "The row is not in UTF-8: byte 3 of it does not belong."),
        (b"a,\xed\xa0\x80", "The row is not in UTF-8: byte 3 of it does not belong."),
        (b"a,b\rc", "The row is not CSV: a line end or a quote stands inside a cell that has no quotes."),
        (b"a," + b"x" * 1_048_577, 'The cell "title" is longer than 1 MiB.'),
        (b"a," + b"x" * RECORD_BYTES, "The line is longer than 4 MiB."),
    ],
)
def test_says_why_a_row_is_refused_and_reads_the_next(line, reason):
    assert described(read_csv(HEADER + line + b"\nok,x\n")) == [(2, reason), (3, "ok")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "The line is not a JSON object but a list."),
        (b'{"url": 1}', 'The value of "url" must be text, but it is a number.'),
        (b'{"url": null}', 'The row has no "url".'),
        (b'{"title": "x"}', 'The row has no "url".'),
        (b'{"url": "a", "url": "b"}', 'The key "url" appears twice in one object, so its value is a guess.'),
        (b'{"url": "a", "t": "' + b"x" * 1_048_577 + b'"}', 'The cell "t" is longer than 1 MiB.'),
        (
            json.dumps({"url": "a"} | dict.fromkeys(map(str, range(200)))).encode(),
            "The object has 201 keys; at most 200 are read.",
        ),
        (b'"' + b"x" * RECORD_BYTES, "The line is longer than 4 MiB."),
    ],
)
def test_says_why_a_json_line_is_refused_and_reads_the_next(line, reason):
    rows = list(read_ndjson(b'\n{"url": "first"}\r\n' + line + b'\n{"url": "ok"}'))
    assert described(rows) == [(2, "first"), (3, reason), (4, "ok")]


def test_one_of_several_required_columns_is_enough():
    lines = b'{"url": "a"}\n{"external_id": "7"}\n{"note": "x"}\n'
    assert [row.line for row in read_ndjson(lines, required=("url", "external_id")) if isinstance(row, Row)] == [1, 2]


def test_a_report_shows_the_raw_row_cut_and_safe_to_print():
    (refusal,) = read_csv(HEADER + b"\x1b[31m\xff\xe2\x80\xae" + b"x" * 9_000 + b"\n")
    assert refusal.raw.startswith("\\x1b[31m\\xff\\u202exxx")
    assert len(refusal.raw) == 2_000


def test_an_interrupted_reading_goes_on_where_it_stopped():
    data = HEADER + b'a,"open\nb\n\nc,"x\ny"\n\xff,z\nd,x\n'
    whole = list(read_csv(data))
    assert [row.number for row in whole] == [1, 2, 3, 4, 5]
    for skip in range(7):
        assert list(read_csv(data, skip=skip)) == whole[skip:]


@pytest.mark.parametrize(
    ("head", "filename", "content_type", "format"),
    [
        (b"url\n", "", "", "csv"),
        (b"url\n", "pages.tsv", "application/octet-stream", "csv"),
        (b"\xef\xbb\xbf {", "", "", "ndjson"),
        (b'{"url"', "pages.csv", "text/csv", "ndjson"),
        (b"\n", "pages.jsonl.gz", "", "ndjson"),
        (b"x", "", "application/x-ndjson; charset=utf-8", "ndjson"),
        (packed(b'{"url": 1}'), "", "", "ndjson"),
        (packed(b"url,title\n" * 9_000)[:50], "pages.csv.gz", "", "csv"),
    ],
)
def test_the_format_is_told_by_content_then_type_then_name(head, filename, content_type, format):
    assert sniff(head, filename, content_type) == format


@pytest.mark.parametrize("filename", ["a.html", "a.YAML", "a.pkl", "a.parquet", "a.xlsx", "a.zip", "a.yaml.gz"])
def test_files_of_other_kinds_are_refused_by_name(filename):
    with pytest.raises(BadFile, match="are not read; send CSV or NDJSON"):
        sniff(b"url\n", filename)


cells = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])) | st.text(',;"\r\n\t =')
csvish = st.lists(
    st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"a", b"x,y\n", b"\xff", b"\x00", b";"]), max_size=60
)
jsonish = st.lists(
    st.sampled_from([b'{"url":"a"}', b"\n", b"{", b"}", b'"', b"[", b"\r\n", b"1", b"\\u0000"]), max_size=40
)


@given(st.lists(st.tuples(cells, cells), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_as_csv_is_read_back_exactly(table, end):
    body = "".join(f"{quoted(a)},{quoted('u' + b)}{end}" for a, b in table)
    rows = list(read_csv(f"title,url{end}{body}".encode()))
    assert [(row.values["title"], row.values["url"]) for row in rows] == [(a, f"u{b}") for a, b in table]


@given(csvish)
def test_any_bytes_after_a_csv_header_give_rows_and_refusals(pieces):
    data = HEADER + b"".join(pieces)
    rows = list(read_csv(data))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    starts = [row.line for row in rows]
    assert starts == sorted(set(starts))
    assert list(read_csv(data, skip=len(rows) // 2)) == rows[len(rows) // 2 :]


@given(jsonish)
def test_each_line_of_ndjson_that_is_not_blank_is_counted_once(pieces):
    data = b'{"url":"first"}\n' + b"".join(pieces)
    filled = [number for number, line in enumerate(data.split(b"\n"), start=1) if line.strip()]
    assert [row.line for row in read_ndjson(data)] == filled


@given(st.binary() | st.builds(lambda data: packed(data)[:-1], st.binary()), st.sampled_from(["csv", "ndjson"]))
def test_any_bytes_are_read_or_refused(data, format):
    with contextlib.suppress(BadFile):
        list(read(io.BytesIO(data), format=format, required=["url"]))
    with contextlib.suppress(BadFile):
        sniff(data)


@pytest.mark.parametrize("text", redos_strings())
@pytest.mark.timeout(60)
def test_strings_made_to_be_slow_are_read(text):
    data = text.encode("utf-8", "replace").replace(b"\0", b"")
    list(read_csv(HEADER + data))
    list(read_csv(HEADER + b'a,"' + data.replace(b'"', b'""') + b'"\n'))
    list(read_ndjson(b"{}\n" + data))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rows", [10_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_file(rows):
    peak_bytes(2_000)  # what is made once, is made before
    assert peak_bytes(rows) < peak_bytes(2_000) + 500_000


def test_a_line_without_end_is_not_held():
    endless = Stream(HEADER, b"x" * 65_536, times=1_000)
    tracemalloc.start()
    assert counts(read(endless, format="csv", required=["url"])) == (0, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * RECORD_BYTES


class Stream:
    """A file that is made while it is read: `start`, then `chunk` over and over."""

    def __init__(self, start, chunk, *, times):
        self.chunks = iter([start, *[chunk] * times])

    def read(self, size):
        return next(self.chunks, b"")


def peak_bytes(rows):
    chunk = b'https://example.org/page,"A title, with ""quotes""\nand two lines"\n' * 100
    tracemalloc.start()
    good = sum(
        isinstance(row, Row) for row in read(Stream(HEADER, chunk, times=rows // 100), format="csv", required=["url"])
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert good == rows
    return peak


def made(case):
    seeded = random.Random(case["cls"])
    return case["fn"](seeded, 8) if case["big"] else case["fn"](seeded)


def upload(data, filename=""):
    """What a door does with an upload: rows, or the BadFile that it would show."""
    try:
        return list(read(io.BytesIO(data), format=sniff(data[:4_096], filename), required=["url"]))
    except BadFile as refusal:
        return refusal


def read_csv(data, required=("url",), **options):
    return read(io.BytesIO(data), format="csv", required=required, **options)


def read_ndjson(data, required=("url",), **options):
    return read(io.BytesIO(data), format="ndjson", required=required, **options)


def urls(rows):
    return [row.values["url"] for row in rows]


def described(rows):
    return [(row.line, row.values["url"] if isinstance(row, Row) else row.reason) for row in rows]


def counts(rows):
    rows = list(rows)
    return sum(isinstance(row, Row) for row in rows), sum(isinstance(row, Refusal) for row in rows)


def quoted(cell):
    return '"{}"'.format(cell.replace('"', '""'))
