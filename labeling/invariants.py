"""What must be true of the database at any moment: a registry of checks, run together on one snapshot.

A check is a generator that says one line per breach. The checks of this app are in invariant_checks.py; other apps add
theirs with the same decorator when they start. `tests/labeling/keeping` breaks each promise once to see it found.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Model, QuerySet

from labeling.consistent import one_snapshot

Check = Callable[[], Iterator[str]]
EXAMPLES = 20
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Promise:
    """One invariant: its id (specification and report), what it says, and the check of it."""

    id: str
    sentence: str
    check: Check


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `examples` holds the first breaches; `n_breaches` counts them all."""

    id: str
    sentence: str
    n_breaches: int
    examples: list[str]
    seconds: float

    @property
    def is_kept(self) -> bool:
        return self.n_breaches == 0


promises: list[Promise] = []


def check(id: str, sentence: str) -> Callable[[Check], Check]:
    """Register a check. Raises ValueError when the id is taken."""

    def register(breaches: Check) -> Check:
        if any(promise.id == id for promise in promises):
            raise ValueError(f"There is a check {id} already.")
        promises.append(Promise(id, sentence, breaches))
        return breaches

    return register


def findings() -> list[Finding]:
    """Run every check on one state of the database, however long it takes and whatever is written meanwhile."""
    with one_snapshot():
        return [_finding(promise) for promise in sorted(promises, key=_order)]


def _finding(promise: Promise) -> Finding:
    started = time.monotonic()
    breaches = promise.check()
    examples = list(islice(breaches, EXAMPLES))
    n_breaches = len(examples) + sum(1 for _ in breaches)
    return Finding(promise.id, promise.sentence, n_breaches, examples, round(time.monotonic() - started, 3))


def _order(promise: Promise) -> tuple[int, str]:
    number = promise.id.lstrip("I")
    return (int(number), "") if number.isdigit() else (1_000, promise.id)


# ---- reading without holding much -----------------------------------------------------------------------------------
def rows_by_id(queryset: QuerySet[Any], *fields: str, size: int = CHUNK) -> Iterator[tuple[Any, ...]]:
    """(pk, *fields) of every row, a chunk of primary keys a query, so that memory stays flat at any size."""
    for chunk in chunks_by_id(queryset, *fields, size=size):
        yield from chunk


def chunks_by_id(queryset: QuerySet[Any], *fields: str, size: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
    ordered = queryset.order_by("pk").values_list("pk", *fields)
    chunk = list(ordered[:size])
    while chunk:
        yield chunk
        chunk = list(ordered.filter(pk__gt=chunk[-1][0])[:size])


def named(rows: Iterable[Model], what: str) -> Iterator[str]:
    """One line per row that should not be there."""
    for row in rows:
        yield f"{row._meta.model_name} {row.pk}: {what}"
