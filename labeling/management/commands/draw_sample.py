"""Draw an evaluation sample by chance."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import samples
from labeling.models import Project
from labeling.refusals import Refused


class Command(BaseCommand):
    help = "Draw N pages of project P uniformly by chance, store the record, and queue them blind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--size", type=int, required=True, metavar="N")
        parser.add_argument("--seed", help="the same seed and pages give the same sample; left out, a new one is made")
        parser.add_argument("--overlap", type=int, help="people who answer each page; left out, the project's setting")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        try:
            wanted = samples.checked(project, size=options["size"], seed=options["seed"], overlap=options["overlap"])
            made = samples.draw(project, wanted, by=None)
        except Refused as refused:
            raise CommandError(refused.sentence) from None
        if options["json"]:
            self.stdout.write(json.dumps({"sample": made.number, **made.record}))
            return
        self.stdout.write(
            f"Sample {made.number}: {made.size:,} of {made.frame_size:,} pages drawn with seed {made.seed}; "
            f"{made.overlap} {'person answers' if made.overlap == 1 else 'people answer'} each."
        )
