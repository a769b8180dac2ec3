"""`./touchstone up` for real: its own processes, its own data folder."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.ops.test_supervisor import gone, tree

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 120  # patience, not a promise: the machine may be busy
OURS = ("TOUCHSTONE_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "STATIC_HASHED", "DJANGO_", "TEST_")


class Up:
    """A running `up` on a data folder."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "up", "--port", str(self.port), *arguments],
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

    def get(self, path: str, *, address: str = "127.0.0.1", name: str = "") -> tuple[int, bytes]:
        """The page at an address of this machine, asked for under the name in the browser's address bar."""
        connection = HTTPConnection(address, self.port, timeout=10)
        connection.request("GET", path, headers={"Host": f"{name or address}:{self.port}"})
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


def newcomer_environment(data: Path, **set_by_hand: str) -> dict[str, str]:
    """A shell in which nothing was set but the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "TOUCHSTONE_DATA": str(data), **set_by_hand}


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {START_SECONDS} s"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_up(data: Path, *arguments: str, **set_by_hand: str) -> subprocess.CompletedProcess[str]:
    """An `up` that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "config.embedded", "up", "--no-demo", *arguments],
        cwd=REPOSITORY,
        env=newcomer_environment(data, **set_by_hand),
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
    with running_up(data, "--no-demo") as running:
        running.wait_until_ready()
        yield running


@contextmanager
def running_up(data: Path, *arguments: str) -> Iterator[Up]:
    """It may be ended or killed inside; nothing of it is left afterwards."""
    running = Up(data, *arguments)
    everyone: list[int] = []
    try:
        yield running
        everyone = running.everyone() if running.process.poll() is None else []
    finally:
        running.process.kill()
        running.process.communicate()
    assert gone(*everyone)


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
    assert gone(*everyone)


def test_a_worker_that_dies_is_named_and_stops_the_rest(up):
    everyone = up.everyone()
    up.child("worker").kill()
    code, said = up.end()
    assert code == 1
    assert "Stopped, because worker was killed by SIGKILL." in said
    assert gone(*everyone)


def test_a_killed_supervisor_leaves_no_orphan(up):
    wait_until(lambda: len(up.everyone()) >= 8)  # and leash, broker, web and its process, worker and its process, beat
    everyone = up.everyone()
    up.process.kill()
    assert gone(*everyone)


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


# ---- ordinary mistakes ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("set_by_hand", "sentence"),
    [
        ({"DATABASE_URL": "mysql://root@localhost/app"}, r"DATABASE_URL must be a sqlite:/// or postgres:// address\."),
        ({"DATABASE_URL": "no address"}, r"DATABASE_URL must be a sqlite:/// or postgres:// address\."),
        ({"SECRET_KEY": "short"}, r"SECRET_KEY is too short: give at least 32 random characters\."),
        ({"SECRET_KEY_FILE": "/no/such/file"}, r"The value of SECRET_KEY_FILE must be a readable file path\. .*"),
        ({"ALLOWED_HOSTS": ""}, r"ALLOWED_HOSTS is empty: give the names people type, with commas between them\."),
        ({"JOB_SWEEP_SECONDS": "soon"}, r'Environment variable "JOB_SWEEP_SECONDS" invalid: Not a valid integer\.'),
        (
            {"DATABASE_URL": "postgres://touchstone:hidden@127.0.0.1:1/gold"},
            r"The database gold cannot be used: .*Connection refused\. Mend that, or change DATABASE_URL\.",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(tmp_path, set_by_hand, sentence):
    refused = run_up(tmp_path / "data", "--port", "0", **set_by_hand)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(f"{sentence}\n", refused.stderr), refused.stderr
    assert "hidden" not in refused.stderr


def test_a_database_file_that_is_none_is_one_sentence(tmp_path):
    (tmp_path / "touchstone.sqlite3").write_text("Shopping list: bread, butter, a new hard disk.")
    refused = run_up(tmp_path, "--port", "0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"The database {tmp_path / 'touchstone.sqlite3'} cannot be used: file is not a database. "
        "Mend that, or change DATABASE_URL.\n"
    )


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_a_port_that_is_none_is_one_sentence(tmp_path, port):
    refused = run_up(tmp_path / "data", "--port", port)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"{port} is no port: choose one from 1 to 65535, or 0 for any that is free.\n"


# ---- open to other machines -----------------------------------------------------------------------------------------
def test_open_to_all_it_answers_to_this_machines_own_names_and_says_them(data):
    with running_up(data, "--no-demo", "--host", "0.0.0.0") as up:
        up.wait_until_ready()
        said = up.process.stdout.readline()
        names = re.findall(rf"http://(\S+):{up.port}/", said)
        assert "set ALLOWED_HOSTS" in said and socket.gethostname() in names
        addresses = own_addresses()
        assert not addresses or addresses & set(names)
        for address in addresses & set(names):
            assert up.get("/accounts/login/", address=address)[0] == 200
        for name in [*names, "localhost"]:
            assert up.get("/accounts/login/", name=name)[0] == 200, name
        assert up.get("/accounts/login/", name="somebody.example")[0] == 400


def own_addresses() -> set[str]:
    """As the operating system lists them: this machine's, without the loopback's."""
    found = {one.address for all_of_it in psutil.net_if_addrs().values() for one in all_of_it
             if one.family == socket.AF_INET}  # fmt: skip
    return {address for address in found if not address.startswith("127.")}


# ---- the demo -------------------------------------------------------------------------------------------------------
def test_ctrl_c_while_the_demo_is_made_is_an_orderly_stop(data):
    with running_up(data) as up:
        wait_until(lambda: asked(data, "SELECT rows_done FROM labeling_import WHERE rows_done > 0"))
        up.process.send_signal(signal.SIGINT)
        code, said = up.end()
    assert (code, said.splitlines()[-1]) == (0, "Stopped."), said
    assert "Traceback" not in said
    assert asked(data, "SELECT kind, state, message FROM labeling_job WHERE state IN ('running', 'failed')") == []


@pytest.mark.slow
def test_a_demo_that_was_interrupted_is_finished_by_the_next_start(tmp_path):
    data = tmp_path / "data"
    test_ctrl_c_while_the_demo_is_made_is_an_orderly_stop(data)
    with running_up(data) as up:
        assert "making the demo" in up.process.stdout.readline()
        up.wait_until_ready()
    files = asked(data, "SELECT filename, count(*), min(state), max(state) FROM labeling_import "
                        "JOIN labeling_job ON labeling_job.id = job_id GROUP BY filename")  # fmt: skip
    assert sorted(row[1:] for row in files) == [(1, "done", "done")] * 4


def asked(data: Path, question: str) -> list[tuple[object, ...]]:
    """An answer of its database; none while it has no such table."""
    try:
        with closing(sqlite3.connect(f"file:{data / 'touchstone.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(question).fetchall()
    except sqlite3.OperationalError:
        return []
