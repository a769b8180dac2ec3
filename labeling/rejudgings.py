"""What a changed guideline does: pages judged before it, drawn by chance and judged again after it.

The second answers are re-judgements: they feed neither consensus nor agreement. Each page is compared with itself, so
far fewer are needed than for two samples. Pages of evaluation samples, and pages with a known answer, stay out.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Sum

from labeling import jobs, schemas, slots
from labeling.models import (
    AgreementCell,
    Assignment,
    Event,
    Honeypot,
    Item,
    Job,
    Judgment,
    Project,
    Purpose,
    Rejudging,
    Selection,
    State,
    Stream,
    User,
)
from labeling.quality.agreement import nominal_alpha, prevalence
from labeling.quality.cells import Cells
from labeling.quality.intervals import Estimate
from labeling.quality.readings import items_needed
from labeling.refusals import Refused, Unacceptable
from labeling.sampling.draws import draw_uniform, frame_sha256
from labeling.schema_drafts import MEANING
from labeling.usual_raters import whole

KIND = "rejudge"
MAX_SIZE, MAX_SEED = 2_000, 64
OVERLAP = 2
LIKELY_ALPHA, LIKELY_PREVALENCE = (0.2, 0.6, 0.8), (0.005, 0.1, 0.5)  # least, where nothing is known, most
ONE_VERSION = "There is one version of the guideline only: nothing has changed that pages could be judged again by."
UNDER_WAY = "Another sample is being drawn at this moment; look again in a minute."
NO_PAGE = (
    "No page can be asked again: two people must have answered it before this version, and nobody may be asked about "
    "it now."
)


# ---- planning -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Plan:
    """One label: whether its words changed, and how many pages tell its alpha to ±0.10."""

    key: str
    name: str
    has_changed: bool
    alpha: Estimate
    prevalence: Estimate
    pages: int


def plans(project: Project) -> list[Plan]:
    """Every label in force, by what its answers before the last change say."""
    schema = schemas.in_force_if_any(project)
    if schema is None:
        return []
    cells, changed = _cells(project), changed_labels(project, schema)
    return [
        _plan(label.key, label.name, Cells.from_rows(cells[label.key]), has_changed=label.key in changed)
        for label in schema.asked
    ]


def _cells(project: Project) -> dict[str, list[tuple[int, int, int]]]:
    """Label -> counts of the newest question under it that pages were answered to."""
    rows = whole(AgreementCell.objects.filter(project=project)).order_by()
    found: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for key, revision, n, k, pages in rows.values_list("label", "revision", "n", "k").annotate(Sum("count")):
        found[key, revision].append((n, k, pages))
    newest: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    newest.update({key: cells for (key, _), cells in sorted(found.items())})
    return newest


def _plan(key: str, name: str, cells: Cells, *, has_changed: bool) -> Plan:
    alpha, share = nominal_alpha(cells), prevalence(cells)
    needed = items_needed(_held(alpha, *LIKELY_ALPHA), _held(share, *LIKELY_PREVALENCE), n_judgments=OVERLAP)
    return Plan(key, name, has_changed, alpha, share, needed)


def _held(found: Estimate, least: float, guess: float, most: float) -> float:
    return guess if found.value is None else min(max(found.value, least), most)


def changed_labels(project: Project, schema: schemas.Schema) -> frozenset[str]:
    """The labels whose words differ from the version before; all, where only the guideline does."""
    if schema.number < 2:
        return frozenset()
    before = schemas.numbered(project, schema.number - 1)
    words = {label.key: [getattr(label, name) for name in MEANING] for label in before.labels}
    known = [label for label in schema.asked if label.key in words]
    changed = {label.key for label in known if words[label.key] != [getattr(label, name) for name in MEANING]}
    return frozenset(changed or (label.key for label in known if schema.guideline != before.guideline))


# ---- drawing --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Wanted:
    labels: tuple[str, ...]
    size: int
    seed: str


def checked(project: Project, *, labels: Iterable[str], size: int, seed: str = "") -> Wanted:
    """What is to be drawn. Raises Unacceptable, naming the field, or Refused while nothing has changed."""
    schema = schemas.in_force_if_any(project)
    if schema is None or schema.number < 2:
        raise Refused(ONE_VERSION)
    chosen = set(labels)
    unknown = sorted(chosen.difference(schema.keys))
    if unknown or not chosen:
        raise _wrong("labels", f"No label “{unknown[0][:60]}” is asked." if unknown else "Choose at least one label.")
    if not 1 <= size <= MAX_SIZE:
        raise _wrong("size", f"Between 1 and {MAX_SIZE:,} pages.")
    seed = seed.strip()
    if len(seed) > MAX_SEED:
        raise _wrong("seed", f"A seed holds {MAX_SEED} characters.")
    return Wanted(tuple(key for key in schema.keys if key in chosen), size, seed or secrets.token_hex(8))


def _wrong(field: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, [{"pointer": f"/{field}", "detail": sentence}])


def queue_drawing(project: Project, wanted: Wanted, *, by: User | None) -> Job:
    """Draw it and open its slots, in a worker. Raises Refused while another is being drawn."""
    params = {"labels": list(wanted.labels), "size": wanted.size, "seed": wanted.seed}
    job = jobs.enqueue(KIND, project=project, params=params, by=by, exclusive=f"{KIND}:{project.pk}")
    if job.params != params:
        raise Refused(UNDER_WAY)
    return job


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: all of it in one transaction, so that a copy that was killed has drawn nothing."""
    project, params = claim.project, claim.params
    wanted = checked(project, labels=params["labels"], size=params["size"], seed=params["seed"])
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        made = _draw(project, wanted, by=claim.job.created_by)
        claim.guard()
    return {"number": made.number, "size": made.size, "frame_size": made.frame_size}


