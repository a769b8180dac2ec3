"""A crowd with two tabs each, web workers killed, answers lost on the way: none lost, doubled, starved or too many."""

import json
import os
import subprocess
import sys

import pytest

from tests import environment
from tests.servers import fresh_database

SLOW = pytest.mark.slow


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("vendor", "people", "items", "overlap"),
    [
        ("postgresql", 32, 60, 3),
        ("sqlite", 8, 30, 3),
        pytest.param("postgresql", 32, 1500, 3, marks=SLOW),
        pytest.param("sqlite", 8, 400, 3, marks=SLOW),
    ],
)
def test_whatever_happens_each_page_gets_its_answers_and_no_answer_is_lost(vendor, people, items, overlap, tmp_path):
    found = crowd(vendor, tmp_path, people, items, overlap)
    assert found["problems"] == []
    assert (found["lost"], found["doubled"], found["over_assigned"], found["starved"]) == (0, 0, 0, 0)
    assert found["broken"] == []
    # Answers counted by their notes: those whose receipt never came are among the stored ones, not among these.
    assert found["acknowledged"] <= items * overlap
    assert found["kills"] > 0 and found["answers_not_read"] > 0 and found["polls"] > 3


def crowd(vendor: str, folder, *numbers: int) -> dict:
    with fresh_database(vendor, folder) as url:
        own = {"TOUCHSTONE_DATA": str(folder), "DATABASE_URL": url, "LOG_LEVEL": "CRITICAL"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.crowd", *map(str, numbers)],
            env={**os.environ, **environment.values(), **own}, cwd=environment.REPOSITORY,
            check=False, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
