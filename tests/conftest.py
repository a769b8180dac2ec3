"""Fixtures and choices every test shares. Rows come from tests/factories.py, servers from tests/servers.py."""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.db import connection, transaction
from django.test import TransactionTestCase
from kombu import pools
from playwright.sync_api import Browser

from labeling import fits, immutability, schemas
from tests import chromium
from tests.servers import Valkey, Worker

DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "django_db_reset_sequences",
    "live_server",
    "django_db_serialized_rollback",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("touchstone")
    group.addoption("--no-browser", action="store_true", help="leave out the tests that drive Chromium")
    group.addoption("--slow", action="store_true", help="run the long forms too")
    group.addoption("--database-only", action="store_true", help="only tests that touch the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this run is not for. Left out means not counted: nothing is skipped in silence."""
    kept, left_out = [], []
    for item in items:
        (kept if wanted(item, config) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def wanted(item: pytest.Item, config: pytest.Config) -> bool:
    if item.get_closest_marker("slow") and not config.getoption("slow"):
        return False
    if drives_browser(item) and config.getoption("no_browser"):
        return False
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        return False
    return touches_database(item) or not config.getoption("database_only")


def drives_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None or "browser" in getattr(item, "fixturenames", ())


def touches_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    return isinstance(getattr(item, "cls", None), type) and issubclass(item.cls, TransactionTestCase)


@pytest.fixture(autouse=True, scope="session")
def tests_may_empty_their_database() -> Iterator[None]:
    """Take the triggers away before a committed test's rows are deleted; post_migrate lays them again afterwards."""
    empty = TransactionTestCase._fixture_teardown

    def without_triggers(self: TransactionTestCase) -> None:
        immutability.remove()
        empty(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", without_triggers)
        yield


@pytest.fixture(autouse=True)
def forget_schemas() -> None:
    """Versions and fits are remembered by their id, and a test that is rolled back leaves its ids to the next one."""
    schemas.by_id.cache_clear()
    fits.by_id.cache_clear()


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """For fixtures of a module that make rows once for all its tests: each test undoes only what it did to them."""
    schemas.by_id.cache_clear()
    fits.by_id.cache_clear()
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


# ---- processes ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """One Valkey for this test process. Tests ask for `broker`, which also makes Celery use it."""
    with Valkey() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Where it is missing the test fails: leaving it out must be asked for, with --no-browser."""
    try:
        with chromium.running() as browser:
            yield browser
    except chromium.NoBrowser as missing:
        pytest.fail(f"{missing} Or run the tests with --no-browser.", pytrace=False)


@pytest.fixture
def broker(valkey: Valkey, settings: Any) -> Iterator[Valkey]:
    """A real broker, empty, that this process sends its messages to; started again if a test killed it."""
    if valkey.process is None or valkey.process.poll() is not None:
        valkey.start()
    valkey.flush()
    settings.REDIS_URL = valkey.url
    before = current_app.conf.broker_url
    point_celery_at(valkey.url.replace("unix://", "redis+socket://"))
    yield valkey
    point_celery_at(before)


def point_celery_at(url: str) -> None:
    """Send this process's messages there from now on; connections to the old broker are dropped."""
    pools.reset()
    current_app._pool = None
    current_app.amqp._producer_pool = None
    current_app.conf.broker_url = url


@pytest.fixture
def worker(transactional_db: None, broker: Valkey) -> Iterator[Worker]:
    """A Celery worker process, with its scheduler, on this test's database and broker."""
    with Worker(database_url=this_database_url(), redis_url=broker.url) as process:
        yield process


def this_database_url() -> str:
    """The address of the database this test writes to, for another process."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
