"""Where the web server of `up` listens, and by which names it is reached there."""

import json
import socket
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

from config.embedded import LOOPBACK_NAMES

ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (only when the operator asks for it)
# Documentation addresses, where nobody is. Nothing is sent: the kernel is only asked which of ours it would send from.
FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class Address:
    """The web server's address, as a person or the readiness poll reaches it."""

    def __init__(self, listener: socket.socket, *, allowed: list[str]) -> None:
        """allowed: ALLOWED_HOSTS, the names its answers are limited to."""
        self.host: str = listener.getsockname()[0]
        self.port: int = listener.getsockname()[1]
        self.allowed = allowed

    @property
    def reachable(self) -> str:
        return ANY_HOST.get(self.host, self.host)

    @property
    def url(self) -> str:
        return self._url_of(bracketed(self.reachable))

    def names(self) -> list[str]:
        """What the web server answers to: the names it was given; embedded, also those of the address it listens on."""
        if tuple(self.allowed) != LOOPBACK_NAMES:
            return self.allowed
        own = of_this_machine() if self.host in ANY_HOST else [bracketed(self.host)]
        return list(dict.fromkeys([*self.allowed, *own]))

    def elsewhere(self) -> str:
        """What to tell a person who opened it to other machines, or "" when it is not open to them."""
        if self.host not in ANY_HOST:
            return ""
        if "*" in self.allowed:
            return "From other machines: by any name."
        urls = [self._url_of(name.lstrip(".")) for name in self.names() if name not in LOOPBACK_NAMES]
        return (
            f"From other machines: {' or '.join(urls) or 'by no name yet'}. "
            "For another name or address set ALLOWED_HOSTS, a list with commas, before the start."
        )

    def _url_of(self, name: str) -> str:
        return f"http://{name}:{self.port}/"

    def is_ready(self) -> bool:
        """/readyz answers, and the worker has reported."""
        known = self.allowed[0].lstrip(".")
        connection = HTTPConnection(self.reachable, self.port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost" if known == "*" else known})
            response = connection.getresponse()
            return response.status == 200 and bool(json.load(response)["checks"]["worker"] == "ok")
        except (OSError, HTTPException, ValueError):
            return False
        finally:
            connection.close()


def of_this_machine() -> list[str]:
    """The machine's name, and the addresses it speaks to others from."""
    names = [socket.gethostname()]
    for family, nobody in FAR_AWAY:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((nobody, 9))
            names.append(bracketed(probe.getsockname()[0]))
    return names


def bracketed(host: str) -> str:
    """A host as it stands in a URL and in ALLOWED_HOSTS."""
    return f"[{host}]" if ":" in host else host
