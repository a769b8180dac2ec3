"""The queue: open slots, lease the next one, renew, release. Slots are rows, and time is the database's clock."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now

from labeling import consensus, lost_leases, schemas
from labeling.models import (
    Assignment,
    Consensus,
    Draft,
    Event,
    Item,
    Project,
    Purpose,
    Selection,
    State,
    Stream,
    User,
)
from labeling.models.items import ItemState
from labeling.models.work import COUNTED

Moment = datetime | Now
INSERT_CHUNK = 2_000


# ---- opening and closing slots --------------------------------------------------------------------------------------
def open_slots(
    project: Project,
    selections: Iterable[Selection],
    *,
    overlap: int,
    priority: int = 0,
    purpose: str = Purpose.WORK,
    asked: list[str] | None = None,
) -> int:
    """Open `overlap` slots for the item of each selection, and return how many were opened.

    An item that waits already in another stream is not queued twice; only a gold draw opens a round of its own, because
    gold verdicts come from slots that a chance draw opened. Selections must have their item loaded.
    """
    opened, batch = 0, []
    for selection in selections:
        batch.append(selection)
        if len(batch) >= INSERT_CHUNK:
            opened += _open_chunk(project, batch, overlap, priority, purpose, asked)
            batch = []
    return opened + (_open_chunk(project, batch, overlap, priority, purpose, asked) if batch else 0)


def _open_chunk(
    project: Project, selections: list[Selection], overlap: int, priority: int, purpose: str, asked: list[str] | None
) -> int:
    last_round = dict(
        Assignment.objects.filter(item__in=[selection.item_id for selection in selections])
        .order_by()
        .values_list("item")
        .annotate(Max("round"))
    )
    waiting = set(
        Assignment.objects.filter(item__in=list(last_round), state__in=[State.OPEN, State.LEASED]).values_list(
            "item", flat=True
        )
    )
    slots = []
    for selection in selections:
        if selection.item_id in waiting and selection.stream != Stream.GOLD:
            continue
        turn = last_round.get(selection.item_id, 0) + 1
        slots += [
            Assignment(
                project=project, item_id=selection.item_id, purpose=purpose, round=turn, slot=slot, asked=asked,
                selection=selection, snapshot_id=selection.item.snapshot_id, priority=priority,
                shuffle=secrets.randbits(62),
            )
            for slot in range(1, overlap + 1)
        ]  # fmt: skip
    Assignment.objects.bulk_create(slots, batch_size=INSERT_CHUNK)
    # Items that have answers already wait for more of them now: what they say together is open again.
    counted = Consensus.objects.filter(item__in={slot.item_id for slot in slots}).values_list("item_id", flat=True)
    if purpose in COUNTED:
        consensus.refresh_many(list(counted), project=project)
    return len(slots)


def withdraw_open_work(item_ids: Sequence[int]) -> int:
    """Take work slots of these items that nobody holds out of the queue; what is leased or done stands.

    The caller opens other slots for the same items, which counts them again.
    """
    n_withdrawn = 0
    for start in range(0, len(item_ids), INSERT_CHUNK):
        chunk = item_ids[start : start + INSERT_CHUNK]
        # No join: the state must be a condition of the UPDATE itself, or a slot leased at this moment would be taken.
        gold = Selection.objects.filter(item__in=chunk, stream=Stream.GOLD)
        work = Assignment.objects.filter(item__in=chunk, state=State.OPEN, purpose=Purpose.WORK)
        n_withdrawn += work.exclude(selection__in=gold).update(
            state=State.WITHDRAWN, available_at=None, is_surplus=True
        )
    return n_withdrawn


def withdraw_slots(items: QuerySet[Item]) -> int:
    """Take unanswered slots of these items out of the queue; what is done stays."""
    return Assignment.objects.filter(item__in=items, state__in=[State.OPEN, State.LEASED]).update(
        state=State.WITHDRAWN, available_at=None
    )


def bring_back_slots(items: QuerySet[Item]) -> int:
    """Open the slots again that went with their items; those that were withdrawn as too many stay out."""
    return _reopen(Assignment.objects.filter(item__in=items, state=State.WITHDRAWN, is_surplus=False), None)


# ---- leasing --------------------------------------------------------------------------------------------------------
def lease_next(project: Project, *, annotator: User, now: Moment | None = None) -> Assignment | None:
    """The slot this person is to answer now: the one they hold already, else the next free one, else None.

    One conditional UPDATE takes it. On PostgreSQL the inner SELECT skips rows other people are taking at this moment;
    before "nothing left" is said, one look is taken that waits for them. SQLite serialises writers by itself.
    """
    moment = now or Now()
    for skip_locked in (True, False):
        taken, slot = _take_and_read(project, annotator, moment, skip_locked=skip_locked)
        has_run_out = slot is not None and slot.has_run_out  # type: ignore[attr-defined]  # annotated by _held
        if slot is not None and has_run_out and not _take_back(slot, annotator, moment):
            slot = None
        if slot is not None:
            return slot
        freed = _give_up_what_was_taken_out(project, annotator, now)
        if not (taken or freed or connection.features.has_select_for_update_skip_locked):
            return None
    return None


def _take_and_read(
    project: Project, annotator: User, moment: Moment, *, skip_locked: bool
) -> tuple[int, Assignment | None]:
    """How many slots were taken, and the one this person holds now."""
    try:
        with transaction.atomic():
            taken = _take(project, annotator, moment, skip_locked=skip_locked)
            slot = _held(project, annotator, moment)
            if slot is not None and slot.taken_from_id is not None:
                lost_leases.remember_take_over(slot, loser_id=slot.taken_from_id)
    except IntegrityError:  # the same person in two tabs at once: one of them won, and its lease is given back
        return 1, _held(project, annotator, moment)
    return taken, slot


def _take(project: Project, annotator: User, moment: Moment, *, skip_locked: bool) -> int:
    """Rows taken: 0 also when this person holds a lease already, which is then the answer.

    The version in force is pinned on an open slot by the same statement. A slot that ran out keeps the pin of whoever
    held it until `lost_leases` has written that down.
    """
    holds = Assignment.objects.filter(project=project, annotator=annotator, state=State.LEASED)
    free = (
        Assignment.objects.open_to(annotator, now=moment)
        .filter(~Exists(holds), project=project, project__archived_at=None, item__state=ItemState.ACTIVE)
        .exclude(purpose=Purpose.RESERVED)
        .in_queue_order()
        .values("pk")
    )
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=skip_locked, of=("self",))
    return Assignment.objects.filter(pk=Subquery(free[:1])).update(
        state=State.LEASED,
        taken_from=Case(When(state=State.LEASED, then=F("annotator")), default=Value(None)),
        schema=Case(When(state=State.OPEN, then=schemas.newest_of("project")), default=F("schema")),
        annotator=annotator,
        leased_at=moment,
        available_at=_after(moment, project.lease_seconds),
    )


def _held(project: Project, annotator: User, moment: Moment) -> Assignment | None:
    drafts = Draft.objects.filter(annotator=annotator, item=OuterRef("item"), round=OuterRef("round"))
    return (
        Assignment.objects.filter(
            project=project, annotator=annotator, state=State.LEASED, item__state=ItemState.ACTIVE
        )
        .annotate(has_draft=Exists(drafts), has_run_out=Q(available_at__lte=moment))
        .select_related("item", "snapshot", "project")
        .first()
    )


def _take_back(slot: Assignment, annotator: User, moment: Moment) -> bool:
    """Give a person the page they left for too long, unless someone else has it by now."""
    mine = Assignment.objects.filter(pk=slot.pk, annotator=annotator, state=State.LEASED)
    taken = mine.filter(item__state=ItemState.ACTIVE).update(
        leased_at=moment, available_at=_after(moment, slot.project.lease_seconds)
    )
    if taken:
        slot.refresh_from_db(fields=["leased_at", "available_at"])
    return bool(taken)


def _after(moment: Moment, seconds: int) -> object:
    return moment + timedelta(seconds=seconds)


def _give_up_what_was_taken_out(project: Project, annotator: User, now: Moment | None) -> int:
    """A lease on an item that was archived meanwhile is neither given back nor in the way of the next."""
    mine = Assignment.objects.filter(project=project, annotator=annotator, state=State.LEASED)
    return _reopen(mine.exclude(item__state=ItemState.ACTIVE), now)


# ---- keeping and giving back ----------------------------------------------------------------------------------------
def renew(slot: Assignment, *, by: User, now: Moment | None = None) -> Assignment:
    """Push the expiry out again while the person is at work. Raises LeaseLost when they do not hold the slot now."""
    moment = now or Now()
    renewed = Assignment.objects.filter(pk=slot.pk, annotator=by, state=State.LEASED).update(
        available_at=_after(moment, slot.project.lease_seconds)
    )
    if not renewed:
        raise lost_leases.why(slot)
    slot.refresh_from_db(fields=["available_at"])
    return slot


def release(slot: Assignment, *, by: User, now: Moment | None = None) -> None:
    """Give one's slot back to everyone. Harmless when it is held no longer."""
    _reopen(Assignment.objects.filter(pk=slot.pk, annotator=by, state=State.LEASED), now)


