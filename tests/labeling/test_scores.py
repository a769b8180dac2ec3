"""The shard file: what was written is what is read, and nothing else is taken for it."""

import numpy as np
import pytest

from labeling import scores, whole_files

ITEMS = np.array([3, 8, 21], dtype=np.int64)
LOG_ODDS = np.array([[0.0, np.nan], [-40.0, 1.5], [40.0, -1.5]], dtype=np.float32)


def written(folder):
    return scores.write(folder, columns=("games", "news"), items=ITEMS, log_odds=LOG_ODDS)


def test_a_shard_reads_as_it_was_written_straight_from_the_disk(tmp_path):
    shard = scores.read(tmp_path, written(tmp_path))
    assert shard.columns == ("games", "news") and isinstance(shard.log_odds, np.memmap)
    np.testing.assert_array_equal(shard.items, ITEMS)
    np.testing.assert_array_equal(shard.log_odds, LOG_ODDS)


def test_probabilities_of_a_label_without_a_model_are_not_a_number(tmp_path):
    p = scores.read(tmp_path, written(tmp_path)).probabilities()
    assert p[0, 0] == 0.5 and np.isnan(p[0, 1]) and 0 < p[1, 0] < 1e-16


def test_rows_are_found_by_item_and_strangers_are_not(tmp_path):
    shard = scores.read(tmp_path, written(tmp_path))
    assert shard.rows_of(np.array([1, 3, 9, 21, 22])).tolist() == [-1, 0, -1, 2, -1]


def test_the_same_scores_have_the_same_name_and_one_file(tmp_path):
    assert written(tmp_path) == written(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_changed_byte_is_found_and_a_cut_file_is_not_opened(tmp_path):
    digest = written(tmp_path)
    path = scores.path_of(tmp_path, digest)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(scores.DamagedShard, match="other bytes"):
        scores.verify(tmp_path, digest)
    path.write_bytes(whole[:-4])
    with pytest.raises(scores.DamagedShard, match="bytes long"):
        scores.read(tmp_path, digest)


@pytest.mark.parametrize(
    "content", [b"", b"TSSCORE1", b"another format altogether, and long enough", b"TSSCORE1" + b"\xff" * 40]
)
def test_a_file_that_is_no_shard_is_said_to_be_none(tmp_path, content):
    scores.path_of(tmp_path, "a" * 64).write_bytes(content)
    with pytest.raises(scores.DamagedShard, match="no score shard"):
        scores.read(tmp_path, "a" * 64)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(scores.DamagedShard, match="train again"):
        scores.read(tmp_path, "b" * 64)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_items_must_grow_and_match_the_scores(tmp_path):
    for items, log_odds in ((ITEMS[::-1], LOG_ODDS), (ITEMS[:2], LOG_ODDS), (ITEMS[:0], LOG_ODDS[:0])):
        with pytest.raises(ValueError):
            scores.write(tmp_path, columns=("games", "news"), items=items, log_odds=log_odds)
