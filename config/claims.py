"""What one running installation holds for itself: its data folder and its port."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import Unusable, make_private_folder

MAX_PORT = 65_535


@contextmanager
def data_folder(folder: Path) -> Iterator[int]:
    """Hold the folder's lock; yields its descriptor. The kernel drops the lock when its last holder is gone."""
    make_private_folder(folder)
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise Unusable(
                f"Touchstone already runs on {folder} ({holder}), or is still stopping. "
                "Stop it first, or set TOUCHSTONE_DATA to another folder."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield lock.fileno()


@contextmanager
def address(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to the address, not listening yet: whoever comes second learns it before anything is started."""
    if not 0 <= port <= MAX_PORT:  # getaddrinfo would take the number modulo 65,536
        raise Unusable(f"{port} is no port: choose one from 1 to {MAX_PORT}, or 0 for any that is free.")
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, OverflowError) as problem:
        raise Unusable(f"{host}:{port} is not an address to listen on ({problem}).") from None
    with socket.socket(family, kind, protocol) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(target)
        except OSError as problem:
            raise Unusable(
                f"Port {port} on {host} cannot be used ({problem.strerror}). "
                f"Choose another one: ./touchstone up --port {port + 1 if port < MAX_PORT else 8000}"
            ) from None
        yield bound
