"""Import a list of pages from a file."""

from django.core.management.base import CommandParser

from labeling.management.file_import import FileImport


class Command(FileImport):
    help = "Import items from FILE into project P: CSV with a column url, or NDJSON; plain or gzip. May be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--queue", action="store_true", help="open slots for every new item")
