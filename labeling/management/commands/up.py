import io
import json
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connections

from config import claims, embedded, processes, startup
from config.addresses import Address
from config.supervisor import ChildDied, NotReady, StopRequested, Supervisor
from labeling import health
from labeling.models import Heartbeat

BROKER_SECONDS = 20
READY_SECONDS = 120


class Command(BaseCommand):
    help = "Run everything on this machine until Ctrl-C: broker, database, web, worker and scheduler."
    requires_system_checks: list[str] = []  # migrate runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--no-demo", action="store_true", help="do not create the demo on the first start")

    def handle(self, *, host: str, port: int, no_demo: bool, **options: Any) -> None:
        try:
            with claims.data_folder(settings.DATA_DIR) as lock, claims.address(host, port) as listener:
                supervisor = Supervisor(settings.DATA_DIR / "logs", held=[lock])
                with supervisor.running():
                    self.run_all(supervisor, listener, demo=not no_demo)
        except StopRequested:
            self.stdout.write("Stopped.")
        except embedded.Unusable as problem:
            self.leave(problem, code=embedded.UNUSABLE)
        except OperationalError as problem:
            self.leave(f"The database cannot be used: {problem}", code=embedded.UNUSABLE)
        except (ChildDied, NotReady) as problem:
            self.leave(f"Stopped, because {problem}", code=1)

    def run_all(self, supervisor: Supervisor, listener: socket.socket, *, demo: bool) -> None:
        """Start everything in its order, say where it is, and keep it company."""
        startup.reach_database()
        start_broker(supervisor)
        startup.migrate()
        Heartbeat.objects.filter(process="worker").delete()  # the last run's would be taken for this one's
        startup.collect_static()
        if demo and demo_is_due():
            self.stderr.write("First start: making the demo from the data in demo/ ...")
            create_demo()
        connections.close_all()  # from here on only the children use the database
        address = Address(listener, allowed=settings.ALLOWED_HOSTS)
        env = processes.environment(ALLOWED_HOSTS=",".join(address.names()))
        start_web(supervisor, listener, env=env)
        supervisor.start("worker", processes.worker(), env=env, stop_order=3, stop_seconds=20)
        supervisor.wait_until(address.is_ready, name="the web server", seconds=READY_SECONDS)
        beat = processes.beat(schedule=settings.DATA_DIR / "beat-schedule")  # only now: nobody waits for it
        supervisor.start("beat", beat, env=env, stop_order=1, stop_seconds=5)
        self.stdout.write(f"Touchstone is ready at {address.url} (Ctrl-C stops it; logs are in {supervisor.logs})")
        if address.elsewhere():
            self.stdout.write(address.elsewhere())
        self.print_accounts()
        self.stdout.flush()
        supervisor.watch()

    def print_accounts(self) -> None:
        """The demo's generated passwords, from the file only its owner can read."""
        path = settings.DATA_DIR / "accounts.json"
        if path.exists():
            self.stdout.write(f"Demo accounts (kept in {path}):")
            for account in json.loads(path.read_text()):
                self.stdout.write(f"  {account['username']:<14}{account['password']}")

    def leave(self, sentence: object, *, code: int) -> None:
        self.stderr.write(str(sentence))
        sys.exit(code)


def start_broker(supervisor: Supervisor) -> None:
    """A Valkey of our own, unless REDIS_URL names another one: that one must answer."""
    path = embedded.broker_socket(settings.DATA_DIR)
    if settings.REDIS_URL != f"unix://{path}":
        supervisor.wait_until(
            lambda: health.broker().state == "ok", name="the broker of REDIS_URL", seconds=BROKER_SECONDS
        )
        return
    embedded.make_socket_folder(path.parent)
    data = settings.DATA_DIR / "valkey"
    embedded.make_private_folder(data)
    path.unlink(missing_ok=True)
    command = processes.valkey(socket=path, data=data)
    supervisor.start("broker", command, env=processes.environment(), stop_order=4, stop_seconds=5)
    supervisor.wait_until(lambda: processes.answers(path), name="the broker", seconds=BROKER_SECONDS)


def start_web(supervisor: Supervisor, listener: socket.socket, *, env: dict[str, str]) -> None:
    descriptor = listener.fileno()
    web = processes.web(descriptor=descriptor)
    supervisor.start("web", web, env=env, stop_order=2, stop_seconds=10, pass_fds=[descriptor])
    listener.close()  # theirs alone: with the web server the port goes


# ---- demo ---------------------------------------------------------------------------------------------------------


def demo_is_due() -> bool:
    """On the first start, that is while nobody has an account; again when the last attempt was interrupted."""
    return unfinished_demo().exists() or not get_user_model().objects.exists()


def create_demo() -> None:
    unfinished_demo().touch()
    call_command("seed_demo", stdout=io.StringIO())  # its accounts are printed below the address
    unfinished_demo().unlink()


def unfinished_demo() -> Path:
    return Path(settings.DATA_DIR / "demo.unfinished")
