"""People at browsers. Whatever a test is about, it also fails for a console error or a request to another site."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.visitor import Visitor


@pytest.fixture
def visit(browser, live_server) -> Iterator[Callable[..., Visitor]]:
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
