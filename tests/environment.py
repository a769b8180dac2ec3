"""The environment tests run in, set before Django reads its settings (`-p tests.environment` in pyproject.toml).

SQLite in a file of this run's own, unless TEST_DATABASE_URL names a PostgreSQL server; DATABASE_URL is never used, so a
shell that points at production cannot be tested upon. TEST_DB names the run: two runs at once need two names.
"""

import os
import secrets
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
RUN_NAME = os.environ.get("TEST_DB", "pytest")
DATA_DIR = REPOSITORY / "var" / "tests" / RUN_NAME

# Quick to compute and worthless as protection: tests log in thousands of times. Argon2 stays readable behind it.
FAST_HASHER = "django.contrib.auth.hashers.MD5PasswordHasher"


def values() -> dict[str, str]:
    sqlite = f"sqlite:///{DATA_DIR / 'touchstone.sqlite3'}"
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TOUCHSTONE_DATA": str(DATA_DIR),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or sqlite,
        "REDIS_URL": "memory://",  # a nudge goes nowhere; the `broker` fixture starts a real Valkey
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
        "TOUCHSTONE_HTTPS": "false",
        "STATIC_HASHED": "false",
        "LOGIN_COOLOFF_MINUTES": "5",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # synchronous playwright runs an event loop in this thread
    }


(DATA_DIR / "static").mkdir(parents=True, exist_ok=True)
os.environ.pop("SECRET_KEY_FILE", None)
os.environ.update(values())


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    settings.PASSWORD_HASHERS = [FAST_HASHER, *settings.PASSWORD_HASHERS]
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql"):
        database.setdefault("TEST", {})["NAME"] = f"test_{RUN_NAME}"
