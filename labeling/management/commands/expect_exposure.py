"""Bring up to date what every page is expected to cost its reader. Running it twice changes nothing."""

from django.core.management.base import BaseCommand, CommandParser

from labeling import expectations
from labeling.models import Project


class Command(BaseCommand):
    help = "Work out again what every page is expected to cost its reader, and which labels are likely on it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", help="name in the address; every project without it")

    def handle(self, *args, **options) -> None:
        projects = Project.objects.order_by("pk")
        for project in projects.filter(slug=options["project"]) if options["project"] else projects:
            changed = expectations.recompute_all(project)
            self.stdout.write(f"{project.slug}: {changed:,} pages brought up to date.")
