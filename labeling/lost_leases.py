"""Leases that were lost: remembered, so that a late draft or answer finds its slot and the questions it was for."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling import schemas
from labeling.models import Assignment, Item, ItemState, LostLease, Purpose, State, User
from labeling.refusals import LeaseLost, TakenOut

LOST = gettext_noop("This page went to someone else while it was open. Your ticks are kept; nothing more to do.")
GONE = gettext_noop("This page was taken out of the project. Your ticks are kept; nothing more to do.")


def remember(slots: Iterable[Assignment]) -> None:
    """Write down who holds these slots and what they were shown, before another or nobody does."""
    LostLease.objects.bulk_create(
        LostLease(slot=slot, annotator_id=slot.annotator_id, schema_id=slot.schema_id)
        for slot in slots
        if slot.annotator_id is not None
    )


def remember_take_over(slot: Assignment, *, loser_id: int) -> None:
    """Who held this slot until it ran out becomes a row; its new holder is shown the version in force."""
    LostLease.objects.create(slot=slot, annotator_id=loser_id, schema_id=slot.schema_id)
    Assignment.objects.filter(pk=slot.pk).update(taken_from=None, schema=schemas.newest_of("project"))
    slot.refresh_from_db(fields=["taken_from", "schema"])


def shown_to(person: User, slot: Assignment) -> schemas.Schema:
    """The version this person was shown on this slot, whoever holds it now."""
    if slot.annotator_id == person.pk:
        seen = slot.schema_id
    else:
        lost = LostLease.objects.filter(slot=slot, annotator=person).order_by("-pk")
        seen = lost.values_list("schema", flat=True).first()
    return schemas.by_id(seen) if seen else schemas.in_force(slot.project)


def why(slot: Assignment) -> LeaseLost:
    """What to say to someone who does not hold this slot any more."""
    if Item.objects.filter(pk=slot.item_id, state=ItemState.ACTIVE).exists():
        return LeaseLost(_(LOST))
    return TakenOut(_(GONE))


def close_another(
    slot: Assignment, *, by: User, shown: schemas.Schema, now: datetime | Now | None = None
) -> Assignment | None:
    """For an answer that comes after its slot went to someone else: close another free slot of its kind, if any.

    The caller holds the item's lock and knows that this person has no slot of that round.
    """
    moment = now or Now()
    same = Assignment.objects.filter(item=slot.item_id, round=slot.round, purpose=slot.purpose)
    free = same.exclude(purpose=Purpose.RESERVED).free(now=moment).blind_for(by)
    # Slots nobody holds come before those that ran out in someone's hands.
    another = free.order_by("-state", "slot").select_for_update(skip_locked=True, of=("self",)).first()
    if another is None:
        return None
    remember([another])
    Assignment.objects.filter(pk=another.pk).update(
        state=State.DONE, annotator=by, schema=shown.id, leased_at=moment, available_at=None
    )
    another.refresh_from_db()
    return another
