"""`./touchstone lint`: every check that needs no running product. All of them run; the exit code is 1 if one failed."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent


def main() -> int:
    env = production_like()
    failed = [name for name, command in steps().items() if not passes(name, command, env)]
    print(f"\nLint failed: {', '.join(failed)}" if failed else f"\nLint passed: {len(steps())} checks")
    return 1 if failed else 0


def steps() -> dict[str, list[str]]:
    manage = [sys.executable, "manage.py"]
    templates = [str(path) for path in sorted((REPOSITORY / "templates").rglob("*.html"))]
    return {
        "ruff": [tool("ruff"), "check", "."],
        "format": [tool("ruff"), "format", "--check", "."],
        "templates": [tool("djade"), "--target-version", "5.2", "--check", *templates],
        "types": [tool("mypy")],
        "imports": [tool("lint-imports")],
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "deploy": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        "openapi": [*manage, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
    }


def tool(name: str) -> str:
    return str(TOOLS / name)


def passes(name: str, command: list[str], env: Mapping[str, str]) -> bool:
    print(f"\n== {name} ==", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, cwd=REPOSITORY, env=env, check=False).returncode
    print(f"{name}: {'ok' if code == 0 else 'FAILED'} ({time.monotonic() - start:.1f} s)", flush=True)
    return code == 0


def production_like() -> dict[str, str]:
    """Settings as a deployment gives them, so that `check --deploy` judges what will run; nothing is connected to."""
    data = REPOSITORY / "var" / "lint"
    data.mkdir(parents=True, exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if name != "SECRET_KEY_FILE"},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DATABASE_URL": f"sqlite:///{data / 'touchstone.sqlite3'}",
        "REDIS_URL": "redis://localhost:6379/0",
        "ALLOWED_HOSTS": "touchstone.example",
        "TOUCHSTONE_DATA": str(data),
        "TOUCHSTONE_HTTPS": "true",
        "DEBUG": "false",
    }


if __name__ == "__main__":
    sys.exit(main())
