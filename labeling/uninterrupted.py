"""A request to end waits while something is written that belongs together.

Signals raise at whatever line the main thread is on. Between the commit that takes a job and the line that knows it is
taken, nobody would give the job back.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

ASK_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that ask to end are heard when the block is over, in the order they came. For short writes only.

    Does nothing in a thread that is not the main one: signals never raise there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def remember(number: int, _frame: object) -> None:
        heard.append(number)

    def pass_on() -> None:
        for number in heard:
            signal.raise_signal(number)

    with ExitStack() as undo:
        undo.callback(pass_on)  # the last to be called: by then every handler is back
        for number in ASK_TO_END:
            handler = signal.getsignal(number)
            if callable(handler):  # what ends the process outright, or is ignored, stays as it is
                undo.callback(signal.signal, number, handler)
                signal.signal(number, remember)
        yield
