"""A measured number, how it is taken, and how memory is watched meanwhile."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    value: float
    unit: str = ""
    target: str = ""
    is_reached: bool | None = None
    digits: int = 1


def at_least(what: str, value: float, target: float, unit: str = "", *, digits: int = 2) -> Figure:
    return Figure(what, value, unit, f">= {target:g}", value >= target, digits)


def at_most(what: str, value: float, target: float, unit: str = "", *, digits: int = 2) -> Figure:
    return Figure(what, value, unit, f"<= {target:g}", value <= target, digits)


def limited(what: str, seconds: float, limits: Mapping[int, float], size: int) -> Figure:
    """Milliseconds; with the limit of this size, where there is one."""
    if size not in limits:
        return Figure(what, 1000 * seconds, "ms")
    return at_most(what, 1000 * seconds, limits[size], "ms", digits=1)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of them lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Clock:
    """`with Clock() as clock: ...` then `clock.seconds`."""

    seconds = 0.0

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._started


class Memory:
    """Peak growth of this process, in MiB."""

    growth_mib = 0.0


@contextmanager
def watched_memory(every_seconds: float = 0.02) -> Iterator[Memory]:
    """Look at the resident set from a thread; peaks shorter than the interval are not seen."""
    process, memory, over = psutil.Process(), Memory(), threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not over.wait(every_seconds):
            memory.growth_mib = max(memory.growth_mib, (process.memory_info().rss - before) / MIB)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()
