"""Put a backup in place of this database, then check what must be true of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config import claims, embedded
from labeling import health, invariants, restoring
from labeling.models import Project
from labeling.refusals import Refused

SILENT_SECONDS = 60


class Command(BaseCommand):
    help = "Put a backup in place of this database and its blobs. Stop web and workers first; exit code 1 on a breach."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--replace", action="store_true", help="also when this database holds projects")
        parser.add_argument("--force", action="store_true", help="also when a worker was seen a moment ago")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, **options) -> None:
        folder = options["folder"].absolute()
        try:
            restoring.check(folder)
            with nobody_else():
                if Project._meta.db_table not in connection.introspection.table_names():
                    call_command("migrate", verbosity=0)
                refuse_a_running_one(force=options["force"])
                manifest = restoring.restore(folder, replace=options["replace"])
                self.report(manifest, as_json=options["json"])
        except Refused as refused:
            raise CommandError(refused.sentence) from None

    def report(self, manifest: restoring.Manifest, *, as_json: bool) -> None:
        broken = [finding.id for finding in invariants.findings() if not finding.is_kept]
        said = {"rows": sum(manifest["tables"].values()), "created": manifest["created"], "broken": broken}
        if as_json:
            self.stdout.write(json.dumps(said))
        else:
            kept = "every promise is kept" if not broken else f"broken: {', '.join(broken)} (see check_invariants)"
            self.stdout.write(f"{said['rows']:,} rows of {manifest['created']} are back; {kept}.")
        if broken:
            raise SystemExit(1)


@contextmanager
def nobody_else() -> Iterator[None]:
    """A database in the data folder belongs to whoever holds the folder; a server's is anybody's."""
    if connection.vendor != "sqlite":
        yield
        return
    try:
        with claims.data_folder(settings.DATA_DIR):
            yield
    except embedded.Unusable as held:
        raise CommandError(str(held)) from None


def refuse_a_running_one(*, force: bool) -> None:
    """On a server nothing is locked, but a worker that runs has left a sign of life."""
    if connection.vendor == "sqlite" or force or not health.worker_seen(within_seconds=SILENT_SECONDS):
        return
    raise CommandError(
        f"A worker of this database was seen within the last {SILENT_SECONDS} seconds. Stop web and workers, "
        "wait a minute, or give --force when you know that none runs."
    )
