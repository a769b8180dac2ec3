"""An import holds one chunk, whatever the length of the file."""

import os
import subprocess
import sys

import pytest

from tests import environment

SCRIPT = """
import resource, django
django.setup()
from labeling import imports, jobs, tasks
from tests.factories import make_project

def rows(count):
    yield b"url,title,text\\n"
    for n in range(count):
        yield f"https://h{n % 5000}.example/p/{n},Title {n},Some words about page {n}\\n".encode()

run = imports.start(make_project("rows-COUNT"), by=None, chunks=rows(COUNT))
assert jobs.run(run.pk) == "done"
run.refresh_from_db()
assert run.rows_created == COUNT
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> dict:
    """How to run a process of its own on an SQLite of its own."""
    folder = tmp_path_factory.mktemp("memory")
    values = environment.values() | {
        "TOUCHSTONE_DATA": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'memory.sqlite3'}", "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    how = {"env": {**os.environ, **values}, "cwd": environment.REPOSITORY, "check": True, "capture_output": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], **how)
    return how


def megabytes_for(count: int, process: dict) -> int:
    """The most memory a process held while it imported so many rows."""
    done = subprocess.run([sys.executable, "-c", SCRIPT.replace("COUNT", str(count))], **process)
    return int(done.stdout.split()[-1])


@pytest.mark.alone
def test_seven_times_the_rows_take_no_more_memory(process):
    assert megabytes_for(28_000, process) - megabytes_for(4_000, process) <= 50


@pytest.mark.alone
@pytest.mark.slow
def test_a_million_rows_take_the_memory_of_ten_thousand(process):
    assert megabytes_for(1_000_000, process) - megabytes_for(10_000, process) <= 50
