"""The supervisor with small children: what it says, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from config.supervisor import ChildDied, NotReady, StopRequested, Supervisor

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
# A child with a child of its own, both deaf to TERM: only a kill of the whole tree ends them.
DEAF_TREE = [
    "/bin/sh",
    "-c",
    "trap '' TERM; sh -c \"trap '' TERM; sleep 60; sleep 60\" & while true; do sleep 60; done",
]


def start(supervisor: Supervisor, name: str, command: list[str], *, stop_order: int = 1, stop_seconds: float = 5):
    return supervisor.start(name, command, env=os.environ, stop_order=stop_order, stop_seconds=stop_seconds)


def gone(*pids: int, within_seconds: float = 20) -> bool:
    """Patience, not a promise: the machine may be busy."""
    deadline = time.monotonic() + within_seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tree(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


@pytest.fixture
def supervisor(tmp_path):
    return Supervisor(tmp_path / "logs")


def test_a_child_that_fails_is_named_with_the_end_of_its_log(supervisor):
    broken = [sys.executable, "-S", "-c", "import sys; print('no such thing'); sys.exit(3)"]
    with (
        pytest.raises(ChildDied, match=r"worker ended by itself with exit code 3(.|\n)*no such thing"),
        supervisor.running(),
    ):
        start(supervisor, "worker", broken)
        supervisor.watch()


def test_a_killed_child_is_named_with_its_signal(supervisor):
    with pytest.raises(ChildDied, match="web was killed by SIGKILL"), supervisor.running():
        start(supervisor, "web", SLEEP).process.kill()
        supervisor.watch()


def test_a_child_that_never_gets_ready_is_named(supervisor):
    with pytest.raises(NotReady, match="the broker did not become ready"), supervisor.running():
        start(supervisor, "broker", SLEEP)
        supervisor.wait_until(lambda: False, name="the broker", seconds=0.2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_request_to_end_that_python_swallowed_is_not_forgotten(supervisor):
    class Ends:
        def __del__(self) -> None:  # what a signal raises in a destructor is lost
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StopRequested), supervisor.running():
        Ends()
        supervisor.watch()


def test_children_stop_in_their_order(supervisor, tmp_path):
    note = "import signal, sys, time\ndef end(*_):\n  open('{0}', 'a').write('{1} '); sys.exit()\n"
    note += "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    order = tmp_path / "order"
    with supervisor.running():
        for name, stop_order in (("first", 3), ("second", 1), ("third", 2)):
            child = start(
                supervisor, name, [sys.executable, "-S", "-c", note.format(order, name)], stop_order=stop_order
            )
            supervisor.wait_until(lambda child=child: "up" in child.log.read_text(), name=name, seconds=20)
    assert order.read_text().split() == ["second", "third", "first"]


def test_a_deaf_tree_is_killed_whole(supervisor):
    with supervisor.running():
        child = start(supervisor, "deaf", DEAF_TREE, stop_seconds=0.3)
        supervisor.wait_until(lambda: len(tree(child.process.pid)) > 2, name="deaf", seconds=20)
        everyone = tree(child.process.pid)
    assert gone(*everyone)


def test_what_a_dead_leader_leaves_is_killed_too(supervisor):
    with pytest.raises(ChildDied), supervisor.running():
        child = start(supervisor, "deaf", DEAF_TREE)
        supervisor.wait_until(lambda: len(tree(child.process.pid)) > 2, name="deaf", seconds=20)
        everyone = tree(child.process.pid)
        child.process.kill()
        supervisor.watch()
    assert gone(*everyone)


# A supervisor process of its own, so that it can be interrupted and killed.
SCRIPT = """
    import os, sys
    from pathlib import Path
    from config.supervisor import StopRequested, Supervisor
    supervisor = Supervisor(Path(sys.argv[1]), grace_seconds=1)
    try:
        with supervisor.running():
            child = supervisor.start("deaf", sys.argv[2:], env=os.environ, stop_order=1, stop_seconds=60)
            print(child.process.pid, flush=True)
            supervisor.watch()
    except StopRequested:
        print("stopped", flush=True)
"""


@pytest.fixture
def supervised(tmp_path):
    """A supervisor process and the pids of the deaf tree below it."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path / "logs"), *DEAF_TREE],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    leader = int(process.stdout.readline())
    deadline = time.monotonic() + 20
    while len(tree(leader)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    yield process, tree(leader)
    process.kill()
    process.communicate()


def test_a_second_ctrl_c_kills_at_once(supervised):
    process, everyone = supervised
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert alive(everyone[0])  # it was asked, and is deaf
    interrupt_until_it_ends(process)
    assert process.returncode == 0
    assert gone(*everyone)


def interrupt_until_it_ends(process: subprocess.Popen[str]) -> None:
    """As an impatient person does. Two signals that reach a busy process at once are one to it."""
    for _ in range(40):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
            return
    pytest.fail("it was interrupted forty times and still runs")


def test_a_killed_supervisor_leaves_no_orphan(supervised):
    process, everyone = supervised
    process.kill()
    assert gone(*everyone)
