"""Processes started in order, watched, and stopped in order, with nothing left behind.

Each child leads a session of its own, so Ctrl-C reaches only the supervisor and a whole tree can be signalled at once.
When the supervisor itself is killed, Linux asks each child to end, and the leash (config/leash.py) ends every tree.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

POLL_SECONDS = 0.1
GRACE_SECONDS = 12.0  # a worker needs ten to hand its job back
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG = 1


class StopRequested(BaseException):
    """Ctrl-C, or a signal that asks for an orderly stop. No Exception: what catches errors must let it through."""


class ChildDied(Exception):
    """A child ended by itself; the message names it and says how."""


class NotReady(Exception):
    """A child did not answer in time; the message names it."""


@dataclass
class Child:
    """One supervised process: the leader of its own session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_order: int
    stop_seconds: float

    def ending(self) -> str | None:
        """How it ended, in words, or None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        if code < 0:
            return f"{self.name} was killed by {signal.Signals(-code).name}"
        return f"{self.name} ended by itself with exit code {code}"

    def signal_tree(self, number: signal.Signals) -> bool:
        """Signal the whole tree, also after its leader is gone. False when nothing of it is left."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            return False
        return True


class Leash:
    """The process that ends what a killed supervisor leaves behind (config/leash.py)."""

    def __init__(self, *, grace_seconds: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(__file__).with_name("leash.py")), str(grace_seconds)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def tell(self, sign: Literal["+", "-"], group: int) -> None:
        """Put a process group on the list, or take it off."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{sign}{group}\n")
                self._process.stdin.flush()

    def drop(self) -> None:
        self._process.communicate()


class Supervisor:
    """Starts children, keeps them company, stops them."""

    def __init__(self, logs: Path, *, held: Sequence[int] = (), grace_seconds: float = GRACE_SECONDS) -> None:
        """logs: folder of one log per child. held: descriptors every child keeps open (the data folder's lock).

        grace_seconds: how long the children may take to end after the supervisor was killed.
        """
        self.logs = logs
        self.held = tuple(held)
        self.grace_seconds = grace_seconds
        self.children: list[Child] = []
        self.hurry = False
        self._asked = False
        self._stopping = False
        self._leash: Leash | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything started inside is stopped at the end, whatever the reason."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = {number: signal.signal(number, self._on_signal) for number in self._stop_signals()}
        self._leash = Leash(grace_seconds=self.grace_seconds)
        try:
            yield
        finally:
            self._stopping = True
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        stop_order: int,
        stop_seconds: float,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        log = self.logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(*self.held, *pass_fds),
                preexec_fn=_end_with(os.getpid()),
            )
        child = Child(name, process, log, stop_order, stop_seconds)
        self.children.append(child)
        if self._leash:
            self._leash.tell("+", process.pid)
        return child

    def wait_until(self, ready: Callable[[], bool], *, name: str, seconds: float) -> None:
        """Poll until ready. Raises ChildDied, StopRequested, or NotReady when the time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            self._raise_when_asked()
            self._raise_for_dead()
            if time.monotonic() > deadline:
                raise NotReady(f"{name} did not become ready within {seconds:.0f} seconds")
            time.sleep(POLL_SECONDS)
        self._raise_for_dead()

    def watch(self) -> None:
        """Return never: raises ChildDied or StopRequested."""
        while True:
            self._raise_when_asked()
            self._raise_for_dead()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask each child to end, in stop_order; after its time, or when in a hurry, kill its whole tree."""
        for child in sorted(self.children, key=lambda child: child.stop_order):
            with suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + child.stop_seconds
            while child.process.poll() is None and time.monotonic() < deadline and not self.hurry:
                time.sleep(POLL_SECONDS)
            child.signal_tree(signal.SIGKILL)  # also what a dead leader left behind
            child.process.wait()
            if self._leash:
                self._leash.tell("-", child.process.pid)
        self.children.clear()
        if self._leash:
            self._leash.drop()

    def _raise_for_dead(self) -> None:
        for child in self.children:
            ending = child.ending()
            if ending is not None:
                raise ChildDied(f"{ending}. The end of {child.log}:\n{tail(child.log)}")

    def _stop_signals(self) -> list[signal.Signals]:
        """A closed terminal stops us too, unless nohup asked to ignore it."""
        heard = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
        return [*STOP_SIGNALS, signal.SIGHUP] if heard else [*STOP_SIGNALS]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            self.hurry = True
            return
        self._asked = True
        raise StopRequested

    def _raise_when_asked(self) -> None:
        """What a signal raises inside a destructor or a callback of C code is lost there; that it came is not."""
        if self._asked:
            raise StopRequested


def tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in text) or "    (empty)"


def _end_with(parent: int) -> Callable[[], None] | None:
    """What a child runs before its program: on Linux, have the kernel send SIGTERM when the supervisor dies."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_the_kernel
