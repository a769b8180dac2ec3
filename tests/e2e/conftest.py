"""People at browsers. Whatever a test is about, it also fails for a console error or a request to another site."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

expect.set_options(timeout=15_000)  # what comes comes at once; on a machine that is busy, a little later


class Underway:
    """How many requests the server in this process is answering."""

    def __init__(self) -> None:
        self.n, self.changed = 0, threading.Condition()

    def began(self, **signal: Any) -> None:
        with self.changed:
            self.n += 1

    def ended(self, **signal: Any) -> None:
        with self.changed:
            self.n -= 1
            self.changed.notify_all()

    def wait_for_none(self, seconds: float) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.n <= 0, timeout=seconds)


@pytest.fixture
def underway(live_server) -> Iterator[Underway]:
    """A browser that is closed leaves its last request behind: emptying the tables meanwhile is a deadlock."""
    requests = Underway()
    request_started.connect(requests.began)
    request_finished.connect(requests.ended)
    yield requests
    assert requests.wait_for_none(seconds=10), "a request goes on ten seconds after its browser was closed"
    request_started.disconnect(requests.began)
    request_finished.disconnect(requests.ended)


@pytest.fixture
def visit(browser, live_server, underway) -> Iterator[Callable[..., Visitor]]:
    """visit(person, **options of the browser context) -> a Visitor who is logged in."""
    visitors: list[Visitor] = []

    def arrive(person=None, **options) -> Visitor:
        visitor = Visitor(browser, live_server.url, **options)
        visitors.append(visitor)
        return visitor.enter(person) if person is not None else visitor

    yield arrive
    complaints = [line for visitor in visitors for line in visitor.unexcused()]
    strays = [url for visitor in visitors for url in visitor.strays]
    for visitor in visitors:
        visitor.leave()
    assert complaints == []
    assert strays == []
