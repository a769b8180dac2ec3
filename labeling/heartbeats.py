"""A sign of life every few seconds, from a thread of its own with a database connection of its own."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

log = logging.getLogger(__name__)


@contextmanager
def beating(beat: Callable[[], bool], *, lost: threading.Event, name: str) -> Iterator[None]:
    """Call `beat` while the block lasts. When it says False the hold is gone: `lost` is set, and no more is said."""
    over = threading.Event()

    def go_on() -> None:
        try:
            while not over.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    if not beat():
                        lost.set()
                        return
                except Exception as trouble:  # noqa: BLE001  (the database may be away for a while: keep trying)
                    log.warning("heartbeat of job %s: %s", name, trouble)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=go_on, name=f"heartbeat-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=5)
