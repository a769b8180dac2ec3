"""`./touchstone up` for real: its own processes, its own data folder."""

import json
import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.ops.test_supervisor import gone, tree

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 120  # patience, not a promise: the machine may be busy
OURS = ("TOUCHSTONE_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "STATIC_HASHED", "DJANGO_", "TEST_")


class Up:
    """A running `up --no-demo` on a data folder."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "up", "--no-demo", "--port", str(self.port), *arguments],
            cwd=REPOSITORY,
            env=newcomer_environment(data),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_ready(self) -> str:
        """Its first line, which must be the address."""
        line = self.process.stdout.readline()
        assert line.startswith(f"Touchstone is ready at http://127.0.0.1:{self.port}/"), (
            line + self.process.stdout.read()
        )
        return line

    def get(self, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    def child(self, word: str) -> psutil.Process:
        """The direct child whose command line holds the word."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if word in child.cmdline())

    def everyone(self) -> list[int]:
        return tree(self.process.pid)

    def end(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said


def newcomer_environment(data: Path) -> dict[str, str]:
    """A shell in which nothing was set but the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "TOUCHSTONE_DATA": str(data)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_up(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """An `up` that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "config.embedded", "up", "--no-demo", *arguments],
        cwd=REPOSITORY,
        env=newcomer_environment(data),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One data folder, started again by each test: only the first start lays the schema and the static files."""
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture
def up(data):
    running = Up(data)
    running.wait_until_ready()
    everyone = running.everyone()
    yield running
    running.process.kill()
    running.process.communicate()
    assert gone(*everyone, within_seconds=20)


def test_everything_runs_and_ctrl_c_stops_it(up, data):
    status, body = up.get("/readyz")
    assert (status, json.loads(body)["checks"]) == (
        200,
        {"database": "ok", "migrations": "ok", "broker": "ok", "worker": "ok"},
    )
    status, page = up.get("/accounts/login/")
    assert (status, b"<form" in page) == (200, True)

    refused = run_up(data, "--port", str(free_port()))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"Touchstone already runs on {data} (process {up.process.pid})")

    everyone = up.everyone()
    up.process.send_signal(signal.SIGINT)
    code, said = up.end()
    assert (code, said.splitlines()[-1]) == (0, "Stopped.")
    assert gone(*everyone, within_seconds=1)


def test_a_worker_that_dies_is_named_and_stops_the_rest(up):
    everyone = up.everyone()
    up.child("worker").kill()
    code, said = up.end()
    assert code == 1
    assert "Stopped, because worker was killed by SIGKILL." in said
    assert gone(*everyone, within_seconds=1)


def test_a_killed_supervisor_leaves_no_orphan(up):
    everyone = up.everyone()
    assert len(everyone) >= 8  # itself, the leash, broker, web and its process, worker and its process, beat
    up.process.kill()
    assert gone(*everyone, within_seconds=20)


def test_a_busy_port_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run_up(tmp_path / "data", "--port", str(port))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use). "
        f"Choose another one: ./touchstone up --port {port + 1}\n"
    )


def test_an_unwritable_data_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    refused = run_up(tmp_path / "file" / "data")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"The data folder {tmp_path / 'file' / 'data'} cannot be written (Not a directory). "
        "Set TOUCHSTONE_DATA to a folder of your own.\n"
    )
