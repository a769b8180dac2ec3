"""Drawn pages asked again about labels that changed since, when a manager wants it.

A label that is new, or means something else now, has no gold verdict on pages that were answered before. Those wait,
and nobody is asked about them until gold slots are opened that ask for just these labels.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from labeling import jobs, recounts, rounds, samples, schemas, settling, slots
from labeling.models import Draw, Event, Item, Job, Project, Purpose, Selection, User
from labeling.refusals import Refused

KIND = "ask_again"
RECOUNTING = "What is asked has changed, and the pages are being counted again; look again in a minute."
ASKING = "People are being asked again about other samples at this moment; look again in a minute."
NOTHING_TO_ASK = "People were asked about the labels of today on every drawn page."
ARCHIVED = "The pages that lack answers are archived: restore or withdraw them first."


def is_recounting(project: Project) -> bool:
    """Whether what is stored of pages may still answer what was asked before."""
    return Job.objects.unfinished().filter(project=project, kind=recounts.KIND).exists()


def queue_asking(project: Project, numbers: list[int] | None, *, by: User | None) -> Job:
    """Ask again about the pages of these samples (None: of all) that lack answers to labels of today, in a worker."""
    chosen = samples.chosen_draws(project, numbers)
    if is_recounting(project):
        raise Refused(RECOUNTING)
    if not _outdated(project, chosen).exists():
        raise Refused(ARCHIVED if samples.progress(project, chosen).n_outdated else NOTHING_TO_ASK)
    params = {"samples": numbers}
    job = jobs.enqueue(KIND, project=project, params=params, by=by, exclusive=f"{KIND}:{project.pk}")
    if job.params != params:  # somebody else's waits, about other samples
        raise Refused(ASKING)
    return job


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job. Run again after it was killed, it goes on: pages whose slots it opened wait for an answer by then."""
    project = claim.project
    chosen = samples.chosen_draws(project, claim.params["samples"])
    item_ids = list(_outdated(project, chosen).order_by("pk").values_list("pk", flat=True))
    n_items = 0
    for start in range(0, len(item_ids), rounds.CHUNK):
        claim.progress(start / len(item_ids), "Opening slots")
        with transaction.atomic():
            n_items += _ask_chunk(project, chosen, item_ids[start : start + rounds.CHUNK], by=claim.job.created_by)
            claim.guard()
    return {"n_items": n_items}


def _outdated(project: Project, chosen: Iterable[Draw]) -> QuerySet[Item]:
    held = Selection.objects.filter(item=OuterRef("pk"), draw__in=list(chosen))
    return Item.objects.active().filter(Exists(held), project=project, consensus__gold=settling.LABELS)


def _ask_chunk(project: Project, chosen: Sequence[Draw], item_ids: Sequence[int], *, by: User | None) -> int:
    """Open gold slots for what each page lacks, under the pages' locks. Returns how many pages are asked about."""
    list(Item.objects.filter(pk__in=item_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    schema = schemas.in_force(project)
    settled = rounds.settle(item_ids, schema=schema)
    lacking = {pk: one.missing for pk, one in settled.items() if one.waits_for == settling.LABELS}
    alike: dict[tuple[int, tuple[str, ...]], list[Selection]] = defaultdict(list)
    for selection in _first_selections(chosen, lacking):
        alike[selection.draw.overlap, lacking[selection.item_id]].append(selection)  # type: ignore[union-attr]
    for (overlap, missing), selections in alike.items():
        asked = None if missing == schema.keys else list(missing)
        slots.open_up(project, selections, overlap=overlap, purpose=Purpose.NEW_LABEL, asked=asked)
    if lacking:
        Event.record("sample.asked_again", by=by, project=project, about=project, n_items=len(lacking),
                     labels=sorted({key for missing in lacking.values() for key in missing}))  # fmt: skip
    return len(lacking)


def _first_selections(chosen: Sequence[Draw], item_ids: Iterable[int]) -> list[Selection]:
    """The draw that asked about each item first."""
    rows = Selection.objects.filter(item__in=list(item_ids), draw__in=chosen).select_related("item", "draw")
    first = {row.item_id: row for row in rows.order_by("-draw__number")}
    return list(first.values())
