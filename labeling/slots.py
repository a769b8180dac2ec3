"""Slots of items: opened, taken out of the queue, brought back. Who holds one is the queue's business."""

import secrets
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Now

from labeling import consensus, crowded, lost_leases
from labeling.models import Assignment, Consensus, Item, Project, Purpose, Selection, State, Stream
from labeling.models.work import ASIDE, ASKED_OF_ALL, COUNTED, ONE_MORE, PROBES
from labeling.withheld import Moment

INSERT_CHUNK = 2_000


def open_up(
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
        .exclude(purpose__in=PROBES)  # they say nothing of the page, and their rounds are numbered apart
        .order_by()
        .values_list("item")
        .annotate(Max("round"))
    )
    waiting = set(
        Assignment.objects.filter(item__in=list(last_round), state__in=[State.OPEN, State.LEASED], purpose__in=COUNTED)
        .values_list("item", flat=True)
        .order_by()
    )
    slots = []
    for selection in selections:
        if selection.item_id in waiting and selection.stream != Stream.GOLD:
            continue
        turn = last_round.get(selection.item_id, 0) + 1
        # One for all slots of a page, so that whoever is asked for it meets it at about the same time.
        shuffle = secrets.randbits(62)
        slots += [
            Assignment(
                project=project, item_id=selection.item_id, purpose=purpose, round=turn, slot=slot, asked=asked,
                selection=selection, snapshot_id=selection.item.snapshot_id, priority=priority, shuffle=shuffle,
            )
            for slot in range(1, overlap + 1)
        ]  # fmt: skip
    Assignment.objects.bulk_create(slots, batch_size=INSERT_CHUNK)
    reordered(project)
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
        work = Assignment.objects.filter(item__in=chunk, state=State.OPEN, purpose__in=[*ASKED_OF_ALL, *ONE_MORE])
        n_withdrawn += work.exclude(selection__in=gold).update(
            state=State.WITHDRAWN, available_at=None, is_surplus=True
        )
    return n_withdrawn


def ask_no_more(project: Project, *, in_use: Collection[str]) -> None:
    """Labels were retired: slots that ask for some labels ask for the others alone, and go where none is left.

    Who holds one answers what they were shown.
    """
    nobodys = Q(state=State.OPEN) | Q(state=State.WITHDRAWN, is_surplus=False)
    partial = Assignment.objects.filter(nobodys, project=project, asked__isnull=False)
    for asked in list(partial.order_by().values_list("asked", flat=True).distinct()):
        kept, these = [key for key in asked or () if key in in_use], partial.filter(asked=asked)
        if not kept:
            these.update(state=State.WITHDRAWN, available_at=None, is_surplus=True)
        elif kept != asked:
            these.update(asked=kept)


def withdraw(items: QuerySet[Item]) -> int:
    """Take unanswered slots of these items out of the queue; what is done stays."""
    return Assignment.objects.filter(item__in=items, state__in=[State.OPEN, State.LEASED]).update(
        state=State.WITHDRAWN, available_at=None
    )


def bring_back(items: QuerySet[Item]) -> int:
    """Open the slots again that went with their items; those that were withdrawn as too many stay out."""
    return reopen(Assignment.objects.filter(item__in=items, state=State.WITHDRAWN, is_surplus=False), None)


@transaction.atomic
def reopen(slots: QuerySet[Assignment], now: Moment | None) -> int:
    """Make these slots anyone's. Who held one can still save ticks and, while a slot is free, answer.

    Where fewer people are wanted by now than have the page without it, a slot goes for good instead. Returns how many
    were given up.
    """
    lock_all(list(slots.filter(lapses=True).values_list("item_id", flat=True)))  # items before slots, as everywhere
    freed = list(slots.order_by("pk").select_for_update(of=("self",)))
    lost_leases.remember(freed)
    gone, aside = set(), set()
    for slot in freed:  # one after the other: when one has gone, the next may be wanted
        if slot.lapses and crowded.waits_with_its_page(slot):
            aside.add(slot.pk)
        elif slot.lapses and crowded.is_one_too_many(slot):
            gone.add(slot.pk)
            Assignment.objects.filter(pk=slot.pk).update(
                state=State.WITHDRAWN, annotator=None, schema=None, leased_at=None, available_at=None, is_surplus=True
            )
    kept = sorted({slot.pk for slot in freed}.difference(gone))
    for start in range(0, len(kept), INSERT_CHUNK):
        Assignment.objects.filter(pk__in=kept[start : start + INSERT_CHUNK]).update(
            state=State.OPEN, annotator=None, schema=None, leased_at=None, available_at=now or Now(), lapses=False
        )
    if aside:
        Assignment.objects.filter(pk__in=aside).update(available_at=ASIDE)
    if gone:
        consensus.refresh_many(sorted({slot.item_id for slot in freed if slot.pk in gone}), project=freed[0].project)
    return len(freed)


def settle_lapsed(project: Project, *, now: Moment) -> int:
    """Leases above the number of people wanted that ran out: each goes for good, or is anyone's if it is wanted yet."""
    over = Assignment.objects.filter(project=project, lapses=True, state=State.LEASED, available_at__lte=now)
    return reopen(over, None if isinstance(now, Now) else now) if over.exists() else 0


def reordered(project: Project) -> None:
    """Pages came in, or changed places: where people stood in the queue says nothing any more."""
    Project.objects.filter(pk=project.pk).update(queue_epoch=F("queue_epoch") + 1)


def lock(item_id: int) -> None:
    """Take the item's lock first, always: completion, dispute and adaptive slots are decided under it."""
    rows: QuerySet[Item] = Item.objects.filter(pk=item_id)
    rows.select_for_update(no_key=True).values_list("pk").get()


def lock_all(item_ids: Collection[int]) -> None:
    """As `lock`, of many items, in the order of their ids."""
    if item_ids:
        rows: QuerySet[Item] = Item.objects.filter(pk__in=item_ids).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))
