"""`./touchstone test [--no-browser] [pytest arguments]`: the suite on SQLite, then on real PostgreSQL.

Tests that touch no database run once, in the SQLite half; tests that drive a browser run once, in the PostgreSQL half:
what a page does in Chromium is the same whichever database is behind it. Tests of the whole product (marked e2e or
faults) and those that measure memory (alone), with a real broker and worker processes, mostly wait: they run beside the
SQLite half, and what they say comes after it. What is missing fails; nothing is left out unless it is asked for.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree import ElementTree

from tests import chromium
from tests.servers import NoServer, Postgres

REPOSITORY = Path(__file__).resolve().parent.parent
NOTHING_COLLECTED = 5
BESIDE_EACH_OTHER = ("-n", "2")
WHOLE = "e2e or faults or alone"


@dataclass(frozen=True)
class Totals:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Self) -> "Totals":
        return Totals(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def main(arguments: Sequence[str]) -> int:
    if "--no-browser" not in arguments:
        warn_without_browser()
    with ExitStack() as servers:
        url = postgres_url(servers)
        whole = whole_product(arguments, url=url) if url else None
        sqlite = sqlite_half(arguments)
        postgres = postgres_half(arguments, url=url) + whole.totals() if url and whole else Totals(failed=1)
    print("\nTests without a database ran on SQLite alone; those in a browser and of the whole product on PostgreSQL.")
    print(f"SQLite: {sqlite}; PostgreSQL: {postgres}")
    print(sqlite + postgres)
    return 0 if (sqlite + postgres).failed == 0 < (sqlite + postgres).passed else 1


def postgres_url(servers: ExitStack) -> str | None:
    """The server the shell names, or one of our own until the run ends; None, said aloud, where there is none."""
    try:
        return os.environ.get("TEST_DATABASE_URL") or servers.enter_context(Postgres()).url
    except NoServer as missing:
        print(f"PostgreSQL: not run. {missing}", file=sys.stderr)
        return None


def warn_without_browser() -> None:
    """Said first, not after ten minutes: without Chromium every browser test fails."""
    try:
        chromium.find()
    except chromium.NoBrowser as missing:
        print(f"NO BROWSER. {missing}\nThe browser tests will fail; --no-browser leaves them out.", flush=True)


def sqlite_half(arguments: Sequence[str]) -> Totals:
    env = {"TEST_DB": "sqlite", "TEST_DATABASE_URL": ""}
    return Run("SQLite", f"not ({WHOLE} or browser)", [*BESIDE_EACH_OTHER, *arguments], env=env).totals()


def postgres_half(arguments: Sequence[str], *, url: str) -> Totals:
    env = {"TEST_DB": "postgres", "TEST_DATABASE_URL": url}
    beside = [*BESIDE_EACH_OTHER, "--database-only", *arguments]
    return Run("PostgreSQL", f"not ({WHOLE})", beside, env=env).totals()


def whole_product(arguments: Sequence[str], *, url: str) -> "Run":
    env = {"TEST_DB": "whole", "TEST_DATABASE_URL": url}
    arguments = [*BESIDE_EACH_OTHER, *arguments]
    return Run("The whole product, on PostgreSQL", WHOLE, arguments, env=env, is_beside=True)


class Run:
    """One pytest run, under way from the first moment. `is_beside`: what it says is kept back until it is asked for."""

    def __init__(
        self, title: str, marks: str, arguments: Sequence[str], *, env: Mapping[str, str], is_beside: bool = False
    ) -> None:
        self.title = title
        self.folder = tempfile.TemporaryDirectory()
        self.report = Path(self.folder.name) / "report.xml"
        self.said = Path(self.folder.name) / "said.txt" if is_beside else None
        if not is_beside:
            print(f"\n== {title} ==", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-m", marks, "--junitxml", str(self.report), *arguments]
        with self.said.open("wb") if self.said else nullcontext() as out:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env={**os.environ, **env}, stdout=out, stderr=out and subprocess.STDOUT
            )

    def totals(self) -> Totals:
        """Wait for its end. A crash or an interrupt counts as a failure even where no test failed."""
        with self.folder, self.process:
            code = self.process.wait()
            if self.said:
                print(f"\n== {self.title} ==\n{self.said.read_text(errors='replace')}", flush=True)
            totals = read_totals(self.report)
        if code not in (0, NOTHING_COLLECTED) and not totals.failed:
            return totals + Totals(failed=1)
        return totals


def read_totals(report: Path) -> Totals:
    if not report.exists():
        return Totals()
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    totals = Totals()
    for suite in suites:
        count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
        failed = count["failures"] + count["errors"]
        totals += Totals(count["tests"] - failed - count["skipped"], failed, count["skipped"])
    return totals


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
