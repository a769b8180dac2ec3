"""The queue: lease the next slot, renew, release. Slots are rows, and time is the database's clock."""

from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField
from django.db.models.functions import Now

from labeling import desks, lost_leases, offers, places, probes, slots
from labeling.models import Assignment, Event, Project, State, User
from labeling.models.items import ItemState
from labeling.statements import Place, Select
from labeling.withheld import Moment

LARGEST_ID = 2**63 - 1
MOST_LOOKS, MOST_TURNS = 5, 5


# ---- leasing --------------------------------------------------------------------------------------------------------
def lease_next(project: Project, *, annotator: User, now: Moment | None = None) -> Assignment | None:
    """The slot this person is to answer now: the one they hold already, else the next free one, else None.

    One conditional UPDATE takes it. On PostgreSQL its inner SELECT skips rows other people are taking at this moment;
    before "nothing left" is said, one look is taken from the front of the queue that waits for them, and another when
    there is more behind what it waited for. SQLite serialises writers by itself. Who may be given nothing now
    (`desks.terms`) keeps what they hold.
    """
    terms = desks.terms(project, annotator, now=now)
    for _ in range(MOST_TURNS):
        try:
            return _lease_under(terms, project, annotator, now)
        except _OtherTerms as other:
            terms = other.terms
    return None


class _OtherTerms(Exception):
    """What was taken went back: this person answered a page meanwhile, and may not be given the same any more."""

    def __init__(self, terms: desks.Terms) -> None:
        self.terms = terms


def _lease_under(terms: desks.Terms, project: Project, annotator: User, now: Moment | None) -> Assignment | None:
    moment = now or Now()
    wish = probes.prepare(offers.Wish(project, annotator, moment, terms))
    start = _start(wish)
    for look in range(MOST_LOOKS):
        skip_locked, place = look == 0, start if look == 0 else places.FRONT
        taken, slot = _take_and_read(wish, place, skip_locked=skip_locked)
        has_run_out = slot is not None and slot.has_run_out  # type: ignore[attr-defined]  # annotated by offers.held
        if slot is not None and has_run_out and not _take_back(slot, annotator, moment):
            slot = None
        if slot is not None:
            return slot
        freed = _give_up_what_was_taken_out(project, annotator, now) + slots.settle_lapsed(project, now=moment)
        if taken or freed:
            continue
        if look == 0 and (start != places.FRONT or connection.features.has_select_for_update_skip_locked):
            continue
        # All that this look saw went to others, or out of the queue, while it waited for them; there may be more.
        if not connection.features.has_select_for_update_skip_locked or not offers.is_any_left(wish):
            return None
    return None


def _start(wish: offers.Wish) -> int:
    """Where to look from; now and then also how far this person's place has moved on since."""
    terms = wish.terms
    start = places.remembered(terms.desk, epoch=terms.epoch)
    if terms.refusal is None and wish.is_common and places.is_to_move(start):
        ahead = offers.first_position(wish, start=start)
        if ahead is not None:
            return places.remember(terms.desk, ahead, epoch=terms.epoch)
    return start


def _take_and_read(wish: offers.Wish, start: int, *, skip_locked: bool) -> tuple[int, Assignment | None]:
    """How many slots were taken, and the one this person holds now."""
    try:
        with transaction.atomic():
            if wish.terms.hangs_on_answers and not wish.terms.refusal:
                desks.alone(wish.annotator)
            taken = 0 if wish.terms.refusal else _take(wish, start, skip_locked=skip_locked)
            if taken and (other := desks.now_other(wish.terms, wish.project, wish.annotator, now=wish.moment)):
                raise _OtherTerms(other)
            slot = offers.held(wish)
            if slot is not None and slot.taken_from_id is not None:
                lost_leases.remember_take_over(slot, loser_id=slot.taken_from_id)
    except IntegrityError:  # the same person in two tabs at once: one of them won, and its lease is given back
        return 1, offers.held(wish)
    return taken, slot


def _take(wish: offers.Wish, start: int, *, skip_locked: bool) -> int:
    """Rows taken: 0 also when this person holds a lease already, which is then the answer."""
    if wish.terms.has_put_by and (taken := offers.take_put_by(wish, skip_locked=skip_locked)):
        return taken
    return offers.take_front(wish, start=start, skip_locked=skip_locked)


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
    return slots.reopen(mine.exclude(item__state=ItemState.ACTIVE), now)


# ---- one's own slots -------------------------------------------------------------------------------------------------
_OWN = Select(
    lambda: (
        Assignment.objects.visible_to(Place("person", BigIntegerField()))
        .filter(pk=Place("slot", BigIntegerField()))
        .select_related("item", "project")[:1]  # an answer needs no text of the page
    )
)


def slot_of(person: User, slot_id: int) -> Assignment | None:
    """The slot of this number, if this person may name it: they hold it, answered it, or held it once."""
    slot: Assignment | None = _OWN.first(person=person.pk, slot=slot_id) if slot_id <= LARGEST_ID else None
    return slot


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
    slots.reopen(Assignment.objects.filter(pk=slot.pk, annotator=by, state=State.LEASED), now)


def clear_lease(slot: Assignment, *, by: User, now: Moment | None = None) -> None:
    """A manager takes a lease away, so that someone else can have the page."""
    if slots.reopen(Assignment.objects.filter(pk=slot.pk, state=State.LEASED), now):
        Event.record("lease.cleared", by=by, project=slot.project, about=slot, annotator=slot.annotator_id)


def release_all(annotator: User, *, project: Project | None = None, now: Moment | None = None) -> int:
    """Give back every lease of a person who was deactivated or left the project."""
    held = Assignment.objects.filter(annotator=annotator, state=State.LEASED)
    return slots.reopen(held if project is None else held.filter(project=project), now)
