"""No cell is too long or too odd for the database: it is stored whole or refused in a sentence, and costs no other row.

PostgreSQL holds what SQLite lets pass: lengths of columns, index entries of 2,704 bytes, U+0000, half characters.
"""

import pytest

from labeling.models import Item, Job, Judgment, Rater
from tests.factories import make_project
from tests.labeling.intake.files import bring, bring_answers, counts, ndjson, reasons

pytestmark = pytest.mark.django_db

GOOD = "https://good.example/"
HOST = ".".join(["a" * 49] * 5) + ".org"  # 253 characters, as long as a name may be
WIDE = "\U0001f600"  # four bytes, and two halves in UTF-16
LONG_HOST = "The host is longer than 253 characters."

FITS = {
    "a host as long as a name may be": {"url": f"https://{HOST}/"},
    "the same with a final dot": {"url": f"https://{HOST}./"},
    "an address of 16,384 bytes": {"url": GOOD + "p" * (16_384 - len(GOOD))},
    "a title, in characters of four bytes": {"url": GOOD, "title": WIDE * 2_000},
    "a text of a megabyte": {"url": GOOD, "text": "word " * 200_000},
    "an external_id, in characters of four bytes": {"url": GOOD, "external_id": WIDE * 255},
    "an external_id that is a number": {"url": GOOD, "external_id": int("9" * 255)},
    "a language": {"url": GOOD, "language": WIDE * 35},
    "a column with a long name": {"url": GOOD, "n" * 1_900: "v"},
    "a column of the longest value": {"url": GOOD, "extra": WIDE * 2_000},
    "a number of 400 digits": {"url": GOOD, "extra": int("9" * 400)},
    "the first and the last day": {"url": GOOD, "title": "t", "captured_at": "0001-01-01T00:00:00Z"},
    "a line separator": {"url": GOOD, "title": "a\u2028b\x85c\x1bd\x7f\ufffe"},
}
REFUSED = {
    "a host of 264 characters": ({"url": f"https://{'a.' * 130}com/"}, LONG_HOST),
    "a host that grows beyond it as ASCII": ({"url": f"https://{'é.' * 60}com/"}, LONG_HOST),
    "a host without a dot": ({"url": f"https://{'a' * 254}/"}, LONG_HOST),
    "an address that grows as ASCII": (
        {"url": GOOD + "é" * 8_000}, "The address is longer than 16,384 bytes in its canonical form."),
    "an external_id that is a longer number": (
        {"url": GOOD, "external_id": int("9" * 256)}, "The value of “external_id” is longer than 255 characters."),
    "a title too long": ({"url": GOOD, "title": "t" * 2_001}, "The value of “title” is longer than 2,000 characters."),
    "a column too long": ({"url": GOOD, "extra": "x" * 2_001}, "The value of “extra” is longer than 2,000 characters."),
    "columns too long together": (
        {"url": GOOD} | {f"c{n}": "x" * 1_999 for n in range(11)},
        "The other columns hold more than 20,000 characters together."),
    "a day before the first": (
        {"url": GOOD, "title": "t", "captured_at": "0001-01-01T00:00:00+14:00"},
        "“0001-01-01T00:00:00+14:00” in “captured_at” is no date; write 2026-01-31 or 2026-01-31T12:00:00Z."),
    "a null in a cell": ({"url": GOOD, "title": "a\x00b"}, "null character"),
    "a null in the name of a column": ({"url": GOOD, "a\x00b": "x"}, "null character"),
    "half a character in a cell": ({"url": GOOD, "text": "\ud83d"}, "lone surrogate"),
    "half a character in a name": ({"url": GOOD, "\ude00": "x"}, "lone surrogate"),
    "a number of 401 digits": ({"url": GOOD, "extra": int("9" * 401)}, "at most 400 are read"),
}  # fmt: skip


@pytest.mark.parametrize("case", FITS)
def test_what_fits_is_stored_whole_between_its_neighbours(case):
    row = {"title": ""} | FITS[case]
    run = between_two_good_ones(row)
    assert counts(run) == (3, 0, 0, 0)
    item = Item.objects.get(url_raw=row["url"])
    assert (item.snapshot.title if item.snapshot else "") == row["title"]
    assert item.external_id == str(row.get("external_id", ""))
    assert item.metadata == {name: str(row[name]) for name in row if name in {"extra", "n" * 1_900}}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence_and_costs_no_other_row(case):
    row, sentence = REFUSED[case]
    run = between_two_good_ones(row)
    assert counts(run) == (2, 0, 0, 1)
    ((line, reason),) = reasons(run)
    assert line == 2
    assert sentence in reason


def between_two_good_ones(row: dict):
    run = bring(make_project(), ndjson({"url": "https://first.example/"}, row, {"url": "https://last.example/"}))
    assert run.job.state == Job.State.DONE, run.job.message
    return run


def test_a_header_too_long_to_quote_fails_in_a_sentence_that_fits():
    name = "n" * 3_000
    run = bring(make_project(), f"url,{name},{name}\n{GOOD},1,2\n".encode())
    assert run.job.state == Job.State.FAILED
    assert run.job.message.startswith('Two columns are called "nnn')


def test_a_file_name_of_any_length_and_kind_is_kept_as_what_prints():
    run = bring(make_project(), ndjson({"url": GOOD}), filename=f"a\x00\ud83d\r\n{WIDE * 400}.ndjson")
    assert run.filename == f"a{WIDE * 254}"


def test_the_bytes_of_a_refused_row_are_shown_escaped():
    run = bring(make_project(), b"url,title\nhttps://a.example/,a\x00b\nhttps://b.example/,\xff\xfe\xed\xa0\x80\n")
    assert counts(run) == (0, 0, 0, 2)
    assert list(run.refused.values_list("raw", flat=True)) == [
        r"https://a.example/,a\x00b", r"https://b.example/,\xff\xfe\xed\xa0\x80"]  # fmt: skip


ANSWERS = {
    "a rater with the longest code": ({"annotator": WIDE * 80}, ""),
    "a rater with a longer code": ({"annotator": "r" * 81}, "1 to 80 characters"),
    "a rater that is a long number": ({"annotator": int("9" * 81)}, "1 to 80 characters"),
    "an active time beyond any number": ({"annotator": "r", "active_seconds": int("9" * 400)}, "must be a number"),
    "a label nobody asks": ({"annotator": "r", "yes": ["x" * 3_000]}, "x"),
    "an outcome nobody knows": ({"annotator": "r", "skip_reason": "x" * 3_000}, "longer than 40 characters"),
    "a time before the first": ({"annotator": "r", "submitted_at": "0001-01-01T00:00:00+14:00"}, "is no date"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_fits_or_is_refused_in_a_sentence_and_costs_no_other(case):
    row, sentence = ANSWERS[case]
    project = make_project()
    bring(project, ndjson({"url": GOOD}))
    wanted = {"url": GOOD, "none": True} if "yes" not in row and "skip_reason" not in row else {"url": GOOD}
    run = bring_answers(project, ndjson({"url": GOOD, "annotator": "first", "none": True}, wanted | row))
    assert run.job.state == Job.State.DONE, run.job.message
    assert counts(run) == ((2, 0, 0, 0) if not sentence else (1, 0, 0, 1))
    assert all(sentence in reason for _, reason in reasons(run))
    assert Rater.objects.filter(project=project).count() == Judgment.objects.count()
