"""Vendored front-end files are exactly the released ones: named in VENDOR.json, with their hash and licence."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [ROOT / "static" / "vendor", ROOT / "tests" / "e2e" / "vendor"]
ENTRIES = [
    (folder, library) for folder in FOLDERS for library in json.loads((folder / "VENDOR.json").read_text("utf-8"))
]
COPYLEFT_FREE = {"0BSD", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}


def name_of(entry) -> str:
    return entry["name"] if isinstance(entry, dict) else entry.name


@pytest.mark.parametrize(("folder", "library"), ENTRIES, ids=name_of)
def test_each_vendored_file_has_the_hash_it_was_copied_with(folder, library):
    for copy in library["files"]:
        assert hashlib.sha256((folder / copy["file"]).read_bytes()).hexdigest() == copy["sha256"], copy["file"]


@pytest.mark.parametrize(("folder", "library"), ENTRIES, ids=name_of)
def test_each_vendored_library_has_its_licence_text_and_its_version_in_the_file_names(folder, library):
    assert (folder / library["licence_file"]).read_text("utf-8").strip()
    for copy in library["files"]:
        assert copy["file"].startswith(f"{library['name']}-{library['version']}.")


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_nothing_lies_in_a_vendor_folder_that_is_not_listed(folder):
    listed = {"VENDOR.json"}
    for owner, library in ENTRIES:
        if owner == folder:
            listed |= {
                library["licence_file"],
                *(copy["file"] for copy in library["files"]),
            }
    assert {path.name for path in folder.iterdir()} == listed


def test_only_permissive_licences_are_shipped_to_the_browser():
    shipped = {library["licence"] for folder, library in ENTRIES if folder == FOLDERS[0]}
    assert shipped <= COPYLEFT_FREE


def test_the_pinned_versions_are_the_vendored_ones():
    package = json.loads((ROOT / "tools" / "vendor" / "package.json").read_text("utf-8"))
    pinned = package["dependencies"] | package["devDependencies"]
    assert pinned == {library["source"]: library["version"] for _, library in ENTRIES}


def test_the_lock_file_names_no_address():
    lock = (ROOT / "tools" / "vendor" / "package-lock.json").read_text("utf-8")
    assert "://" not in lock
    assert "file:" not in lock
