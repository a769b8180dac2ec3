"""Import existing answers from a file."""

from labeling.management.file_import import FileImport
from labeling.models import Import


class Command(FileImport):
    help = "Import existing judgments from FILE into project P, as judgments of pseudonymous raters. May be repeated."
    kind = Import.Kind.JUDGMENTS
