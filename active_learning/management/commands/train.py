import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from active_learning import training
from active_learning.management import here
from active_learning.models import TrainingRun
from labeling.models import Job


class Command(BaseCommand):
    help = "Train the learner of project P on what is answered, and score its pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--seed", type=int, help="the same seed and answers give the same weights")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        project = here.project_named(options["project"])

        def ask() -> Job:
            run = training.request(project, by=None, reason="command", seed=options["seed"])
            return Job.objects.get(training_run=run)

        job = here.finish(ask)
        run = TrainingRun.objects.get(job=job)
        if options["json"]:
            said = {"run": run.number, "state": job.state, "n_items": run.n_items, "n_scored": run.n_scored,
                    "seed": run.seed, "metrics": run.metrics, "weights_sha256": run.weights_sha256,
                    "artifact_sha256": run.artifact_sha256}  # fmt: skip
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        self.stdout.write(
            f"Run {run.number} learnt from {run.n_items:,} pages and scored {run.n_scored:,} "
            f"(seed {run.seed}, weights {run.weights_sha256[:12]})."
        )
