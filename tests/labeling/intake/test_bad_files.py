"""Every malformed file of the public corpus keeps its promise: sums add up, refusals name lines, nothing is run."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labeling.models import Import, Item, Job
from labeling.refusals import Unacceptable
from tests.factories import make_project
from tests.labeling.intake.files import bring, counts, ndjson, reasons

CORPUS = Path(__file__).parents[2] / "corpora" / "bad_inputs"
pytestmark = pytest.mark.django_db


# The files of which the corpus says: taking or refusing them is right, if it is written down. Created, duplicate,
# updated and refused rows of what is taken; the sentence of what is not.
OURS: dict[str, tuple[int, int, int, int] | str] = {
    "003_csv_cr_only.csv": (6, 0, 0, 0),
    "006_csv_unclosed_quote.csv": (3, 0, 0, 1),
    "008_csv_latin1.csv": (2, 0, 0, 1),
    "009_csv_utf16.csv": "The file is in UTF-16; save it as UTF-8 and send it again.",
    "013_csv_semicolon.csv": (3, 0, 0, 0),
    "015_csv_header_only.csv": (0, 0, 0, 0),
    "019_csv_big_field.csv": (2, 0, 0, 0),
    "021_csv_one_line.csv": (0, 0, 0, 1),
    "027_jsonl_array_not_lines.jsonl": (
        "The file is one JSON list; send one object on each line instead (jq -c '.[]' makes it)."
    ),
    "044_html_snapshot.html": "Files of the kind .html are not read; send CSV or NDJSON, plain or gzip.",
}


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad_files")
    command = [sys.executable, str(CORPUS / "make_bad_files.py"), "--out", str(folder), "--seed", "1", "--big", "64"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_every_generated_file_meets_its_manifest(bad_files, tmp_path, monkeypatch):
    canary = tmp_path / "canary"
    monkeypatch.setitem(os.environ, "TS_CANARY", str(canary))
    broken = [fault for entry in manifest(bad_files) for fault in faults_of(bad_files, entry)]
    assert not broken
    assert not canary.exists()


def test_where_either_answer_is_right_ours_is_the_one_written_here(bad_files):
    taken = {}
    for entry in manifest(bad_files):
        if entry["expect"] == "ok_or_reject":
            run = taken_from(bad_files, entry)
            taken[entry["file"]] = counts(run) if isinstance(run, Import) else run
    assert taken == OURS


def manifest(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def taken_from(folder: Path, entry: dict) -> Import | str:
    """The import of this file, or the sentence it was refused with as a whole; then nothing of it may be left."""
    project = make_project()
    with (folder / entry["file"]).open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        try:
            run = bring(project, chunks, filename=entry["upload_name"], content_type=entry["content_type"] or "")
        except Unacceptable as refused:
            return str(refused)
    if run.job.state != Job.State.FAILED:
        return run
    assert not Item.objects.filter(project=project).exists(), entry["file"]
    return run.job.message


def faults_of(folder: Path, entry: dict) -> Iterator[str]:
    """What is wrong with how this file was taken; nothing, when it was taken or refused as it should be."""
    name = entry["file"]
    started = time.monotonic()
    with memory_grown() as megabytes:
        run = taken_from(folder, entry)
    if time.monotonic() - started > entry["max_s"]:  # a hang, not a slow machine: these take milliseconds
        yield f"{name} took more than {entry['max_s']} seconds"
    if megabytes() > entry["max_rss_mb"]:
        yield f"{name} took {megabytes():.0f} MB of memory"
    if isinstance(run, str):
        if entry["expect"] not in {"reject_file", "ok_or_reject"} or not run.endswith("."):
            yield f"{name} was refused: {run}"
        return
    created, duplicate, updated, refused = counts(run)
    found = {"rows_total": run.rows_total, "rows_ok": created + updated, "rows_dup": duplicate, "rows_bad": refused}
    wanted = {key: entry[key] for key in found if entry[key] is not None}
    if entry["expect"] in {"ok", "partial"} and not wanted.items() <= found.items():
        yield f"{name}: {found} instead of {wanted}"
    if entry["expect"] == "reject_file" and created:
        yield f"{name} was taken"
    named = [(line, reason) for line, reason in reasons(run) if line >= 1 and reason.endswith(".")]
    if len(named) != refused:
        yield f"{name}: of {refused} refused rows only {named} name their line and a reason"


@contextmanager
def memory_grown() -> Iterator[Callable[[], float]]:
    """How far the memory this process holds rose above its start meanwhile, MB; 0 where the system cannot tell."""
    if not Path("/proc/self/clear_refs").exists():
        yield lambda: 0.0
        return
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts again from here
    yield lambda: resident("VmHWM") - before


def resident(kind: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{kind}:"))


def test_naughty_strings_are_kept_letter_for_letter():
    """The list of strings that break software, as titles and texts: kept as they are, or refused with their line."""
    naughty = json.loads((CORPUS / "third_party" / "blns.json").read_text("utf-8"))
    address = "https://a.example/{}".format
    rows = [{"url": address(n), "title": text, "text": text} for n, text in enumerate(naughty)]
    project = make_project()
    run = bring(project, ndjson(*rows))
    kept = {item.url_raw: item.snapshot for item in project.items.select_related("snapshot")}
    refused = set(run.refused.values_list("line", flat=True))
    for line, row in enumerate(rows, start=1):
        if line in refused:
            assert "\x00" in row["text"]
            continue
        snapshot = kept[row["url"]]
        assert (snapshot.title, snapshot.text) == (row["title"], row["text"]) if row["text"] else snapshot is None
    assert len(kept) + len(refused) == len(naughty) > 400
