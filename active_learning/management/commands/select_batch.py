import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from active_learning import batches
from active_learning.management import here
from active_learning.models import Batch
from active_learning.strategies.names import STRATEGY_TITLES


class Command(BaseCommand):
    help = "Choose the next pages of project P and open their slots. What is left out follows the project's settings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--size", type=int, metavar="N")
        parser.add_argument("--strategy", help=f"one of {', '.join(STRATEGY_TITLES)}")
        parser.add_argument("--random-share", type=float, metavar="SHARE", help="0 to 1, drawn at random")
        parser.add_argument("--run", type=int, help="a finished training run; left out, the newest")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        project = here.project_named(options["project"])
        wanted = {name: options[name] for name in ("size", "strategy", "random_share", "run", "seed")}
        job = here.finish(lambda: batches.select(project, by=None, **wanted))
        batch = Batch.objects.get(job=job)
        note = (job.result or {}).get("note", "")
        rows = list(batch.batch_items.select_related("selection__item").order_by("rank"))
        if options["json"]:
            items = [
                {"item": row.selection.item.public_id, "rank": row.rank, "stream": row.selection.stream,
                 "reason": row.selection.reason, "scores": row.scores}
                for row in rows
            ]  # fmt: skip
            said = {"batch": batch.number, "strategy": batch.strategy, "seed": batch.seed, "note": note, "items": items}
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        n_random = sum(row.selection.stream == "random" for row in rows)
        self.stdout.write(f"Batch {batch.number}: {len(rows):,} pages, {n_random:,} of them at random. {note}".strip())
