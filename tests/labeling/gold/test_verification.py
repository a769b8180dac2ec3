"""`verify_release` in a bare Python process: it names what is missing, changed and extra."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling import verification
from labeling.release_format import canonical, sha256_of
from tests.labeling.gold.folders import release, row, write

FILES = release()
SCRIPT = Path(verification.__file__)


@pytest.fixture
def folder(tmp_path):
    return write(FILES, tmp_path / "gold-1.0.0")


def test_a_whole_release_has_no_problem(folder):
    assert verification.verify(folder) == []


def test_it_runs_where_nothing_but_python_is_installed(folder):
    """-I and -S leave the standard library alone: Django cannot be imported in that process."""
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('django') is not None)"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", probe]).returncode == 0
    done = subprocess.run([sys.executable, "-I", "-S", SCRIPT, folder], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Version 1.0.0 is whole: every file is as released.\n"


def test_a_changed_release_ends_with_1_and_a_sentence(folder):
    (folder / "guidelines.md").write_text("Anything goes.\n")
    done = subprocess.run([sys.executable, "-I", "-S", SCRIPT, folder], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "guidelines.md has changed: it has 15 bytes of 21 and another SHA-256.\n"


def test_a_missing_and_an_extra_file_are_named(folder):
    (folder / "labels.json").unlink()
    (folder / "draws" / "2.json").write_text("{}")
    assert verification.verify(folder) == [
        "labels.json is missing.",
        "draws/2.json is extra: the manifest does not name it.",
    ]


def test_the_changed_row_is_named(folder):
    data = (folder / "data.jsonl").read_bytes()
    (folder / "data.jsonl").write_bytes(data.replace(b'"games":"yes"', b'"games":"no!"', 1))
    problems = verification.verify(folder)
    assert problems[1:] == [f"data.jsonl, line 1: the row of item {row(1).item} has changed."]


def test_a_row_left_out_and_a_row_twice_are_named(folder):
    lines = (folder / "data.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "data.jsonl").write_bytes(lines[0] + lines[0] + lines[2])
    problems = verification.verify(folder)
    assert f"data.jsonl, line 2: item {row(1).item} is there twice." in problems
    assert f"data.jsonl: the row of item {row(2).item} is missing." in problems


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_of_any_file_is_caught(folder, data):
    name = data.draw(st.sampled_from(sorted(FILES)))
    place = data.draw(st.integers(0, len(FILES[name]) - 1))
    changed = bytearray(FILES[name])
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / name).write_bytes(changed)
    problems = verification.verify(folder)
    (folder / name).write_bytes(FILES[name])
    assert any(name.removesuffix(".sha256") in problem for problem in problems)


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", "a/../../outside", "draws//1.json", "..\\outside", "C:x"]
)
def test_a_manifest_that_points_outside_is_refused_and_nothing_outside_is_read(folder, path):
    manifest = json.loads(FILES["manifest.json"])
    manifest["files"][0]["path"] = path
    forged = canonical(manifest)
    (folder / "manifest.json").write_bytes(forged)
    (folder / "manifest.sha256").write_text(f"{sha256_of(forged)}  manifest.json\n")
    assert verification.verify(folder) == ["manifest.json is not the manifest of a release."]


def test_a_link_in_place_of_a_file_is_no_plain_file(folder, tmp_path):
    (tmp_path / "elsewhere").write_bytes(FILES["labels.json"])
    (folder / "labels.json").unlink()
    (folder / "labels.json").symlink_to(tmp_path / "elsewhere")
    assert verification.verify(folder) == ["labels.json is not a plain file."]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 100_000, b'{"files": [1], "version": "1.0.0"}', b"\xff"])
def test_a_manifest_that_is_none_is_one_sentence(folder, content):
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sha256").write_text(f"{sha256_of(content)}  manifest.json\n")
    assert verification.verify(folder) == ["manifest.json is not the manifest of a release."]


def test_a_folder_that_is_no_release_is_one_sentence(tmp_path):
    assert "is not a folder" in verification.verify(tmp_path / "nowhere")[0]
    assert "manifest.json is missing" in verification.verify(tmp_path)[0]


def test_it_imports_nothing_but_the_standard_library():
    lines = SCRIPT.read_text().splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names
