"""Rows in, items out: what is new, known, changed or refused."""

import gzip
from datetime import UTC, datetime

import pytest

from labeling import chunks, imports, intake, jobs
from labeling.models import Assignment, Import, Item, Job, RefusedRow, Selection, Snapshot
from labeling.refusals import Unacceptable
from tests.factories import make_project
from tests.labeling.intake.files import bring, counts, csv, ndjson, reasons, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)


def test_each_new_address_becomes_an_item_with_its_text_and_stream(project):
    run = bring(project, csv("https://a.example/x?q=1#top,A title,Some text"))
    item = Item.objects.get(project=project)
    assert counts(run) == (1, 0, 0, 0)
    assert (item.url_raw, item.url_key) == ("https://a.example/x?q=1#top", "https://a.example/x?q=1")
    assert (item.url_display, item.host) == ("a.example/x?…", "a.example")
    assert (item.snapshot.title, item.snapshot.text) == ("A title", "Some text")
    assert item.selections.get().stream == "import"
    assert run.job.state == Job.State.DONE


def test_the_same_file_twice_adds_nothing(project):
    content = csv("https://a.example/,A,one", "https://b.example/,B,two", "https://a.example/,A,other")
    bring(project, content)
    before = Item.objects.count(), Snapshot.objects.count(), Selection.objects.count()
    again = bring(project, content)
    assert counts(again) == (0, 3, 0, 0)
    assert (Item.objects.count(), Snapshot.objects.count(), Selection.objects.count()) == before


@pytest.mark.parametrize("rows_a_chunk", [1, 2, 100])
def test_duplicates_inside_a_file_are_reported_wherever_chunks_end(project, monkeypatch, rows_a_chunk):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", rows_a_chunk)
    run = bring(project, csv("https://a.example/,A,", "HTTPS://A.example:443/#x,A,", "https://b.example/,,"))
    assert counts(run) == (2, 1, 0, 0)


def test_other_text_makes_a_new_snapshot_and_the_item_shows_it(project):
    bring(project, csv("https://a.example/,Old,old text"))
    run = bring(project, csv("https://a.example/,New,new text"))
    item = Item.objects.get(project=project)
    assert counts(run) == (0, 0, 1, 0)
    assert item.snapshot.text == "new text"
    assert item.snapshots.count() == 2


def test_a_row_without_text_leaves_the_known_text(project):
    bring(project, csv("https://a.example/,Old,old text"))
    assert counts(bring(project, csv("https://a.example/", header="url"))) == (0, 1, 0, 0)
    assert Item.objects.get(project=project).snapshot.text == "old text"


def test_text_brought_by_a_later_chunk_of_the_same_file_is_shown(project, small_chunks):
    run = bring(project, csv("https://a.example/,,", "https://b.example/,,", "https://a.example/,Title,text"))
    assert counts(run) == (2, 0, 1, 0)
    assert Item.objects.get(project=project, host="a.example").snapshot.text == "text"


def test_two_projects_do_not_share_items(project):
    content = csv("https://a.example/,,")
    bring(project, content)
    assert counts(bring(make_project(), content)) == (1, 0, 0, 0)


def test_other_columns_become_metadata_as_text(project):
    bring(project, ndjson({"url": "https://a.example/", "source": "list 7", "rank": 3, "seen": True, "empty": None}))
    assert Item.objects.get(project=project).metadata == {"source": "list 7", "rank": "3", "seen": "true"}


