"""Uploads: written whole under a generated name, or not at all."""

import errno
import hashlib

import pytest

from labeling import storage
from labeling.refusals import Refused


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.BLOB_DIR = tmp_path
    return tmp_path / "uploads"


def test_a_file_is_stored_under_a_name_nobody_chose(folder):
    upload = storage.save([b"one ", b"two"])
    assert [path.name for path in folder.iterdir()] == [upload.name]
    assert (upload.size_bytes, upload.head) == (7, b"one two")
    assert upload.sha256 == hashlib.sha256(b"one two").hexdigest()
    with storage.opened(upload.name) as file:
        assert file.read() == b"one two"


def test_more_bytes_than_allowed_leave_nothing_behind(folder):
    with pytest.raises(storage.TooLarge, match="larger than 10 bytes"):
        storage.save([b"x" * 6, b"x" * 6], max_bytes=10)
    assert not list(folder.iterdir())


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing_behind(folder):
    def chunks():
        yield b"x"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Refused, match="disk of this server is full"):
        storage.save(chunks())
    assert not list(folder.iterdir())


def test_a_sender_that_goes_away_leaves_nothing_behind(folder):
    def chunks():
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        storage.save(chunks())
    assert not list(folder.iterdir())
