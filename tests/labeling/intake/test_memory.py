"""An import holds a few chunks, whatever the length of the file and however many hosts it names."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests import environment
from tests.servers import fresh_database

SCRIPT = """
import resource, sys, django
django.setup()
from django.core.management import call_command
from labeling import imports, jobs, tasks
from tests.factories import make_project

def rows(count):
    yield b"url,title,text\\n"
    for n in range(count):
        yield f"https://www.h{n}.example{n % 97}.org/p/{n},Title {n},Some words about page {n}\\n".encode()

count = int(sys.argv[1])
call_command("migrate", verbosity=0)
run = imports.start(make_project("rows"), by=None, chunks=rows(count))
assert jobs.run(run.pk) == "done"
run.refresh_from_db()
assert run.rows_created == count
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
Megabytes = Callable[[int], int]
MORE_MEGABYTES = 50


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def megabytes_for(request, tmp_path) -> Megabytes:
    """The most memory a process of its own holds while it imports so many rows into a database of their own."""

    def measure(count: int) -> int:
        folder = tmp_path / str(count)
        folder.mkdir()
        with fresh_database(request.param, folder) as url:
            own = {"TOUCHSTONE_DATA": str(folder), "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT, str(count)], env={**os.environ, **environment.values(), **own},
                cwd=environment.REPOSITORY, check=True, capture_output=True,
            )  # fmt: skip
        return int(done.stdout.split()[-1])

    return measure


@pytest.mark.alone
def test_seven_times_the_rows_and_hosts_take_hardly_more_memory(megabytes_for):
    few = megabytes_for(10_000)
    assert megabytes_for(70_000) - few <= MORE_MEGABYTES / 2


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_million_rows_take_the_memory_of_ten_thousand(megabytes_for):
    few = megabytes_for(10_000)
    assert megabytes_for(1_000_000) - few <= MORE_MEGABYTES
