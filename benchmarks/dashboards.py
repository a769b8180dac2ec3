"""Dashboards on a large project: how long each page takes, in how many statements, and by which plans.

The floor is the same page of a project without an answer, in the same run: what a page costs before it shows anything.
Plans of every statement that took five milliseconds or more are written beside the figures.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import crowd
from benchmarks.figures import Figure, at_most, percentile
from benchmarks.rows import make_project

TIMES = 20
MOST_MS, MOST_STATEMENTS = 500, 15
SLOW_SECONDS = 0.005
PLANS = Path(__file__).parent / "dashboards_plans.txt"


def measure(n_items: int, *, people: int = 200, plans: Path | None = None) -> Iterator[Figure]:
    """`plans`: a file for the plans of slow statements."""
    made = crowd.make(n_items, people=people)
    yield Figure("dashboards: pages of the project", made.n_items, digits=0)
    yield Figure("dashboards: answers to them", made.n_judgments, digits=0)
    client, empty = Client(SERVER_NAME="127.0.0.1"), make_project()
    written: list[str] = []
    client.force_login(crowd.manager_of(made))
    for name, path in pages(made).items():
        floor = _timed(client, path.format(slug=empty.slug)) if "{slug}" in path else None
        address = path.format(slug=made.project.slug)
        times = _timed(client, address)
        n, slow = _statements(client, address)
        written += [f"==== {name}\n{statement}\n\n{plan}" for statement, plan in slow]
        yield at_most(f"dashboards, {name}: p95", 1000 * percentile(times, 0.95), MOST_MS, "ms", digits=0)
        yield at_most(f"dashboards, {name}: statements", n, MOST_STATEMENTS, digits=0)
        if floor:
            ratio = percentile(times, 0.5) / percentile(floor, 0.5)
            yield Figure(f"dashboards, {name}: of the same page of an empty project", ratio, "times")
    if plans is not None:
        plans.write_text("\n\n".join(written) + "\n")


def pages(made: crowd.Crowd) -> dict[str, str]:
    first, second = made.raters[:2]
    root = "/p/{slug}"
    return {
        "overview": f"{root}/",
        "agreement": f"{root}/agreement/",
        "agreement of one label and stream": f"{root}/agreement/?label=label_03&stream=import&period=12",
        "pairs": f"{root}/agreement/pairs/",
        "pairs on one label": f"{root}/agreement/pairs/?label=label_03",
        "two people": f"/p/{made.project.slug}/agreement/pairs/{first}/{second}/",
        "two people on one label": f"/p/{made.project.slug}/agreement/pairs/{first}/{second}/?label=label_03",
        "consensus": f"{root}/agreement/consensus/",
        "guideline": f"{root}/agreement/labels/",
        "guideline of one label": f"/p/{made.project.slug}/agreement/labels/label_03/",
        "people": f"{root}/annotators/",
        "one person": f"/p/{made.project.slug}/annotators/{first}/",
        "all projects": "/installation/",
    }


def _timed(client: Client, path: str) -> list[float]:
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        answer = client.get(path)
        times.append(time.perf_counter() - started)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
    return times


def _statements(client: Client, path: str) -> tuple[int, list[tuple[str, str]]]:
    """How many, and the plans of the slow ones."""
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    slow: list[tuple[str, str]] = []
    for query in asked:
        if float(query["time"]) >= SLOW_SECONDS and query["sql"].startswith("SELECT"):
            slow.append((query["sql"], _plan(query["sql"])))
    return len(asked), slow


def _plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + statement.replace("%", "%%"))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return "\n".join(str(line) for (line,) in rows)
