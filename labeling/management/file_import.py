"""What import_items and import_judgments share: one file, one project, a report in words or JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import imports, tasks  # noqa: F401  (tasks registers the handlers of jobs)
from labeling.models import Import, Job, Project
from labeling.refusals import Refused
from labeling.weburls import SCHEMES

CHUNK_BYTES = 1 << 20
SHOWN = 10


class FileImport(BaseCommand):
    """Runs the import in this process, so that no worker is needed."""

    kind = Import.Kind.ITEMS

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("file", type=Path, help="CSV or NDJSON, plain or gzip")
        parser.add_argument("--assume-scheme", choices=SCHEMES, default="", help="for addresses without one")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        try:
            run = imports.start(
                project, by=None, chunks=chunks_of(options["file"]), kind=self.kind, filename=options["file"].name,
                assume_scheme=options["assume_scheme"], queue=options.get("queue", False),
            )  # fmt: skip
        except Refused as refused:
            raise CommandError(f"{options['file']}: {refused.sentence}") from None
        self.report(imports.finish_here(run), as_json=options["json"])

    def report(self, run: Import, *, as_json: bool) -> None:
        if run.job.state != Job.State.DONE:
            raise CommandError(f"{run.filename}: {run.job.message}")
        refused = imports.refused_rows(run)
        if as_json:
            said = {
                "id": str(run.pk),
                "state": run.job.state,
                **imports.counts_of(run),
                "refused": list(refused)[:1000],
            }
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        self.stdout.write(f"{imports.in_words(run)}.")
        for row, _ in zip(refused, range(SHOWN), strict=False):
            self.stdout.write(f"  line {row['line']}: {row['reason']}")
        if run.rows_refused > SHOWN:
            self.stdout.write(f"  and {run.rows_refused - SHOWN:,} more: /p/{run.project.slug}/imports/{run.pk}/")


def chunks_of(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as wrong:
        raise CommandError(f"{path} cannot be read: {wrong.strerror}.") from None
