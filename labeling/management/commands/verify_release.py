"""Check a release folder. No database is asked; labeling/verification.py does the same without Django."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from labeling import verification


class Command(BaseCommand):
    help = "Check that the release in DIR is whole: exit 0, or 1 with a sentence for each thing that is not."
    requires_system_checks: list[str] = []  # it works while the database is away

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["json"]:
            code = verification.main([options["folder"]])
        else:
            problems = verification.verify(options["folder"])
            self.stdout.write(json.dumps({"ok": not problems, "problems": problems}))
            code = int(bool(problems))
        if code:
            sys.exit(code)
