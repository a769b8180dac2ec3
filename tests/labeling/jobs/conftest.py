from collections.abc import Callable, Iterator

import pytest

from labeling import jobs


@pytest.fixture
def kind() -> Iterator[Callable]:
    """Register a handler for the kind "test" while the test lasts."""
    yield lambda handler: jobs.handles("test")(handler)
    jobs._handlers.pop("test", None)
