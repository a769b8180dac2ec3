"""Which address a request comes from: the connection's own, or what the one trusted proxy says of it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The client's address; None where there is none (a socket file), or where the proxy says nothing sensible.

    A proxy appends whom it heard to X-Forwarded-For, so only the last entry is its own word: a client can send a header
    that begins with any address it likes. Without TRUST_PROXY the header is anybody's word, and not read.
    """
    connection = request.META.get("REMOTE_ADDR", "")
    if not settings.TRUST_PROXY:
        return _checked(connection)
    return _checked(request.META.get("HTTP_X_FORWARDED_FOR", connection).rpartition(",")[2])


def is_this_machine(request: HttpRequest) -> bool:
    """Whether a program on this machine asks by itself. A proxy on this machine speaks for somebody else."""
    address = _checked(request.META.get("REMOTE_ADDR", ""))
    return address is not None and ipaddress.ip_address(address).is_loopback and not _is_forwarded(request)


def _is_forwarded(request: HttpRequest) -> bool:
    return any(name in request.META for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))


def _checked(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip().partition("%")[0]))
    except ValueError:
        return None
