"""The whole installation in numbers, for who runs it: projects, people, tokens, jobs, storage."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from labeling import project_counts
from labeling.models import ApiToken, DailyCount, Job, Membership, Project, ProjectCount, User
from labeling.project_counts import Counts

RECENT = timedelta(days=28)
SOON = timedelta(days=14)
MOST_FILES = 20_000  # looked at to weigh a folder; of more, what was weighed is a lower bound


@dataclass(frozen=True, slots=True)
class Line:
    """One project. counts: as they were kept last, at `counted_at`; answers: given here in the last four weeks."""

    project: Project
    counts: Counts | None
    counted_at: datetime | None
    n_people: int
    answers: int
    last_day: datetime | None


@dataclass(frozen=True, slots=True)
class People:
    n_active: int
    n_seen: int  # logged in within four weeks
    n_operators: int
    n_deactivated: int


@dataclass(frozen=True, slots=True)
class Tokens:
    n_live: int
    n_used: int  # within four weeks
    n_never_used: int
    n_end_soon: int


@dataclass(frozen=True, slots=True)
class Work:
    n_running: int
    n_waiting: int
    n_failed: int  # within four weeks
    oldest_waiting: datetime | None
    shown: Sequence[Job]  # unfinished ones, then those that failed last


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes. files: what uploads, scores and releases take; is_partial: there were too many to weigh them all."""

    database: int
    files: int
    is_partial: bool
    free: int
    whole: int


def lines() -> list[Line]:
    """Every project that is not archived, those with most answers lately first."""
    since = timezone.now() - RECENT
    kept = {row.project_id: row for row in ProjectCount.objects.all()}
    people = dict(
        Membership.objects.filter(user__is_active=True).order_by().values_list("project")
        .annotate(Count("user", distinct=True))
    )  # fmt: skip
    lately = DailyCount.objects.filter(stream="", answers__gt=0).order_by().values_list("project")
    given = {
        project: (answers or 0, last)
        for project, answers, last in lately.annotate(
            given=Sum("answers", filter=Q(day__gte=since.date())), last=Max("day")
        )
    }
    found = []
    for project in Project.objects.filter(archived_at=None).order_by("name"):
        row = kept.get(project.pk)
        answers, last = given.get(project.pk, (0, None))
        counts = project_counts.read(row) if row else None
        found.append(Line(project, counts, row.counted_at if row else None, people.get(project.pk, 0), answers, last))
    return sorted(found, key=lambda line: -line.answers)


def people() -> People:
    seen = Q(is_active=True, last_login__gte=timezone.now() - RECENT)
    return People(
        **User.objects.aggregate(
            n_active=Count("pk", filter=Q(is_active=True)), n_seen=Count("pk", filter=seen),
            n_operators=Count("pk", filter=Q(is_active=True, is_superuser=True)),
            n_deactivated=Count("pk", filter=Q(is_active=False)),
        )
    )  # fmt: skip


def tokens() -> Tokens:
    now = timezone.now()
    return Tokens(
        **ApiToken.objects.live(now=now).aggregate(
            n_live=Count("pk"), n_used=Count("pk", filter=Q(last_used_at__gte=now - RECENT)),
            n_never_used=Count("pk", filter=Q(last_used_at=None)),
            n_end_soon=Count("pk", filter=Q(expires_at__lt=now + SOON)),
        )
    )  # fmt: skip


def work(*, most: int = 20) -> Work:
    failed = Q(state=Job.State.FAILED, finished_at__gte=timezone.now() - RECENT)
    running, waiting = Q(state=Job.State.RUNNING), Q(state=Job.State.QUEUED)
    jobs = Job.objects.filter(failed | running | waiting)
    numbers = jobs.aggregate(
        n_running=Count("pk", filter=running), n_waiting=Count("pk", filter=waiting),
        n_failed=Count("pk", filter=failed),
    )  # fmt: skip
    unfinished = list(jobs.filter(running | waiting).select_related("project").order_by("created_at")[:most])
    gone = list(jobs.filter(failed).select_related("project").order_by("-finished_at")[:most])
    oldest = next((job.created_at for job in unfinished if job.state == Job.State.QUEUED), None)
    return Work(**numbers, oldest_waiting=oldest, shown=[*unfinished, *gone])


# ---- storage --------------------------------------------------------------------------------------------------------
def storage() -> Storage:
    files, is_partial = _weigh(Path(settings.BLOB_DIR))
    room = shutil.disk_usage(settings.DATA_DIR if Path(settings.DATA_DIR).exists() else Path(settings.DATA_DIR).anchor)
    return Storage(_database_bytes(), files, is_partial, room.free, room.total)


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])


def _weigh(folder: Path) -> tuple[int, bool]:
    """Bytes of the files under a folder, and whether there were more than are looked at."""
    total = seen = 0
    for where, _, names in os.walk(folder):
        for name in names:
            if seen == MOST_FILES:
                return total, True
            seen += 1
            try:
                total += (Path(where) / name).stat().st_size
            except FileNotFoundError:  # a temporary file that was just renamed
                continue
    return total, False
