"""Write a backup: database, blobs and a manifest, while people go on working."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import backups
from labeling.refusals import Refused


class Command(BaseCommand):
    help = "Write a complete backup into a new folder. Keep the SECRET_KEY apart: it is not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, **options) -> None:
        folder = options["folder"].absolute()
        try:
            manifest = backups.make(folder)
        except Refused as refused:
            raise CommandError(refused.sentence) from None
        said = {"folder": str(folder), "files": len(manifest["files"]), "rows": sum(manifest["tables"].values())}
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            self.stdout.write(f"{said['rows']:,} rows and {said['files']:,} files are kept in {folder}")
