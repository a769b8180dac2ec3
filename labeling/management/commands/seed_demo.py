"""Make the demo: two projects on real data, five people, some pages to judge at once. May be repeated."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from labeling import demo, imports, jobs, members, refits, tasks  # noqa: F401  (tasks registers the handlers of jobs)
from labeling.api.project_shapes import ProjectCreation
from labeling.api.projects import created
from labeling.models import Assignment, Import, Job, Project, Role, User

PEOPLE = {
    "viewer": Role.VIEWER,
    "annotator": Role.ANNOTATOR,
    "annotator2": Role.ANNOTATOR,
    "adjudicator": Role.ADJUDICATOR,
    "manager": Role.MANAGER,
}
Chunks = Callable[[], Iterator[bytes]]


class Command(BaseCommand):
    help = "Make the demo projects and accounts from the data in demo/. What is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = prepare_people()
        manager = User.objects.get(username="manager")
        homepages = prepare_project("homepages", by=manager)
        load(homepages, Import.Kind.ITEMS, "homepage_crowd: pages", demo.homepage_items, by=manager)
        load(homepages, Import.Kind.JUDGMENTS, "homepage_crowd: answers", demo.homepage_judgments, by=manager)
        lists = prepare_project("ut1_lists", by=manager)
        load(lists, Import.Kind.ITEMS, "ut1_20000: addresses", demo.ut1_items, by=manager)
        load(lists, Import.Kind.JUDGMENTS, "ut1_20000: membership", demo.ut1_judgments, by=manager)
        for project in (homepages, lists):
            with transaction.atomic():
                if not Assignment.objects.filter(project=project).exists():
                    demo.queue_by_chance(project)
            refits.spread(project, refits.make(project))
        self.say(accounts, as_json=options["json"])

    def say(self, accounts: list[dict[str, str]], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"projects": ["homepages", "ut1-lists"], "accounts": accounts}))
            return
        self.stdout.write("The demo is there: /p/homepages/ and /p/ut1-lists/")
        for account in accounts:
            self.stdout.write(f"  {account['username']:<14}{account['password'] or 'password as it was'}")


def prepare_project(name: str, *, by: User) -> Project:
    body = ProjectCreation(data=demo.project_body(name))
    body.is_valid(raise_exception=True)
    project = Project.objects.filter(slug=body.validated_data["slug"]).first()
    if project is None:
        project = created(body.validated_data, by=by)
    for username, role in PEOPLE.items():
        members.add(project, username=username, role=role, by=None)
    return project


def load(project: Project, kind: str, name: str, chunks: Chunks, *, by: User) -> None:
    """Import one bundled file, unless that was done before. What was interrupted then goes on where it was."""
    begun = Import.objects.filter(project=project, kind=kind, filename=name)
    if begun.filter(job__state=Job.State.DONE).exists():
        return
    run = begun.order_by("-job__created_at").first() or imports.start(
        project, by=by, chunks=chunks(), kind=kind, filename=name, content_type="application/x-ndjson",
        assume_scheme="https",
    )  # fmt: skip
    if run.job.state in (Job.State.FAILED, Job.State.CANCELLED):
        jobs.retry(run.job, by=by)
    run = imports.finish_here(run)
    if run.job.state != Job.State.DONE:
        raise CommandError(f"The demo's “{name}” could not be imported: {run.job.message}")


# ---- people ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def prepare_people() -> list[dict[str, str]]:
    """The demo's accounts. Passwords are made once and kept in a file that only its owner can read.

    The file is whole before the accounts are committed: killed in between, the next start makes them from the file.
    """
    path = Path(settings.DATA_DIR) / "accounts.json"
    kept = {account["username"]: account["password"] for account in _read(path)}
    there = set(User.objects.filter(username__in=PEOPLE).values_list("username", flat=True))
    for username in PEOPLE:
        if username not in there:
            kept.setdefault(username, secrets.token_urlsafe(12))
            User.objects.create_user(username, password=kept[username], may_create_projects=username == "manager")
    accounts = [
        {"username": name, "password": kept[name], "role": str(role)} for name, role in PEOPLE.items() if name in kept
    ]
    _write(path, accounts)
    return accounts


def _read(path: Path) -> list[dict[str, str]]:
    return json.loads(path.read_text()) if path.exists() else []


def _write(path: Path, accounts: list[dict[str, str]]) -> None:
    """Readable by its owner from its first byte, and never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(accounts, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
