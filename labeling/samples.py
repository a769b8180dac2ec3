"""Evaluation samples: drawn by chance from the whole frame, recorded before the first slot, asked blind."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from labeling import frames, honeypots, jobs, settling, slots, suggestions
from labeling.models import Assignment, Draw, Event, Item, ItemState, Job, Project, Selection, State, Stream, User
from labeling.refusals import Refused, Unacceptable
from labeling.sampling import draws

MAX_OVERLAP = 20
CHUNK = 1_000
WAITING = ("", settling.ANSWER, settling.LABELS)  # nothing is stored yet of a page whose first answer is to come
RULE = (
    "Sort the ids of the frame by u, the first 52 bits of SHA-256 of the seed, a line end and the id, all as UTF-8; "
    "the first n are the sample. Each of the N was drawn with probability n/N."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be drawn. Made by `checked`, which fills in what was left out."""

    size: int
    seed: str
    overlap: int


def checked(project: Project, *, size: int, seed: str | None = None, overlap: int | None = None) -> Request:
    """The request with seed and overlap filled in. Raises Unacceptable, or Refused when it cannot be drawn now."""
    errors = []
    n_frame = project.items.active().count()
    if not n_frame:
        raise Refused("There is no page to draw from yet. Import a list first.")
    if not 1 <= size <= n_frame:
        pages = "1 page" if n_frame == 1 else f"{n_frame:,} pages"
        errors.append({"pointer": "/size", "detail": f"The project has {pages}: choose from 1 to {n_frame:,}."})
    asked = project.overlap_for(Stream.GOLD) if overlap is None else overlap
    if not 1 <= asked <= MAX_OVERLAP:
        errors.append({"pointer": "/overlap", "detail": f"From 1 to {MAX_OVERLAP} people can be asked."})
    chosen = secrets.token_hex(8) if seed is None or not seed.strip() else seed.strip()
    if len(chosen) > 64 or not chosen.isprintable():
        errors.append({"pointer": "/seed", "detail": "A seed is at most 64 characters, all of them printable."})
    if errors:
        raise Unacceptable(errors[0]["detail"], errors)
    return Request(size, chosen, asked)


