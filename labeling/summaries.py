"""The sums that dashboards read, kept up to date from the pages whose answers changed.

Whatever stores a consensus marks its page (`Consensus.dirty`) in the same statement, so an answer costs nothing more.
Marked pages are taken out of the sums as they stood (`Counted`) and put in as they stand: the cost is that of what
changed, not of the project. A chunk is one transaction under the project's lock, and a page that is being answered at
that moment is left for the next time. Running it twice changes nothing.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from labeling import conduct, counted, jobs, rejudging_report, schemas, sums_stored, whole_answers
from labeling.counted import View
from labeling.models import AgreementSummary, Assignment, Consensus, Counted, Project, SchemaVersion, State
from labeling.sums import Question, Sums

log = logging.getLogger(__name__)

KIND = "summaries"
CHUNK = 1_000  # who answers one of these pages just then waits about two seconds
CHUNK_UNASKED = 10_000  # where nobody is asked for a page: each sum is written less often, three times as fast
AT_ONCE = 200  # pages that are counted while somebody waits for the dashboard
AFTER_IMPORT = 20_000  # pages that an import counts before it is done
REST_SECONDS = 60  # between two counts that nobody asked for


# ---- who starts it --------------------------------------------------------------------------------------------------
def freshen(project: Project) -> int:
    """Count what changed, if that is little and nobody else is at it. Returns how many pages wait, at most one more
    than are counted at once."""
    waiting = _waiting(project)
    if not 0 < waiting <= AT_ONCE:
        return waiting
    try:
        with transaction.atomic():
            if _lock(project, waits=False) is None:
                return waiting
            _count_chunk(project, AT_ONCE)
            _sum_up(project)
    except OperationalError:  # somebody writes: what is there is shown
        log.info("the agreement of project %s is shown as it was counted last", project.pk)
    return _waiting(project)


def _waiting(project: Project) -> int:
    return Consensus.objects.filter(project=project, dirty=True)[: AT_ONCE + 1].count()


def enqueue_due(*, now: datetime | None = None) -> int:
    """A job for each project in which pages wait and that was not counted just now. Returns how many."""
    moment: Any = now or Now()
    rested = Q(agreement=None) | Q(agreement__counted_at=None)
    rested |= Q(agreement__counted_at__lt=moment - timedelta(seconds=REST_SECONDS))
    marked = Consensus.objects.filter(dirty=True).values("project").distinct()
    due = Project.objects.filter(rested, pk__in=marked)
    for project in due:
        jobs.enqueue(KIND, project=project, exclusive=f"{KIND}:{project.pk}")
    return len(due)


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: every page that waits, the weeks of whoever answered, and samples that are judged again."""
    return {
        "items": count(claim.project, claim=claim),
        "weeks": conduct.count(claim.project, claim=claim),
        "samples": rejudging_report.count(claim.project),
    }


# ---- counting -------------------------------------------------------------------------------------------------------
def count(project: Project, *, most: int | None = None, claim: jobs.Claim | None = None) -> int:
    """Bring the sums up to date, a chunk a transaction; `most` pages at the most. Returns how many were counted."""
    done = 0
    while most is None or done < most:
        with transaction.atomic():
            _lock(project)
            chunk = chunk_of(project)
            n = _count_chunk(project, chunk)
            if n < chunk:
                _sum_up(project)
            if claim is not None:
                claim.guard()
        done += n
        if n < chunk:
            break
        if claim is not None:
            claim.progress(None, f"{done:,} pages counted")
    return done


def _lock(project: Project, *, waits: bool = True) -> AgreementSummary | None:
    """The project's lock; None where somebody else has it and nobody waits."""
    AgreementSummary.objects.get_or_create(project=project)
    rows = AgreementSummary.objects.select_for_update(skip_locked=not waits, of=("self",), no_key=True)
    return rows.filter(project=project).first()


def chunk_of(project: Project) -> int:
    """How many pages to lock at a time. On SQLite a transaction holds up everybody, whatever it writes."""
    asked = Assignment.objects.filter(project=project, state__in=[State.OPEN, State.LEASED])
    return CHUNK_UNASKED if connection.features.has_select_for_update and not asked.exists() else CHUNK


def _count_chunk(project: Project, most: int) -> int:
    try:
        questions = schemas.Questions(schemas.in_force(project))
    except SchemaVersion.DoesNotExist:
        return 0
    # Those of answers that are just being stored are passed over: nobody who answers is waited for.
    marked = Consensus.objects.filter(project=project, dirty=True).order_by("pk")
    rows = list(marked.select_for_update(skip_locked=True, no_key=True).values_list("pk", "item")[:most])
    Consensus.objects.filter(pk__in=[pk for pk, _ in rows]).update(dirty=False)
    _count_items(project, [item for _, item in rows], questions)
    return len(rows)


def _count_items(project: Project, item_ids: list[int], questions: schemas.Questions) -> None:
    asked = asked_in(questions.schema)
    before = {row.item_id: row for row in Counted.objects.filter(item__in=item_ids)}
    after = counted.of_items(item_ids, questions)
    sums, rows = Sums(), []
    for item, views in after.items():
        stood = before.get(item)
        if stood is not None and stood.schema_id == questions.schema.id and views_in(stood) == views:
            continue
        for view in views:
            sums.add(view, asked)
        rows.append(Counted(item_id=item, project=project, schema_id=questions.schema.id,
                            views=[view.stored() for view in views]))  # fmt: skip
    changed = {row.item_id for row in rows}
    for item, stood in before.items():
        if item in changed or item not in after:
            add_counted(sums, stood, times=-1)
    sums_stored.add(project, sums)
    Counted.objects.bulk_create(
        rows, batch_size=CHUNK, update_conflicts=True, unique_fields=["item"], update_fields=["schema", "views"]
    )
    Counted.objects.filter(item__in=before.keys() - after.keys()).delete()


def _sum_up(project: Project) -> None:
    schema = schemas.in_force_if_any(project)
    views = whole_answers.measured(project, schema) if schema else {}
    AgreementSummary.objects.filter(project=project).update(counted_at=Now(), views=views)


# ---- what a stored row says -----------------------------------------------------------------------------------------
def asked_in(schema: schemas.Schema) -> tuple[Question, ...]:
    """The questions behind the letters of what was counted under this version."""
    return tuple((label.key, label.revision) for label in schema.asked)


def views_in(row: Counted) -> list[View]:
    return [View.read(stored) for stored in row.views]


def add_counted(sums: Sums, row: Counted, *, times: int = 1) -> None:
    """Put a page into the sums as it was counted, or take it out."""
    asked = asked_in(schemas.by_id(row.schema_id))
    for view in views_in(row):
        sums.add(view, asked, times=times)
