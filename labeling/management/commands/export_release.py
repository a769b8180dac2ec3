"""Write a release to a folder, byte for byte."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import released, verification
from labeling.models import Project
from labeling.refusals import Refused


class Command(BaseCommand):
    help = "Write version VERSION of project P to the new folder DIR, and check what was written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("release", metavar="VERSION", help="as in 1.0.0")
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        release = released.find(project, options["release"])
        if release is None:
            raise CommandError(f"“{project}” has no version {options['release']}.")
        folder: Path = options["folder"]
        try:
            names = released.write_folder(release, folder)
        except Refused as refused:
            raise CommandError(refused.sentence) from None
        except OSError as trouble:
            raise CommandError(f"{folder} cannot be written: {trouble.strerror}.") from None
        problems = verification.verify(folder)
        if problems:
            raise CommandError(f"What was written is not what was released: {problems[0]}")
        if options["json"]:
            self.stdout.write(json.dumps({"version": release.version, "folder": str(folder), "files": sorted(names)}))
        else:
            self.stdout.write(f"Version {release.version} is in {folder}: {len(names)} files, all as released.")
