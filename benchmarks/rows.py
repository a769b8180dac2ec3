"""What is measured upon: addresses, a project with sixteen labels, people with tokens, a full queue."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

from django.utils import timezone

from labeling import imports, jobs, projects, publishing, tasks, tokens
from labeling.models import Item, Membership, Project, Role, User

LABELS = tuple(f"label_{number:02}" for number in range(16))
_numbers = count(1)
assert tasks  # registers what the jobs do


def make_project(*, overlap: int = 1) -> Project:
    project = projects.create({"name": f"Bench {next(_numbers)}", "overlap": {"default": overlap}}, by=None)
    labels = tuple(publishing.LabelDraft(key=key, name=key.replace("_", " ").title()) for key in LABELS)
    publishing.publish(project, publishing.Draft(labels=labels), by=None)
    return project


def make_annotator(project: Project) -> User:
    user = User.objects.create(username=f"annotator-{next(_numbers)}")
    Membership.objects.create(project=project, user=user, role=Role.ANNOTATOR)
    return user


def token_of(user: User) -> str:
    later = timezone.now() + timedelta(days=1)
    return tokens.issue(user, name="bench", scopes=["read", "write"], expires_at=later)[1]


def addresses(n: int) -> Iterator[str]:
    """Addresses of many hosts, with paths and queries, as lists of pages have them."""
    for number in range(n):
        yield f"https://www.site{number % 9973}.example.org/section/{number % 31}/page-{number}.html?ref={number % 7}"


def file_of(urls: Iterator[str]) -> Iterator[bytes]:
    yield b"url\n"
    for url in urls:
        yield f"{url}\n".encode()


def import_urls(project: Project, n: int, *, queue: bool) -> None:
    """As the worker does it."""
    run = imports.start(project, by=None, chunks=file_of(addresses(n)), filename="bench.csv", queue=queue)
    said = jobs.run(run.pk)
    if said != "done" or Item.objects.filter(project=project).count() != n:
        raise RuntimeError(f"The import of {n:,} addresses ended with “{said}”.")