def test_a_capture_date_is_kept_in_utc(project):
    bring(project, csv("https://a.example/,t,2026-01-31T12:00:00+02:00", header="url,title,captured_at"))
    assert Snapshot.objects.get().captured_at == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"url": "ftp://a.example/"}, "Only http and https pages can be judged."),
        ({"url": "https:///"}, "The address has no host."),
        ({"url": "https://a.example/", "captured_at": "yesterday"},
         "“yesterday” in “captured_at” is no date; write 2026-01-31 or 2026-01-31T12:00:00Z."),
        ({"url": "https://a.example/", "captured_at": "2026-13-45"},
         "“2026-13-45” in “captured_at” is no date; write 2026-01-31 or 2026-01-31T12:00:00Z."),
        ({"url": "https://a.example/", "external_id": "x" * 256},
         "The value of “external_id” is longer than 255 characters."),
        ({"url": "https://a.example/", "language": "x" * 36}, "The value of “language” is longer than 35 characters."),
        ({"url": "https://a.example/", "title": ["no"]}, "The value of “title” must be text."),
        ({"url": "https://a.example/", "tags": ["no"]},
         "A value is a list or an object; other columns hold text, numbers, true or false."),
        ({"url": "https://a.example/", "big": "x" * 2001}, "The value of “big” is longer than 2,000 characters."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_costs_no_other_and_says_why(project, values, sentence):
    run = bring(project, ndjson({"url": "https://first.example/"}, values, {"url": "https://last.example/"}))
    assert counts(run) == (2, 0, 0, 1)
    assert reasons(run) == [(2, sentence)]


def test_a_file_of_refused_rows_alone_is_done_with_its_counts(project):
    run = bring(project, csv("nonsense,,", "mailto:a@b.example,,"))
    assert (run.job.state, counts(run)) == (Job.State.DONE, (0, 0, 0, 2))


def test_addresses_without_a_scheme_are_refused_unless_one_is_assumed(project):
    assert counts(bring(project, csv("a.example/x,,"))) == (0, 0, 0, 1)
    assert counts(bring(project, csv("a.example/x,,"), assume_scheme="https")) == (1, 0, 0, 0)
    assert Item.objects.get(project=project).url_key == "https://a.example/x"


def test_queueing_opens_the_projects_overlap_for_new_items_only(project):
    bring(project, csv("https://a.example/,,"))
    bring(project, csv("https://a.example/,,", "https://b.example/,,"), queue=True)
    assert set(Assignment.objects.values_list("item__host", "slot")) == {("b.example", 1), ("b.example", 2)}


def test_gzip_is_read_and_damaged_gzip_creates_nothing(project):
    packed = gzip.compress(csv(*(f"https://h{n}.example/,t,{n}" for n in range(5000))))
    broken = bring(project, packed[:-20])
    assert broken.job.state == Job.State.FAILED
    assert broken.job.message == "The gzip file ends too early; it was cut off on its way."
    assert not Item.objects.exists()
    assert counts(bring(project, packed)) == (5000, 0, 0, 0)


def test_what_can_be_no_list_is_refused_at_the_door_and_leaves_nothing(project):
    with pytest.raises(Unacceptable, match="ZIP archive"):
        send(project, b"PK\x03\x04rest")
    assert not Import.objects.exists()
    assert not Job.objects.exists()


def test_a_header_without_url_fails_the_job_with_a_sentence(project):
    run = bring(project, csv("A", header="title"))
    assert run.job.state == Job.State.FAILED
    assert "no column" in run.job.message
    assert not RefusedRow.objects.exists()


def test_delivering_the_job_twice_is_harmless(project):
    run = send(project, csv("https://a.example/,,"))
    assert [jobs.run(run.pk), jobs.run(run.pk)] == ["done", "not ours"]
    assert Item.objects.count() == 1


def test_a_run_that_stopped_midway_goes_on_after_its_checkpoint(project, small_chunks, monkeypatch):
    run = send(project, csv(*(f"https://h{n}.example/,t,{n}" for n in range(5)), "bad,,", "https://h0.example/,t,0"))
    die_after(monkeypatch, chunks=2)
    with pytest.raises(KeyboardInterrupt):
        intake.run(jobs.claim(run.pk))
    assert Import.objects.get(pk=run.pk).rows_done == 4
    monkeypatch.undo()
    Job.objects.filter(pk=run.pk).update(state=Job.State.QUEUED)
    jobs.run(run.pk)
    run = Import.objects.get(pk=run.pk)
    assert counts(run) == (5, 1, 0, 1)
    assert reasons(run) == [(7, "The address does not start with http:// or https://.")]
    assert Item.objects.count() == Selection.objects.count() == 5


def test_a_worker_that_lost_its_fence_writes_nothing(project, small_chunks):
    run = send(project, csv("https://a.example/,,"))
    claim = jobs.claim(run.pk)
    Job.objects.filter(pk=run.pk).update(fence=claim.fence + 1)
    with pytest.raises(jobs.FenceLost):
        intake.run(claim)
    assert not Item.objects.exists()
    assert Import.objects.get(pk=run.pk).rows_total == 0


def test_a_pasted_list_is_one_address_a_line(project):
    chunks, content_type = intake.pasted("https://a.example/,with,commas\r\n\r\nhttps://b.example/\nnonsense")
    run = bring(project, chunks, content_type=content_type)
    assert counts(run) == (2, 0, 0, 1)
    assert reasons(run)[0][0] == 4


def test_a_pasted_line_is_kept_as_it_was_pasted(project):
    chunks, content_type = intake.pasted("\n  https://a.example/ \n")
    bring(project, chunks, content_type=content_type)
    assert Item.objects.get(project=project).url_raw == "  https://a.example/ "


def test_a_pasted_table_is_read_as_one(project):
    chunks, content_type = intake.pasted("url\ttitle\nhttps://a.example/\tA title\n")
    bring(project, chunks, content_type=content_type)
    assert Item.objects.get(project=project).snapshot.title == "A title"


def test_progress_is_told_in_words():
    run = Import(rows_total=12_000, rows_created=11_400, rows_duplicate=500, rows_refused=100)
    assert imports.in_words(run) == "12,000 rows read: 11,400 new, 500 known, 100 refused"


# ---- what a later import adds ---------------------------------------------------------------------------------------
FIELDS = "url,external_id,language,rank"


def test_what_was_empty_is_filled_by_a_later_import(project):
    bring(project, csv("https://a.example/", header="url"))
    run = bring(project, csv("https://a.example/,17,de,3", header=FIELDS))
    item = Item.objects.get(project=project)
    assert counts(run) == (0, 0, 1, 0)
    assert (item.external_id, item.language, item.metadata) == ("17", "de", {"rank": "3"})
    assert counts(bring(project, csv("https://a.example/,17,de,3", header=FIELDS))) == (0, 1, 0, 0)


def test_what_was_empty_is_filled_by_a_later_row_of_the_file(project):
    run = bring(project, csv("https://a.example/,,,", "https://a.example/,17,,3", header=FIELDS))
    assert counts(run) == (1, 0, 1, 0)
    assert Item.objects.get(project=project).external_id == "17"


def test_new_columns_are_added_to_those_that_are_known(project):
    bring(project, ndjson({"url": "https://a.example/", "rank": 3}))
    run = bring(project, ndjson({"url": "https://a.example/", "rank": 3, "source": "list 7"}))
    assert counts(run) == (0, 0, 1, 0)
    assert Item.objects.get(project=project).metadata == {"rank": "3", "source": "list 7"}


def test_what_is_known_is_kept_and_the_row_that_says_otherwise_is_noted(project):
    bring(project, csv("https://a.example/,17,de,3", header=FIELDS))
    run = bring(project, csv("https://b.example/,18,,", "https://a.example/,19,fr,4", header=FIELDS))
    item = Item.objects.get(project=project, host="a.example")
    assert counts(run) == (1, 1, 0, 0)
    assert (item.external_id, item.language, item.metadata) == ("17", "de", {"rank": "3"})
    assert [(note.line, note.sentence) for note in run.notes.all()] == [
        (3, "This page is known with another external_id (“17”), language (“de”) and rank; what was known is kept.")
    ]


def test_a_row_with_new_text_and_another_id_brings_its_text(project):
    bring(project, csv("https://a.example/,17,old", header="url,external_id,text"))
    run = bring(project, csv("https://a.example/,18,new", header="url,external_id,text"))
    assert (counts(run), run.notes.count()) == ((0, 0, 1, 0), 1)
    assert Item.objects.get(project=project).snapshot.text == "new"


def test_columns_that_find_no_room_any_more_are_noted(project):
    half = {f"c{n}": "x" * 1_900 for n in range(9)}
    bring(project, ndjson({"url": "https://a.example/"} | half))
    run = bring(project, ndjson({"url": "https://a.example/", "d1": "y" * 1_900, "d2": "y" * 1_900}))
    assert counts(run) == (0, 1, 0, 0)
    assert run.notes.get().sentence == "There was no room beside what is known of this page for d1 and d2."


@pytest.mark.postgres
def test_a_row_the_database_cannot_hold_costs_no_other_whatever_it_is(project, monkeypatch):
    """SQLite holds any length. The check that refuses such a row before is taken away here, as if nobody had known."""
    monkeypatch.setattr("labeling.intake.MAX_LANGUAGE", 1_000)
    languages = ["", "x" * 99, "en", "de", "y" * 99, "fr", ""]
    run = bring(
        project, csv(*(f"https://h{n}.example/,{one}" for n, one in enumerate(languages)), header="url,language")
    )
    assert counts(run) == (5, 0, 0, 2)
    assert reasons(run) == [(3, chunks.CANNOT_HOLD), (6, chunks.CANNOT_HOLD)]
    assert Selection.objects.count() == 5


def die_after(monkeypatch, *, chunks: int) -> None:
    """As kill -9 would: in the middle of the next chunk, after its rows were written but not committed."""
    store, left = intake.store, [chunks]

    def fatal(*args):
        outcome = store(*args)
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return outcome

    monkeypatch.setattr(intake, "store", fatal)
