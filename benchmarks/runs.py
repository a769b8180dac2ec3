"""Which measurements a run consists of, at which sizes, and how they are shown beside their targets."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
from django.conf import settings
from django.db import connection

from benchmarks import agreement, annotating, dashboards, exporting, importing, page_weight, queueing, refitting
from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Sizes:
    urls: int  # imported
    few_slots: int
    many_slots: int
    finished: int  # items that one annotator has answered already
    turns: int  # timed leases and submits for each queue
    morning: int  # pages that one person answers alone
    clients: int
    seconds: float  # of annotating at once
    judgments: int  # exported
    crowd: int  # pages three people answered, behind the dashboards
    judged: tuple[int, ...]  # items whose agreement is computed and whose consensus is refitted


FULL = Sizes(urls=100_000, few_slots=1_000, many_slots=100_000, finished=20_000, turns=300, morning=2_000, clients=32,
             seconds=20.0, judgments=100_000, crowd=20_000, judged=(10_000, 100_000))  # fmt: skip
QUICK = Sizes(urls=10_000, few_slots=1_000, many_slots=10_000, finished=2_000, turns=100, morning=400, clients=32,
              seconds=5.0, judgments=10_000, crowd=2_000, judged=(2_000,))  # fmt: skip


def run(sizes: Sizes, *, database_url: str) -> dict[str, Any]:
    """Measure everything; rows are left in the database, which is thrown away."""
    started = datetime.now(UTC)
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "import": lambda: importing.measure(sizes.urls),
        "queue": lambda: queueing.measure(
            few=sizes.few_slots,
            many=sizes.many_slots,
            finished=sizes.finished,
            turns=sizes.turns,
            morning=sizes.morning,
        ),
        "annotators": lambda: annotating.measure(
            clients=sizes.clients, seconds=sizes.seconds, database_url=database_url
        ),
        "export": lambda: exporting.measure(sizes.judgments),
        "dashboards": lambda: dashboards.measure(sizes.crowd),
        "page": page_weight.measure,
        **statistics(sizes.judged),
    }
    return _report(parts, started, asdict(sizes))


def run_statistics() -> dict[str, Any]:
    """Agreement and the refit alone; they need no database."""
    return _report(statistics(FULL.judged), datetime.now(UTC), {"judged": FULL.judged})


def statistics(sizes: tuple[int, ...]) -> dict[str, Callable[[], Iterator[Figure]]]:
    return {"agreement": lambda: agreement.measure(*sizes), "refit": lambda: refitting.measure(*sizes)}


def run_dashboards(n_pages: int) -> dict[str, Any]:
    """The dashboards of a project of this size alone, with the plans of their slow statements."""
    parts = {"dashboards": lambda: dashboards.measure(n_pages, plans=dashboards.PLANS)}
    return _report(parts, datetime.now(UTC), {"crowd": n_pages})


def _report(
    parts: dict[str, Callable[[], Iterator[Figure]]], started: datetime, sizes: dict[str, Any]
) -> dict[str, Any]:
    figures = {name: [asdict(figure) for figure in measure()] for name, measure in parts.items()}
    return {
        "started": started.isoformat(timespec="seconds"),
        "version": settings.VERSION,
        "sizes": sizes,
        "machine": machine(),
        "figures": figures,
        "took_seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
    }


def machine() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(value, 1) for value in os.getloadavg()],
        "python": platform.python_version(),
        "postgresql": server,
        "system": platform.platform(terse=True),
        "clock": time.tzname[0],
    }


def table(report: dict[str, Any]) -> str:
    """Columns: what, figure, target, and whether it is reached; nothing is said where there is no target."""
    facts = report["machine"]
    lines = [
        f"{facts['cores']} cores, {facts['memory_gib']} GiB, load {facts['load'][0]} at the end, "
        f"PostgreSQL {facts['postgresql']}, Python {facts['python']}, {report['took_seconds']:.0f} s in all"
    ]
    for part, figures in report["figures"].items():
        lines.append(f"\n{part}")
        for figure in figures:
            verdict = {True: "reached", False: "MISSED", None: ""}[figure["is_reached"]]
            value = f"{figure['value']:,.{figure['digits']}f} {figure['unit']}"
            lines.append(f"  {figure['what']:<58} {value:>18}  {figure['target']:<10} {verdict}".rstrip())
    return "\n".join(lines)
