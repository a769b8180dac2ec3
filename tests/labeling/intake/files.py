"""Small files, and what becomes of them."""

import json
from collections.abc import Iterable

from labeling import imports, jobs, tasks  # noqa: F401  (tasks registers the handlers)
from labeling.models import Import, Project


def csv(*rows: str, header: str = "url,title,text") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def ndjson(*objects: dict) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in objects)


def send(project: Project, content: bytes | Iterable[bytes], **options) -> Import:
    """Store the file and queue its import, not yet done."""
    chunks = [content] if isinstance(content, bytes) else content
    return imports.start(project, by=None, chunks=chunks, **options)


def bring(project: Project, content: bytes | Iterable[bytes], **options) -> Import:
    """Import the file to its end."""
    run = send(project, content, **options)
    jobs.run(run.pk)
    return Import.objects.select_related("job").get(pk=run.pk)


def bring_answers(project: Project, content: bytes, **options) -> Import:
    return bring(project, content, kind=Import.Kind.JUDGMENTS, **options)


def counts(run: Import) -> tuple[int, int, int, int]:
    """created, duplicate, updated, refused; they always add up."""
    found = run.rows_created, run.rows_duplicate, run.rows_updated, run.rows_refused
    assert sum(found) == run.rows_total == run.rows_done
    return found


def reasons(run: Import) -> list[tuple[int, str]]:
    return list(run.refused.values_list("line", "reason"))
