"""Freeze the next version of a project's gold set."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import readiness, releases
from labeling.models import Project
from labeling.refusals import Refused


class Command(BaseCommand):
    help = "Freeze what the samples of project P were settled as into an immutable version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--bump", choices=(readiness.AUTO, *readiness.BUMPS), default=readiness.AUTO)
        parser.add_argument("--notes", default="", help="go into CHANGES.md")
        parser.add_argument("--samples", type=int, nargs="+", metavar="NUMBER", help="left out, all of them")
        parser.add_argument(
            "--accept", action="append", default=[], metavar="LABEL=RULE",
            help="adjudicated, unanimous (the default), or consensus: with a share, as in games=consensus:0.95",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        rules = dict(rule.partition("=")[::2] for rule in options["accept"])
        wanted = readiness.Request(options["samples"], options["bump"], options["notes"], rules)
        try:
            made = releases.freeze(project, wanted, by=None)
        except Refused as refused:
            raise CommandError(refused.sentence) from None
        said = {"version": made.version, "n_items": made.n_items, "manifest_sha256": made.manifest_sha256}
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            self.stdout.write(f"Version {made.version} is frozen: {made.n_items:,} pages, {made.manifest_sha256}.")
