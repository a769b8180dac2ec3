"""The bash script, and the values it gives a newcomer."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from config.embedded import Unusable, broker_socket, fill, make_socket_folder

SCRIPT = Path(__file__).parents[2] / "touchstone"


def test_without_a_new_enough_python_it_says_so(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "uname", "bash", "flock"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what an older Python answers to the version question
    old.chmod(0o755)
    script = shutil.copy(SCRIPT, tmp_path)
    refused = subprocess.run(
        [shutil.which("bash"), script, "up"], env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Touchstone needs Python 3.11 or newer")
    assert len(refused.stderr.splitlines()) == 1


def test_a_newcomer_gets_every_value_and_a_secret_only_they_can_read(tmp_path):
    env = {"TOUCHSTONE_DATA": str(tmp_path / "data")}
    fill(env)
    secret = Path(env["SECRET_KEY_FILE"])
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_text()) >= 64
    assert env["DATABASE_URL"] == f"sqlite:///{tmp_path / 'data' / 'touchstone.sqlite3'}"
    assert env["REDIS_URL"] == f"unix://{broker_socket(tmp_path / 'data')}"
    again = {"TOUCHSTONE_DATA": str(tmp_path / "data")}
    fill(again)
    assert again == env


def test_what_was_given_stays(tmp_path):
    given = {
        "TOUCHSTONE_DATA": str(tmp_path),
        "SECRET_KEY": "given",
        "DATABASE_URL": "postgres://db/touchstone",
        "REDIS_URL": "redis://broker/0",
        "ALLOWED_HOSTS": "touchstone.example",
        "TOUCHSTONE_HTTPS": "true",
    }
    env = dict(given)
    fill(env)
    assert {name: env[name] for name in given} == given
    assert "SECRET_KEY_FILE" not in env


def test_the_sockets_path_fits_however_deep_the_data_folder_is(tmp_path):
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 8)
    assert len(os.fsencode(broker_socket(deep))) < 100
    assert broker_socket(deep) != broker_socket(tmp_path)


def test_a_socket_folder_open_to_others_is_refused(tmp_path):
    folder = tmp_path / "somebody"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(Unusable, match="open to others"):
        make_socket_folder(folder)