def clear_lease(slot: Assignment, *, by: User, now: Moment | None = None) -> None:
    """A manager takes a lease away, so that someone else can have the page."""
    if _reopen(Assignment.objects.filter(pk=slot.pk, state=State.LEASED), now):
        Event.record("lease.cleared", by=by, project=slot.project, about=slot, annotator=slot.annotator_id)


def release_all(annotator: User, *, project: Project | None = None, now: Moment | None = None) -> int:
    """Give back every lease of a person who was deactivated or left the project."""
    held = Assignment.objects.filter(annotator=annotator, state=State.LEASED)
    return _reopen(held if project is None else held.filter(project=project), now)


@transaction.atomic
def _reopen(slots: QuerySet[Assignment], now: Moment | None) -> int:
    """Make these slots anyone's. Who held one can still save ticks and, while a slot is free, answer."""
    freed = list(slots.order_by("pk").select_for_update(of=("self",)))
    lost_leases.remember(freed)
    for start in range(0, len(freed), INSERT_CHUNK):
        part = [slot.pk for slot in freed[start : start + INSERT_CHUNK]]
        Assignment.objects.filter(pk__in=part).update(
            state=State.OPEN, annotator=None, schema=None, leased_at=None, available_at=now or Now()
        )
    return len(freed)


# ---- why there is nothing -------------------------------------------------------------------------------------------
def nothing_left(project: Project, *, annotator: User, now: Moment | None = None) -> str:
    """Why this person is given nothing, in a sentence that tells nothing about anyone's answers."""
    if project.archived_at is not None:
        return "This project is archived: nobody is given its pages. A manager can restore it."
    moment = now or Now()
    unanswered = Assignment.objects.filter(project=project, state__in=[State.OPEN, State.LEASED])
    with_others = unanswered.filter(state=State.LEASED, available_at__gt=moment).exclude(annotator=annotator)
    pages = with_others.values("item").distinct().count()
    if pages:
        what = "1 page is" if pages == 1 else f"{pages:,} pages are"
        return f"Nothing left for you. {what} with other people; this page looks again by itself."
    if Assignment.objects.filter(project=project, annotator=annotator, state=State.DONE).exists():
        return "You have answered every page that waits for you. Thank you; new pages appear here by themselves."
    return "No pages are waiting yet. When a manager queues some, they appear here by themselves."