def queue_draw(project: Project, wanted: Request, *, by: User | None) -> Job:
    """Draw in a worker. The seed is settled now, so that a job that runs twice draws the same pages."""
    params = {"size": wanted.size, "seed": wanted.seed, "overlap": wanted.overlap}
    return jobs.enqueue("draw", project=project, params=params, by=by)


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: draw once, and say what was drawn. A second run of the same job finds the sample it made."""
    job = claim.job
    made = Draw.objects.filter(job=job).first()
    if made is None:
        claim.progress(None, "Reading the list of pages")
        made = draw(claim.project, Request(**claim.params), by=job.created_by, job=job, guard=claim.guard)
    return {"sample": made.number, **made.record}


def draw(
    project: Project,
    wanted: Request,
    *,
    by: User | None,
    job: Job | None = None,
    guard: Callable[[], None] = lambda: None,
) -> Draw:
    """Draw n of the N active items and open their slots. The record is stored before the first slot, all or nothing."""
    item_ids = list(project.items.active().order_by().values_list("public_id", flat=True))
    if wanted.size > len(item_ids):
        raise Refused(f"The project has {len(item_ids):,} pages now; {wanted.size:,} cannot be drawn.")
    frame = frames.keep(item_ids)
    chosen = draws.draw_uniform(item_ids, size=wanted.size, seed=wanted.seed)
    with transaction.atomic():
        # Numbers of samples have no gaps and no doubles. Rows that point to the project may be written meanwhile: an
        # answer that must open a dispute would wait for us, and we for its page.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        _refuse_seed_of_another_frame(project, wanted.seed, frame)
        made = _store_record(project, wanted, frame, len(item_ids), by=by, job=job)
        selections = _select(made, chosen)
        drawn = [selection.item_id for selection in selections]
        honeypots.retire_drawn(project, drawn, by=by, sample=made.number)
        suggestions.keep_from_gold(made)
        n_withdrawn = _open_slots(made, selections)
        Event.record(
            "sample.drawn", by=by, project=project, about=made, number=made.number, size=made.size,
            withdrawn_slots=n_withdrawn,
        )  # fmt: skip
        guard()
    return made


def _refuse_seed_of_another_frame(project: Project, seed: str, frame: str) -> None:
    """Samples of one seed count as nested, which is only true of one frame; another frame needs another seed."""
    other = project.draws.filter(seed=seed).exclude(frame_sha256=frame).first()
    if other is not None:
        raise Refused(
            f"Sample {other.number} used this seed when the project had {other.frame_size:,} other pages. "
            "Leave the seed empty; the new sample then gets one of its own."
        )


def _store_record(
    project: Project, wanted: Request, frame: str, frame_size: int, *, by: User | None, job: Job | None
) -> Draw:
    number = (project.draws.aggregate(Max("number"))["number__max"] or 0) + 1
    chance = Fraction(wanted.size, frame_size)
    record = {
        "design": "uniform",
        "number": number,
        "seed": wanted.seed,
        "frame_sha256": frame,
        "frame_size": frame_size,
        "size": wanted.size,
        "overlap": wanted.overlap,
        "probability": draws.decimal_string(chance),
        "probability_fraction": f"{wanted.size}/{frame_size}",
        "rule": RULE,
    }
    return Draw.objects.create(
        project=project, number=number, job=job, design="uniform", seed=wanted.seed, frame_sha256=frame,
        frame_size=frame_size, size=wanted.size, overlap=wanted.overlap, record=record, created_by=by,
    )  # fmt: skip


def _select(made: Draw, chosen: list[str]) -> list[Selection]:
    """One row per drawn item, in the order of their random numbers."""
    rows: list[Selection] = []
    for start in range(0, len(chosen), CHUNK):
        part = chosen[start : start + CHUNK]
        items = {item.public_id: item for item in Item.objects.filter(project=made.project, public_id__in=part)}
        rows += Selection.objects.bulk_create(
            Selection(
                item=items[public_id], stream=Stream.GOLD, draw=made, rank=rank, origin=f"sample {made.number}",
                probability=made.size / made.frame_size, reason=f"drawn by chance, {made.size} of {made.frame_size}",
            )
            for rank, public_id in enumerate(part, start + 1)
        )  # fmt: skip
    return rows


def _open_slots(made: Draw, selections: list[Selection]) -> int:
    """Ask about each item once: one that an earlier sample has queued keeps its gold slots and answers.

    Slots of other rounds that nobody holds ask the same, and one person would be given the page twice: they are taken
    out of the queue. Returns how many.
    """
    asked = set(
        gold_slots()
        .filter(project=made.project, selection__draw__number__lt=made.number)
        .exclude(state=State.WITHDRAWN)
        .values_list("item_id", flat=True)
    )
    fresh = [selection for selection in selections if selection.item_id not in asked]
    n_withdrawn = slots.withdraw_open_work([selection.item_id for selection in fresh])
    slots.open_up(made.project, fresh, overlap=made.overlap)
    return n_withdrawn


def gold_slots() -> QuerySet[Assignment]:
    return Assignment.objects.filter(selection__stream=Stream.GOLD)


# ---- what is known about samples ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Progress:
    """How far the pages of some samples are: those that wait for answers, and those that wait for a decision."""

    n_items: int
    n_waiting: int
    n_disputed: int
    n_outdated: int = 0  # of those that wait for answers: nobody is asked for them, since labels changed
    n_archived: int = 0  # of those that wait: nobody is shown them

    @property
    def n_settled(self) -> int:
        return self.n_items - self.n_waiting - self.n_disputed


def progress(project: Project, chosen: Iterable[Draw]) -> Progress:
    """Counted from what is stored with every answer and decision; each page once, whatever the samples that hold it."""
    held = Selection.objects.filter(item=OuterRef("pk"), draw__in=list(chosen))
    return Progress(**Item.objects.filter(Exists(held), project=project).aggregate(**_counts("")))


def progress_of_each(chosen: Iterable[Draw]) -> dict[int, Progress]:
    """The same for each sample by itself, by its key, in one query."""
    counts = _counts("item__")
    rows = Selection.objects.filter(draw__in=list(chosen)).order_by().values_list("draw").annotate(**counts)
    return {draw: Progress(**dict(zip(counts, numbers, strict=True))) for draw, *numbers in rows}


def _counts(item: str) -> dict[str, Count]:
    """What Progress holds, as aggregates; `item` is the path to the item."""
    is_here = ~Q((f"{item}state", ItemState.WITHDRAWN))
    waits = is_here & (Q((f"{item}consensus", None)) | Q((f"{item}consensus__gold__in", WAITING)))
    disputed = is_here & Q((f"{item}consensus__gold", settling.DECISION))
    return {
        "n_items": Count("pk"),
        "n_waiting": Count("pk", filter=waits),
        "n_disputed": Count("pk", filter=disputed),
        "n_outdated": Count("pk", filter=is_here & Q((f"{item}consensus__gold", settling.LABELS))),
        "n_archived": Count("pk", filter=(waits | disputed) & Q((f"{item}state", ItemState.ARCHIVED))),
    }


def counted(settled: Mapping[int, settling.Settled]) -> Progress:
    """The same from what a freeze has just settled, by item id."""
    waiting = {pk: one.waits_for for pk, one in settled.items() if one.waits_for}
    n = Counter(waiting.values())
    archived = Item.objects.filter(pk__in=list(waiting), state=ItemState.ARCHIVED).count() if waiting else 0
    answers = n[settling.ANSWER] + n[settling.LABELS]
    return Progress(len(settled), answers, n[settling.DECISION], n[settling.LABELS], archived)


def chosen_draws(project: Project, numbers: Iterable[int] | None) -> list[Draw]:
    """The samples with these numbers, in order; all of them for None. Raises Unacceptable for a number that is none."""
    if numbers is None:
        return list(project.draws.order_by("number"))
    wanted = sorted(set(numbers))
    found = list(project.draws.filter(Q(number__in=wanted)).order_by("number"))
    unknown = sorted(set(wanted) - {made.number for made in found})
    if unknown:
        names = ", ".join(str(number) for number in unknown)
        detail = f"This project has no sample {names}."
        raise Unacceptable(detail, [{"pointer": "/samples", "detail": detail}])
    return found


def probabilities(made: Draw) -> Iterable[dict[str, Any]]:
    """One row for each of the N items of the frame, in order of their ids, with u, so that the draw can be repeated."""
    drawn = set(made.selections.values_list("item__public_id", flat=True))
    number = partial(draws.permanent_number, made.seed)
    for item_id in frames.read(made.frame_sha256):
        yield {
            "item": item_id,
            "probability": made.record["probability"],
            "probability_fraction": made.record["probability_fraction"],
            "u": number(item_id),
            "drawn": item_id in drawn,
        }
