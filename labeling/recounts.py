"""Items counted again after what is asked, or of how many, changed: at once while they are few, else as a job."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from labeling import consensus, jobs
from labeling.models import Assignment, Consensus, Project, State, User
from labeling.models.work import COUNTED

AT_ONCE = 500
CHUNK = 2_000
KIND = "recount"


def after_publishing(project: Project, *, by: User | None) -> None:
    """A label means something else, is asked no more, or is asked again: every answer may count differently."""
    _recount(project, Consensus.objects.filter(project=project), by=by)


def after_lowering(project: Project, *, by: User | None) -> None:
    """Nobody is waited for any more on some items, so they are done."""
    waiting = Assignment.objects.filter(
        item=OuterRef("item"), purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED]
    )
    pending = Consensus.objects.filter(project=project, state=Consensus.State.PENDING)
    _recount(project, pending.filter(~Exists(waiting)), by=by)


def after_other_standards(project: Project, *, by: User | None) -> None:
    """Other agreements are doubted than before, or another yes is confirmed."""
    _recount(project, Consensus.objects.filter(project=project), by=by)


def _recount(project: Project, rows: QuerySet[Consensus], *, by: User | None) -> None:
    ids = list(rows.order_by("item").values_list("item", flat=True)[: AT_ONCE + 1])
    if len(ids) > AT_ONCE:
        jobs.enqueue(KIND, project=project, by=by, exclusive=f"{KIND}:{project.pk}")
    else:
        consensus.refresh_many(ids, project=project)


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: every item of the project that has answers. Running it twice changes nothing."""
    rows = Consensus.objects.filter(project=claim.project).order_by("item").values_list("item", flat=True)
    total, done, last = rows.count(), 0, 0
    while ids := list(rows.filter(item__gt=last)[:CHUNK]):
        done, last = done + consensus.refresh_many(ids, project=claim.project), ids[-1]
        claim.progress(done / max(total, done), f"{done:,} of {total:,} pages counted again")
    return {"items": done}
