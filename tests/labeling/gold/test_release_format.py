"""The bytes of a release, and the version a difference asks for."""

import json
from fractions import Fraction

import pytest

from labeling.release_format import bump_between, content_sha256, sha256_of
from tests.labeling.gold.folders import LABELS, content, release, row


def test_the_order_in_which_rows_come_does_not_change_a_byte():
    assert release(row(3), row(1), row(2)) == release(row(1), row(2), row(3))


def test_the_manifest_names_every_file_with_its_hash_in_order_of_their_paths():
    files = release()
    manifest = json.loads(files["manifest.json"])
    paths = [entry["path"] for entry in manifest["files"]]
    assert paths == sorted(set(files) - {"manifest.json", "manifest.sha256"})
    assert all(entry["sha256"] == sha256_of(files[entry["path"]]) for entry in manifest["files"])
    assert files["manifest.sha256"] == f"{sha256_of(files['manifest.json'])}  manifest.json\n".encode()


def test_the_only_time_in_the_files_is_the_release_records():
    files = release()
    assert json.loads(files["manifest.json"])["created"] == "2026-03-01T12:00:00.250000Z"
    assert sha256_of(files["manifest.json"]) == sha256_of(release()["manifest.json"])


def test_a_row_is_one_canonical_line():
    first = release()["data.jsonl"].splitlines()[0].decode()
    assert first == (
        '{"content_sha256":"' + "c" * 64 + '","host":"site1.example.org","how":{"games":"adjudicated",'
        '"news":"unanimous"},"item":"' + "0" * 31 + '1","labels":{"games":"yes","news":"no"},"n_judgments":2,'
        '"outcome":"labelled","schema_version":1,"title":"Ein Spiel für zwei","url":"https://site1.example.org/"}'
    )


def test_weights_are_exact():
    assert json.loads(release()["weights.jsonl"].splitlines()[0]) == {
        "item": "0" * 31 + "1", "probability": "0.33333333333333333", "probability_fraction": "1/3", "draws": [1],
    }  # fmt: skip


ONE = content(row(1), row(2))
MORE_LABELS = {**LABELS, "labels": [*LABELS["labels"], {"key": "chat", "name": "Chat"}]}
FEWER_LABELS = {**LABELS, "labels": LABELS["labels"][:1]}
OTHER_WORDS = {**LABELS, "labels": [{"key": "games", "name": "Play"}, LABELS["labels"][1]]}


@pytest.mark.parametrize(
    ("after", "bump"),
    [
        (content(row(1), row(2, labels={"games": "no", "news": "no"})), "major"),
        (content(row(1)), "major"),
        (content(row(1), row(2), labels=FEWER_LABELS), "major"),
        (content(row(1), row(2), row(3)), "minor"),
        (content(row(1), row(2), labels=MORE_LABELS), "minor"),
        (content(row(1), row(2, probability=Fraction(1, 2))), "minor"),
        (content(row(1), row(2), labels=OTHER_WORDS), "patch"),
        (content(row(1), row(2), guideline="Read it twice."), "patch"),
    ],
    ids=["relabelled", "removed", "label gone", "added", "label added", "weight", "label's words", "guideline"],
)
def test_the_difference_says_which_version_is_next(after, bump):
    assert bump_between(ONE, after) == bump
    assert content_sha256(ONE) != content_sha256(after)


def test_the_card_says_how_to_check_the_release_without_the_product():
    card = release()["README.md"].decode()
    assert "python verification.py FOLDER" in card and "only Python" in card


def test_the_card_says_that_urls_keep_their_query():
    assert "with its query" in release()["README.md"].decode()
