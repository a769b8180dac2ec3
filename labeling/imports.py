"""Imports as people see them: a file becomes a job, how far it is, what became of its rows, and when its file goes.

The work itself is in `chunks`; what rows of each kind mean is in `intake` and `judgment_import`.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from labeling import jobs, storage, sweeping, uploads
from labeling.models import Event, Import, Job, Project, User
from labeling.refusals import Refused, Unacceptable

JOB_KINDS = {Import.Kind.ITEMS: "import", Import.Kind.JUDGMENTS: "judgment_import"}
UNNAMED_FOR = timedelta(days=1)  # a file is named by its import as soon as it has arrived
READ_ROWS = 2_000
LOOK_SECONDS = 0.5


# ---- a file becomes a job -------------------------------------------------------------------------------------------
def start(
    project: Project,
    *,
    by: User | None,
    chunks: Iterable[bytes],
    kind: str = Import.Kind.ITEMS,
    filename: str = "",
    content_type: str = "",
    queue: bool = False,
    assume_scheme: str = "",
    also: Callable[[Import], None] = lambda run: None,
) -> Import:
    """Store the file and queue its import. Raises Unacceptable when its first bytes show that it can be no list.

    `also` is called in the transaction that makes the import: what it writes stands or falls with it.
    """
    if project.archived_at is not None:
        raise Refused("This project is archived: nothing is imported into it. Restore it first.")
    upload = storage.save(chunks)
    try:
        form = uploads.sniff(upload.head, filename, content_type)
        with transaction.atomic():
            job = jobs.enqueue(JOB_KINDS[Import.Kind(kind)], project=project, by=by)
            run = Import.objects.create(
                job=job, project=project, kind=kind, filename=_printable(filename), stored_name=upload.name,
                sha256=upload.sha256, size_bytes=upload.size_bytes, format=form, queue=queue,
                assume_scheme=assume_scheme,
            )  # fmt: skip
            Event.record(
                f"import.started.{kind}", by=by, project=project, about=job, sha256=upload.sha256,
                filename=run.filename,
            )  # fmt: skip
            also(run)
    except uploads.BadFile as bad:
        storage.remove(upload.name)
        raise Unacceptable(str(bad), [{"pointer": "", "detail": str(bad)}]) from None
    except BaseException:
        storage.remove(upload.name)
        raise
    return run


def _printable(name: str) -> str:
    """A file name as text to show: its last part, nothing unprintable, at most 255 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:255]


# ---- how far it is --------------------------------------------------------------------------------------------------
COUNTERS = ("rows_total", "rows_created", "rows_duplicate", "rows_updated", "rows_refused")


def counts_of(run: Import) -> dict[str, int]:
    return {name: getattr(run, name) for name in COUNTERS}


def in_words(run: Import) -> str:
    """ "12,000 rows read: 11,400 new, 500 known, 100 refused" """
    parts = [f"{run.rows_created:,} new", f"{run.rows_duplicate:,} known"]
    if run.rows_updated:
        parts.append(f"{run.rows_updated:,} brought up to date")
    parts.append(f"{run.rows_refused:,} refused")
    read = "1 row" if run.rows_total == 1 else f"{run.rows_total:,} rows"
    return f"{read} read: {', '.join(parts)}"


class Share:
    """Tells the job how far it is, at most once a second."""

    EVERY_SECONDS = 1.0

    def __init__(self, run: Import, lines: int) -> None:
        self.run, self.lines = run, max(lines, 1)
        self.began, self.began_at = time.monotonic(), run.rows_done
        self.said = 0.0

    def say(self, claim: jobs.Claim) -> None:
        now = time.monotonic()
        if now - self.said < self.EVERY_SECONDS:
            return
        self.said = now
        claim.progress(min(self.run.rows_done / self.lines, 1.0), in_words(self.run) + self._time_left(now))

    def _time_left(self, now: float) -> str:
        """Nothing in the first seconds: an estimate from one chunk would only be wrong."""
        seconds, done = now - self.began, self.run.rows_done - self.began_at
        if seconds < 3 or not done:
            return ""
        left = max(self.lines - self.run.rows_done, 0) * seconds / done
        if left < 60:
            return " · less than a minute left"
        minutes = round(left / 60)
        return f" · about {minutes} {'minute' if minutes == 1 else 'minutes'} left"


def refused_rows(run: Import) -> Iterator[dict[str, Any]]:
    """The refused rows in the order of the file, streamed."""
    found = run.refused.order_by("number").values("line", "reason", "raw")
    for row in found.iterator(chunk_size=READ_ROWS):
        yield dict(row)


# ---- without a worker -----------------------------------------------------------------------------------------------
def finish_here(run: Import, *, patience_seconds: float = 3600) -> Import:
    """Do the import in this process, or wait for the worker that was quicker. Returns it as it then stands.

    What was interrupted goes on here; what a dead process holds, once the sweep's patience is over.
    """
    until = time.monotonic() + patience_seconds
    jobs.run(run.pk)
    while Job.objects.unfinished().filter(pk=run.pk).exists() and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        sweeping.release_stale()
        jobs.run(run.pk)
    run.job.refresh_from_db()
    run.refresh_from_db()
    return run


# ---- files that are not needed any more -----------------------------------------------------------------------------
def forget_files(*, now: datetime) -> int:
    """Delete files of imports that failed or were cancelled long ago, and those no import names. Returns how many."""
    limit = now - timedelta(days=settings.UPLOAD_RETENTION_DAYS)
    kept = Import.objects.exclude(stored_name="").exclude(job__finished_at__lt=limit)
    names = set(kept.values_list("stored_name", flat=True))
    gone = [name for name in storage.names(before=now - UNNAMED_FOR) if name not in names]
    for name in gone:
        storage.remove(name)
    return len(gone)
