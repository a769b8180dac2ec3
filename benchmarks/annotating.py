"""Many annotators at once over HTTP, without think time, against a bare view with one claim and one insert."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from benchmarks.figures import Figure, at_least, at_most, percentile
from benchmarks.queueing import over_assigned
from benchmarks.rows import LABELS, import_urls, make_annotator, make_project, token_of
from config import processes
from labeling.models import Judgment, Project

OVERLAP = 2
SLOTS_PER_SECOND = 1_500  # more than two cores can answer, the bare floor too, so that no queue runs dry
BODY = json.dumps({"yes": LABELS[:2]})
Turn = Callable[[HTTPConnection, dict[str, str]], None]


class WrongAnswer(Exception):
    """The server answered with something else than what was asked for."""


def measure(*, clients: int, seconds: float, database_url: str) -> Iterator[Figure]:
    n_items = int(seconds * SLOTS_PER_SECOND / OVERLAP) + clients
    project, bare = make_project(overlap=OVERLAP), make_project(overlap=1)
    import_urls(project, n_items, queue=True)
    import_urls(bare, n_items * OVERLAP, queue=True)
    tokens = {one.pk: [token_of(make_annotator(one)) for _ in range(clients)] for one in (project, bare)}

    floor = [crowd(bare_turns(bare), tokens[bare.pk], seconds / 2, "benchmarks.floor.settings", database_url)]
    ours = crowd(turns(project), tokens[project.pk], seconds, "config.settings", database_url)
    floor += [crowd(bare_turns(bare), tokens[bare.pk], seconds / 2, "benchmarks.floor.settings", database_url)]

    if any(one.errors for one in floor):
        raise RuntimeError(f"The floor does not stand: {floor[0].errors + floor[1].errors}"[:500])
    bare_rate = sum(len(one.seconds) for one in floor) / sum(one.took for one in floor)
    rate = len(ours.seconds) / ours.took
    stored = Judgment.objects.filter(item__project=project).count()
    yield Figure(f"submit + next, {clients} annotators at once", rate, "judgments/s")
    yield Figure("submit + next, p50", percentile(ours.seconds, 0.5) * 1000, "ms")
    yield Figure("submit + next, p95", percentile(ours.seconds, 0.95) * 1000, "ms")
    yield Figure("floor: one claim, one insert", bare_rate, "requests/s")
    yield at_least("rate of submit + next / of the floor", rate / bare_rate, 0.7)
    yield at_most("errors", len(ours.errors), 0, digits=0)
    yield at_most("items given to more people than asked", over_assigned(project, OVERLAP), 0, digits=0)
    yield at_most("answers acknowledged and not stored", len(ours.seconds) + ours.n_warm_up - stored, 0, digits=0)


# ---- a turn ---------------------------------------------------------------------------------------------------------
def turns(project: Project) -> Callable[[], Turn]:
    def one_annotator() -> Turn:
        slot: list[int] = []

        def turn(server: HTTPConnection, headers: dict[str, str]) -> None:
            if not slot:
                slot.append(ask(server, f"/api/v1/projects/{project.slug}/next/", "", headers)["assignment"]["id"])
            body = ask(server, f"/api/v1/assignments/{slot[0]}/judgment/?next=true", BODY, headers)
            slot[0] = body["next"]["assignment"]["id"]

        return turn

    return one_annotator


def bare_turns(project: Project) -> Callable[[], Turn]:
    def turn(server: HTTPConnection, headers: dict[str, str]) -> None:
        ask(server, f"/bare/{project.pk}/", BODY, headers)

    return lambda: turn


def ask(server: HTTPConnection, path: str, body: str, headers: dict[str, str]) -> dict:
    server.request("POST", path, body, headers)
    response = server.getresponse()
    content = response.read()
    if response.status not in {200, 201}:
        raise WrongAnswer(f"{response.status} {content[:300]!r}")
    return json.loads(content)


# ---- a crowd --------------------------------------------------------------------------------------------------------
class Crowd:
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors: list[str] = []
        self.n_warm_up = 0
        self.took = 0.0


def crowd(each: Callable[[], Turn], tokens: list[str], seconds: float, settings: str, database_url: str) -> Crowd:
    """Everybody works from the same moment until the time is over; the first turn of each is not counted."""
    found, start = Crowd(), threading.Barrier(len(tokens) + 1)
    with server(settings, database_url) as port:
        threads = [
            threading.Thread(target=client, args=(each(), port, token, seconds, start, found)) for token in tokens
        ]
        for thread in threads:
            thread.start()
        start.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        found.took = time.perf_counter() - began
    return found


def client(turn: Turn, port: int, token: str, seconds: float, start: threading.Barrier, found: Crowd) -> None:
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    server = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        turn(server, headers)  # the processes have read their code when the clock starts
        found.n_warm_up += 1
    except (WrongAnswer, OSError, HTTPException) as error:
        found.errors.append(f"{type(error).__name__}: {error}")
    start.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        try:
            turn(server, headers)
        except (WrongAnswer, OSError, HTTPException) as error:
            found.errors.append(f"{type(error).__name__}: {error}")
            server.close()
        else:
            found.seconds.append(time.perf_counter() - began)
    server.close()


@contextmanager
def server(settings: str, database_url: str) -> Iterator[int]:
    """Gunicorn as `./touchstone up` starts it, on a free port; the port is given when it answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        port = listener.getsockname()[1]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings, "DATABASE_URL": database_url}
        process = subprocess.Popen(
            processes.web(descriptor=listener.fileno()),
            env=environment,
            pass_fds=[listener.fileno()],
            stderr=sys.stderr,
        )
        try:
            await_answer(port)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def await_answer(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            server = HTTPConnection("127.0.0.1", port, timeout=60)
            server.request("GET", "/healthz")
            if server.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
    raise RuntimeError("The web server did not start.")
