"""`./touchstone test [--no-browser] [pytest arguments]`: the suite on SQLite, then on real PostgreSQL.

Tests that touch no database run once, in the SQLite half; tests that drive a browser run once, in the PostgreSQL half:
what a page does in Chromium is the same whichever database is behind it. Tests of the whole product (marked e2e or
faults) and those that measure memory (alone) run at the end, with a real broker and worker processes. What is missing
fails; nothing is left out unless it is asked for.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree import ElementTree

from tests import chromium
from tests.servers import NoServer, Postgres

REPOSITORY = Path(__file__).resolve().parent.parent
NOTHING_COLLECTED = 5
BESIDE_EACH_OTHER = ("-n", "2")
THREE_THAT_MOSTLY_WAIT = ("-n", "3")  # for a process to be missed, for a broker to come back
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
    sqlite = sqlite_half(arguments)
    postgres = postgres_half(arguments)
    print("\nTests without a database ran on SQLite alone; those in a browser and of the whole product on PostgreSQL.")
    print(f"SQLite: {sqlite}; PostgreSQL: {postgres}")
    print(sqlite + postgres)
    return 0 if (sqlite + postgres).failed == 0 < (sqlite + postgres).passed else 1


def warn_without_browser() -> None:
    """Said first, not after ten minutes: without Chromium every browser test fails."""
    try:
        chromium.find()
    except chromium.NoBrowser as missing:
        print(f"NO BROWSER. {missing}\nThe browser tests will fail; --no-browser leaves them out.", flush=True)


def sqlite_half(arguments: Sequence[str]) -> Totals:
    env = {"TEST_DB": "sqlite", "TEST_DATABASE_URL": ""}
    return pytest("SQLite", f"not ({WHOLE} or browser)", [*BESIDE_EACH_OTHER, *arguments], env=env)


def postgres_half(arguments: Sequence[str]) -> Totals:
    with ExitStack() as servers:
        try:
            url = os.environ.get("TEST_DATABASE_URL") or servers.enter_context(Postgres()).url
        except NoServer as missing:
            print(f"PostgreSQL: not run. {missing}", file=sys.stderr)
            return Totals(failed=1)
        env = {"TEST_DB": "postgres", "TEST_DATABASE_URL": url}
        beside = [*BESIDE_EACH_OTHER, "--database-only", *arguments]
        parts = pytest("PostgreSQL", f"not ({WHOLE})", beside, env=env)
        whole = [*THREE_THAT_MOSTLY_WAIT, *arguments]
        return parts + pytest("The whole product, on PostgreSQL", WHOLE, whole, env=env)


def pytest(title: str, marks: str, arguments: Sequence[str], *, env: Mapping[str, str]) -> Totals:
    """One pytest run; a crash or an interrupt counts as a failure even where no test failed."""
    print(f"\n== {title} ==", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", marks, "--junitxml", str(report), *arguments]
        code = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **env}, check=False).returncode
        totals = read_totals(report)
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