def _draw(project: Project, wanted: Wanted, *, by: User | None) -> Rejudging:
    schema = schemas.in_force(project)
    frame = dict(_frame(project, schema).values_list("public_id", "pk"))
    if not frame:
        raise Refused(NO_PAGE)
    drawn = draw_uniform(list(frame), size=min(wanted.size, len(frame)), seed=wanted.seed)
    number = (Rejudging.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1
    made = Rejudging.objects.create(
        project=project, number=number, schema_id=schema.id, labels=list(wanted.labels), seed=wanted.seed,
        frame_size=len(frame), frame_sha256=frame_sha256(frame), size=len(drawn), overlap=OVERLAP,
        items=[frame[public_id] for public_id in drawn], created_by=by,
    )  # fmt: skip
    items = Item.objects.in_bulk(made.items)
    selections = Selection.objects.bulk_create(
        Selection(
            item=items[pk], stream=Stream.AUDIT, origin=made.origin, rank=rank, probability=len(drawn) / len(frame),
            reason=f"judged again under version {schema.number}",
        )
        for rank, pk in enumerate(made.items, 1)
    )  # fmt: skip
    asked = None if wanted.labels == schema.keys else list(wanted.labels)
    slots.open_up(project, selections, overlap=OVERLAP, purpose=Purpose.REJUDGE, asked=asked)
    Event.record("rejudging.drawn", by=by, project=project, about=made, n_items=made.size, labels=made.labels)
    return made


def _frame(project: Project, schema: schemas.Schema) -> QuerySet[Item]:
    """Active pages that two people or more answered before this version, and that nobody is asked about now."""
    before = Judgment.objects.votes().filter(rater__project=project, outcome=Judgment.Outcome.JUDGED)
    before = before.filter(schema__number__lt=schema.number).order_by()
    twice = before.values("item").annotate(n=Count("rater", distinct=True)).filter(n__gte=OVERLAP).values("item")
    asked = Assignment.objects.filter(item=OuterRef("pk"), state__in=[State.OPEN, State.LEASED])
    drawn = Selection.objects.filter(item=OuterRef("pk"), stream=Stream.GOLD)
    known = Honeypot.objects.in_use().filter(item=OuterRef("pk"))
    pages = Item.objects.active().filter(project=project, not_assessable="", pk__in=twice)
    return pages.filter(~Exists(asked), ~Exists(drawn), ~Exists(known))
