"""A real server for tests that undo what they did: sockets, cookies, CSRF, every middleware, one database connection.

The server's threads use the database connection of the test. One request is under way at a time, so the test can wrap
it in a savepoint, look at what it changed, and roll it back: thousands of requests on one world of rows.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.test.testcases import QuietWSGIRequestHandler

PATIENCE_SECONDS = 30
LOGIN = "/accounts/login/"
SAFE = ("GET", "HEAD", "OPTIONS")
FORM = "application/x-www-form-urlencoded"


class _Server(ThreadedWSGIServer):
    def _close_connections(self) -> None:
        """Nothing to close: the connection is the test's."""


class _Handler(QuietWSGIRequestHandler):
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the acknowledgement of its headers


@contextmanager
def serving() -> Iterator[tuple[str, int]]:
    """Host and port of the product, served from this process until the block ends."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.inc_thread_sharing()
    for signal in (request_started, request_finished):  # as Django's own test client: the transaction stays open
        signal.disconnect(close_old_connections)
    server = _Server(("127.0.0.1", 0), _Handler, connections_override={DEFAULT_DB_ALIAS: connection})
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[0], server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        connection.dec_thread_sharing()


class Answer:
    """What came back, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        self.location = self.headers.get("Location", "")

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def asks_to_log_in(self) -> bool:
        return self.status == 401 or (self.status == 302 and f"{LOGIN}?next=" in self.location)


class Visitor:
    """One person's browser, or with a token a program: a connection kept open, and the cookies it was given."""

    def __init__(self, address: tuple[str, int], *, token: str = "") -> None:
        self.connection = http.client.HTTPConnection(*address, timeout=PATIENCE_SECONDS)
        self.headers = {"Authorization": f"Token {token}"} if token else {}
        self.cookies: dict[str, str] = {}

    def send(
        self, method: str, path: str, data: Any = None, *, content_type: str = FORM, headers: Mapping[str, str] = {}
    ) -> Answer:
        """A form goes out with its hidden CSRF field, everything else with the header that a script sets."""
        headers = {**self.headers, "Accept": "*/*", **headers}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if method not in SAFE:
            body, headers["Content-Type"] = self._body(data or {}, content_type), content_type
            if content_type != FORM or method != "POST":
                headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        self.connection.request(method, path, body, headers)
        answer = Answer(self.connection.getresponse())
        self._take_cookies(answer)
        return answer

    def _body(self, data: Any, content_type: str) -> bytes:
        if isinstance(data, str):
            return data.encode()
        if content_type != FORM:
            return json.dumps(data).encode()
        return urlencode({**data, "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}, doseq=True).encode()

    def _take_cookies(self, answer: Answer) -> None:
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value or morsel["max-age"] == "0":
                    del self.cookies[name]

    def log_in(self, name: str, password: str) -> None:
        """As everybody does: open the page, send its form."""
        self.send("GET", LOGIN)
        answer = self.send("POST", LOGIN, {"username": name, "password": password})
        assert answer.status == 302 and not answer.asks_to_log_in, f"{name} could not log in: {answer.status}"

    def close(self) -> None:
        self.connection.close()
