"""Put a backup in place of this database, then check what must be true of it."""

import json
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from labeling import backups, invariants
from labeling.models import Project
from labeling.refusals import Refused


class Command(BaseCommand):
    help = "Put a backup in place of this database and its blobs. Stop web and workers first; exit code 1 on a breach."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--replace", action="store_true", help="also when this database holds projects")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, **options) -> None:
        folder = options["folder"].absolute()
        try:
            backups.check(folder)
            if Project._meta.db_table not in connection.introspection.table_names():
                call_command("migrate", verbosity=0)
            manifest = backups.restore(folder, replace=options["replace"])
        except Refused as refused:
            raise CommandError(refused.sentence) from None
        broken = [finding.id for finding in invariants.findings() if not finding.is_kept]
        said = {"rows": sum(manifest["tables"].values()), "created": manifest["created"], "broken": broken}
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            kept = "every promise is kept" if not broken else f"broken: {', '.join(broken)} (see check_invariants)"
            self.stdout.write(f"{said['rows']:,} rows of {manifest['created']} are back; {kept}.")
        if broken:
            raise SystemExit(1)
