"""Make a project from a JSON file of the API's shape."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling import strict_json
from labeling.api.project_shapes import ProjectCreation
from labeling.api.projects import created
from labeling.models import User
from labeling.refusals import Refused, Unacceptable

MAX_BYTES = 16 * 1024 * 1024


class Command(BaseCommand):
    help = "Make a project with its settings and labels from FILE.json (the body of POST /api/v1/projects/)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--manager", metavar="NAME", help="an account that becomes its manager")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, **options) -> None:
        body = ProjectCreation(data=read(options["file"]))
        if not body.is_valid():
            raise CommandError(f"{options['file']}: {sentences(body.errors)}")
        manager = manager_called(options["manager"])
        try:
            project = created(body.validated_data, by=manager)
        except Refused as refused:
            details = refused.errors if isinstance(refused, Unacceptable) else []
            said = " ".join(error["detail"] for error in details) or refused.sentence
            raise CommandError(f"{options['file']}: {said}") from None
        made = {"slug": project.slug, "name": project.name, "schema_version": project.schema.number}
        self.stdout.write(json.dumps(made) if options["json"] else f"“{project.name}” is made: /p/{project.slug}/")


def read(path: Path) -> dict:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandError(f"{path} is larger than 16 MB, which no project's settings are.")
        value = strict_json.loads(path.read_bytes())
    except OSError as wrong:
        raise CommandError(f"{path} cannot be read: {wrong.strerror}.") from None
    except strict_json.BadJSON as wrong:
        raise CommandError(f"{path}: {wrong}") from None
    if not isinstance(value, dict):
        raise CommandError(f"{path} must hold one JSON object.")
    return value


def manager_called(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no account “{name}”.")
    return user


def sentences(errors: Any, path: str = "") -> str:
    """DRF's nested errors as one line of sentences."""
    if isinstance(errors, dict):
        return " ".join(sentences(value, f"{path}/{key}") for key, value in errors.items() if value)
    if isinstance(errors, list) and any(isinstance(value, dict | list) for value in errors):
        return " ".join(sentences(value, f"{path}/{place}") for place, value in enumerate(errors) if value)
    return f"{path}: {' '.join(str(value) for value in errors)}"
