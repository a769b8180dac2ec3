"""A crowd judges over HTTP while web workers are killed and answers are lost on the way; what came of it, as JSON.

    python -m tests.faults.crowd PEOPLE ITEMS OVERLAP

In a process and on a database of its own (DATABASE_URL), so that it is the same on PostgreSQL and SQLite. Everybody has
two tabs open. One answer in ten is never read: the connection is closed after sending, and the tab sends it again with
the same Idempotency-Key, as a browser on a bad line would. Each answer carries a note of its own to be known by.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

LOST_SHARE = 0.1
KILL_EVERY_SECONDS = 1.0
POLL_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 600


@dataclass
class Found:
    """What the crowd and the watcher saw."""

    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)  # note -> (person, item)
    problems: list[str] = field(default_factory=list)
    n_lost: int = 0
    n_kills: int = 0
    n_polls: int = 0
    over_assigned: int = 0
    over: threading.Event = field(default_factory=threading.Event)


def main(n_people: int, n_items: int, overlap: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    tokens = make_house(n_people, n_items, overlap)
    found = Found()
    connections.close_all()
    with server() as (port, master):
        tabs = [
            threading.Thread(target=tab, args=(port, person, token, f"{person}.{number}", found))
            for person, token in tokens.items()
            for number in (1, 2)
        ]
        others = [
            threading.Thread(target=kill_workers, args=(master, found)),
            threading.Thread(target=watch, args=(overlap, found)),
        ]
        for thread in (*tabs, *others):
            thread.start()
        for thread in tabs:
            thread.join(PATIENCE_SECONDS)
        found.over.set()
        for thread in others:
            thread.join()
    print(json.dumps(verdict(found, overlap)))


def make_house(n_people: int, n_items: int, overlap: int) -> dict[str, str]:
    """Person -> token."""
    from datetime import timedelta

    from django.utils import timezone

    from labeling import slots
    from labeling.models import ApiToken, Selection
    from tests.factories import make_item, make_member, make_project

    project = make_project("crowd", overlap={"default": overlap})
    chosen = [Selection.objects.create(item=make_item(project), stream="import") for _ in range(n_items)]
    slots.open_up(project, chosen, overlap=overlap)
    people = [make_member(project, "annotator") for _ in range(n_people)]
    until = timezone.now() + timedelta(days=1)
    return {
        person.username: ApiToken.issue(person, name="tab", scopes=["read", "write"], expires_at=until)[1]
        for person in people
    }


# ---- a tab ----------------------------------------------------------------------------------------------------------
def tab(port: int, person: str, token: str, name: str, found: Found) -> None:
    """Take a page, answer it, take the next, until there is none."""
    line = Line(port, token, rng=random.Random(name), found=found)
    number = 0
    try:
        while not found.over.is_set():
            status, body = line.post("/api/v1/projects/crowd/next/", {}, key="")
            if status != 200:
                found.problems.append(f"next answered {status}: {body}")
                return
            if body["assignment"] is None:
                return
            number += 1
            note = f"{name}.{number}"
            answer = {"yes": ["games"], "note": note}
            status, said = line.post(f"/api/v1/assignments/{body['assignment']['id']}/judgment/", answer, key=note)
            if status == 201:
                found.acknowledged[note] = (person, body["item"]["id"])
            elif status != 409:  # the other tab was faster
                found.problems.append(f"an answer was met with {status}: {said}")
    except Exception as trouble:  # noqa: BLE001  reported by the main thread
        found.problems.append(f"{name}: {type(trouble).__name__}: {trouble}")


class Line:
    """A bad line to the server: what is lost on it is sent again."""

    def __init__(self, port: int, token: str, *, rng: random.Random, found: Found) -> None:
        self.port, self.rng, self.found = port, rng, found
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self.server = HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path: str, body: dict[str, Any], *, key: str) -> tuple[int, Any]:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                self.server.request("POST", path, json.dumps(body), headers)
                if key and self.rng.random() < LOST_SHARE:
                    self.found.n_lost += 1
                    time.sleep(self.rng.random() * 0.05)  # the server works on it meanwhile, or has not begun
                    raise ConnectionResetError
                response = self.server.getresponse()
                return response.status, json.loads(response.read())
            except (OSError, HTTPException, ValueError):
                self.server.close()
                time.sleep(0.02)
        raise TimeoutError(f"{path} was not answered for two minutes")


# ---- what disturbs and watches it -----------------------------------------------------------------------------------
def kill_workers(master: int, found: Found) -> None:
    """Now and then one of the web server's processes dies at once, in the middle of whatever it does."""
    rng = random.Random(master)
    while not found.over.wait(KILL_EVERY_SECONDS):
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if len(children) > 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(rng.choice(children)), signal.SIGKILL)
                found.n_kills += 1


def watch(overlap: int, found: Found) -> None:
    """Count, all the while, pages that more people hold or have answered than were asked for."""
    from django.db import connection, transaction

    from labeling.models import Assignment, Judgment

    while True:
        is_last = found.over.is_set()
        with transaction.atomic():
            if connection.vendor == "postgresql":
                connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            held = set(Assignment.objects.filter(state="leased").values_list("item", "annotator"))
            answered = set(Judgment.objects.current().values_list("item", "rater__user"))
        people = Counter(item for item, _ in held | answered)
        found.over_assigned += sum(n > overlap for n in people.values())
        found.n_polls += 1
        if is_last:
            return
        time.sleep(POLL_EVERY_SECONDS)


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    """Gunicorn as `./touchstone up` starts it: its port and the number of its first process."""
    from config import processes

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        process = subprocess.Popen(
            processes.web(descriptor=listener.fileno()), pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL
        )
        try:
            yield listener.getsockname()[1], process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


# ---- what came of it ------------------------------------------------------------------------------------------------
def verdict(found: Found, overlap: int) -> dict[str, Any]:
    from labeling import invariants
    from labeling.models import Item, Judgment

    stored = list(Judgment.objects.values_list("note", "rater__user__username", "item__public_id"))
    by_note = {note: (person, item) for note, person, item in stored}
    answers = Counter(item for _, _, item in stored)
    return {
        "acknowledged": len(found.acknowledged),
        "lost": sum(by_note.get(note) != who for note, who in found.acknowledged.items()),
        "doubled": sum(n > 1 for n in Counter((person, item) for _, person, item in stored).values()),
        "over_assigned": found.over_assigned,
        "starved": sum(answers[item] != overlap for item in Item.objects.values_list("public_id", flat=True)),
        "problems": found.problems[:5],
        "broken": [finding.id for finding in invariants.findings() if not finding.is_kept],
        "answers_not_read": found.n_lost,
        "kills": found.n_kills,
        "polls": found.n_polls,
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
