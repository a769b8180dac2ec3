"""Every malformed file of the public corpus keeps its promise: sums add up, refusals name lines, nothing is run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labeling.models import Import, Item, Job
from labeling.refusals import Unacceptable
from tests.factories import make_project
from tests.labeling.intake.files import bring, counts, ndjson

CORPUS = Path(__file__).parents[2] / "corpora" / "bad_inputs"
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad_files")
    command = [sys.executable, str(CORPUS / "make_bad_files.py"), "--out", str(folder), "--seed", "1", "--big", "1"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_every_generated_file_meets_its_manifest(bad_files, tmp_path, monkeypatch):
    canary = tmp_path / "canary"
    monkeypatch.setitem(os.environ, "TS_CANARY", str(canary))
    broken = [fault for entry in manifest(bad_files) if (fault := fault_of(bad_files, entry))]
    assert not broken
    assert not canary.exists()


def manifest(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def fault_of(folder: Path, entry: dict) -> str:
    """What is wrong with how this file was taken; empty when nothing is."""
    project = make_project()
    content = (folder / entry["file"]).read_bytes()
    try:
        run = bring(project, content, filename=entry["upload_name"], content_type=entry["content_type"] or "")
    except Unacceptable:
        return "" if entry["expect"] in {"reject_file", "ok_or_reject"} else f"{entry['file']} was refused"
    if run.job.state == Job.State.FAILED:
        if Item.objects.filter(project=project).exists():
            return f"{entry['file']} was refused, but left items"
        return "" if entry["expect"] in {"reject_file", "ok_or_reject"} else f"{entry['file']}: {run.job.message}"
    return _sums(entry, run)


def _sums(entry: dict, run: Import) -> str:
    created, duplicate, updated, refused = counts(run)
    found = {"rows_total": run.rows_total, "rows_ok": created + updated, "rows_dup": duplicate, "rows_bad": refused}
    wanted = {name: entry[name] for name in found if entry[name] is not None}
    if entry["expect"] in {"ok", "partial"} and not wanted.items() <= found.items():
        return f"{entry['file']}: {found} instead of {wanted}"
    return "" if entry["expect"] != "reject_file" or not created else f"{entry['file']} was taken"


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
