"""The embedded values: what `./touchstone` puts into the environment where nothing was given.

SQLite, a Valkey socket and a generated secret, all belonging to one data folder. Production sets its own values and
never comes through here.
"""

import hashlib
import os
import secrets
import sys
import tempfile
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
UNUSABLE = 2  # exit code: nothing was started, and the sentence says what to change


class Unusable(Exception):
    """Nothing can start here; the message is a sentence for the person at the terminal."""


def main(arguments: list[str]) -> None:
    """Run `manage.py <arguments>` on the embedded values."""
    try:
        fill(os.environ)
    except Unusable as problem:
        print(problem, file=sys.stderr)  # noqa: T201 (a command speaks to its caller)
        sys.exit(UNUSABLE)
    from config.commands import run

    run(["./touchstone", *(arguments or ["help"])])


def fill(environ: MutableMapping[str, str]) -> None:
    """Add every value that is missing. Raises Unusable when the data folder cannot be written."""
    data = Path(environ.get("TOUCHSTONE_DATA") or REPOSITORY / "var").expanduser()
    make_private_folder(data)
    data = data.resolve()  # one folder has one broker, by whatever path it is named
    environ["TOUCHSTONE_DATA"] = str(data)
    environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    environ.setdefault("DATABASE_URL", f"sqlite:///{data / 'touchstone.sqlite3'}")
    environ.setdefault("ALLOWED_HOSTS", ",".join(LOOPBACK_NAMES))
    environ.setdefault("TOUCHSTONE_HTTPS", "false")
    if not environ.get("SECRET_KEY") and not environ.get("SECRET_KEY_FILE"):
        environ["SECRET_KEY_FILE"] = str(secret_key_file(data))
    if not environ.get("REDIS_URL"):
        environ["REDIS_URL"] = f"unix://{broker_socket(data)}"


def make_private_folder(folder: Path) -> None:
    """Make a folder only its owner can enter, and prove that it can be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise Unusable(
            f"The data folder {folder} cannot be written ({problem.strerror}). "
            "Set TOUCHSTONE_DATA to a folder of your own."
        ) from None


def secret_key_file(data: Path) -> Path:
    """The file of the generated secret. Two starts at once agree on one: linking a name succeeds only once."""
    path = data / "secret_key"
    if not path.exists():
        draft = data / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path


def broker_socket(data: Path) -> Path:
    """Where the Valkey of this data folder listens: a short path, for a socket's name ends at about 107 bytes."""
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path("/tmp") / f"touchstone-{os.getuid()}-{name}" / "valkey.sock"  # noqa: S108 (checked when it is made)


def make_socket_folder(folder: Path) -> None:
    """Make the socket's folder under the shared /tmp; refuse one that somebody else made there first."""
    make_private_folder(folder)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise Unusable(f"{folder} belongs to someone else or is open to others. Remove it, or set REDIS_URL.")


if __name__ == "__main__":
    main(sys.argv[1:])
