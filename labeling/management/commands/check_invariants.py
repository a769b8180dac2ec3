"""Check every promise of the database; exit code 1 when one is broken."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser

from labeling.invariants import Finding, findings


class Command(BaseCommand):
    help = "Check what must be true of the database. Reads only; exit code 1 when something is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, **options) -> None:
        found = findings()
        broken = [finding for finding in found if not finding.is_kept]
        if options["json"]:
            checks = [asdict(finding) | {"is_kept": finding.is_kept} for finding in found]
            self.stdout.write(json.dumps({"kept": not broken, "checks": checks}, indent=1))
        else:
            self.say(found, broken)
        if broken:
            raise SystemExit(1)

    def say(self, found: list[Finding], broken: list[Finding]) -> None:
        for finding in found:
            mark = "kept  " if finding.is_kept else "BROKEN"
            self.stdout.write(f"{mark}  {finding.id:<10} {finding.sentence}")
            for example in finding.examples:
                self.stdout.write(f"                    {example}")
            if finding.n_breaches > len(finding.examples):
                self.stdout.write(f"                    ... {finding.n_breaches:,} in all")
        self.stdout.write(f"{len(found) - len(broken)} of {len(found)} promises are kept.")
