"""Which slots a person may be given, and the statements that look for one, take it and read it back.

Nearly every look is alike: nothing narrows it but who asks and where. Its SQL is written once a connection
(`statements`) and filled in; anything else is written anew each time, from the same querysets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    DurationField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)  # fmt: skip
from django.db.models.functions import Now

from labeling import desks, places, schemas
from labeling.models import Assignment, Desk, Draft, LikelyLabel, Purpose, State
from labeling.models.items import ItemState
from labeling.models.work import AssignmentQuerySet, none_of
from labeling.statements import Place, Select, Update

# How many slots at the front of the queue a person's own order is made of: wide enough that two people rarely want the
# same page, narrow enough that pages are finished by all who are asked before the queue has moved far on.
FRONT_SLOTS = 24
PLACES = {"start": BigIntegerField(), "factor": BigIntegerField(), "lease": DurationField()}


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants a page of what, when and under which terms. Its parts are Places in a statement that is kept."""

    project: Any
    annotator: Any
    moment: Any
    terms: desks.Terms

    @property
    def is_common(self) -> bool:
        """Nothing narrows the queue, and the clock is the database's."""
        return self.terms.is_plain and isinstance(self.moment, Now)


# ---- what may be given ----------------------------------------------------------------------------------------------
def admissible(wish: Wish) -> AssignmentQuerySet:
    """Slots this person may be given now, in no order. Nobody is given a second one."""
    terms = wish.terms
    holds = Assignment.objects.filter(project=wish.project, annotator=wish.annotator, state=State.LEASED)
    may_have = Assignment.objects.open_to(wish.annotator, now=wish.moment).filter(
        ~Exists(holds), project=wish.project, project__archived_at=None, item__state=ItemState.ACTIVE
    )
    if not terms.takes_reserved:
        may_have = may_have.exclude(purpose=Purpose.RESERVED)
    if terms.exposure_left is not None:
        may_have = may_have.filter(item__expected_exposure__lte=terms.exposure_left)
    if terms.opted_out:
        probable = LikelyLabel.objects.filter(item=OuterRef("item"), label__in=terms.opted_out)
        may_have = may_have.filter(none_of(probable))
    return may_have


def put_by(wish: Wish, **_: Any) -> QuerySet[Assignment]:
    """Slots put by for this person."""
    return admissible(wish).filter(assigned_to=wish.annotator).in_queue_order()


def ahead(wish: Wish, *, start: Any, **_: Any) -> QuerySet[Assignment]:
    """Everybody's slots from a place in the queue on."""
    return admissible(wish).filter(assigned_to=None, position__gte=start).in_queue_order()


def front(wish: Wish, *, start: Any, factor: Any, **_: Any) -> QuerySet[Assignment]:
    """The first few of them, in this person's own order."""
    first = ahead(wish, start=start)[:FRONT_SLOTS].values("pk")
    # Asked again whether it is free: the inner look is not repeated when somebody takes one of them meanwhile.
    still_free = Assignment.objects.free(now=wish.moment).filter(pk__in=first)
    return still_free.order_by("-priority", F("shuffle") % places.PRIME * factor % places.PRIME, "id")


# ---- looking and taking ---------------------------------------------------------------------------------------------
def first_position(wish: Wish, *, start: int) -> int | None:
    """Where the first slot stands that this person may be given, from `start` on."""
    if not wish.is_common:
        return ahead(wish, start=start).values_list("position", flat=True).first()
    rows = _looking(wish.terms.takes_reserved).rows(start=start, **_who(wish))
    return rows[0][0] if rows else None


def is_any_left(wish: Wish) -> bool:
    """Whether a slot waits that this person could be given, had nobody else taken it at this moment."""
    return wish.terms.refusal is None and first_position(wish, start=places.FRONT) is not None


def take_put_by(wish: Wish, *, skip_locked: bool) -> int:
    """Lease the first slot put by for this person. Rows taken."""
    return _take(put_by, wish, skip_locked)


def take_front(wish: Wish, *, start: int, skip_locked: bool) -> int:
    """Lease one of the first slots from `start` on. Rows taken."""
    return _take(front, wish, skip_locked, start=start, factor=places.factor_of(wish.terms.desk, turn=wish.terms.turn))


def take_these(wish: Wish, *, item: int, round: int) -> int:
    """Lease one slot of this item's round. Rows taken; one that somebody is taking at this moment is not waited for."""
    for_them = Q(assigned_to=None) | Q(assigned_to=wish.annotator)
    slots = admissible(wish).filter(for_them, item=item, round=round).in_queue_order()
    taken, changes = _lease(slots, wish, timedelta(seconds=wish.project.lease_seconds), True)
    return taken.update(**changes)


def held(wish: Wish) -> Assignment | None:
    """What this person holds here, run out or not."""
    slot: Assignment | None
    slot = _HELD.first(**_who(wish)) if isinstance(wish.moment, Now) else _holding(wish).first()
    if slot is not None:
        slot.project = wish.project  # known already: a join for forty columns less
    return slot


Slots = Callable[..., QuerySet[Assignment]]


def _take(slots: Slots, wish: Wish, skip_locked: bool, **where: int) -> int:
    lease = timedelta(seconds=wish.project.lease_seconds)
    if wish.is_common:
        return _taking(slots, wish.terms.takes_reserved, skip_locked).run(lease=lease, **where, **_who(wish))
    taken, changes = _lease(slots(wish, **where), wish, lease, skip_locked)
    return taken.update(**changes)


def _lease(
    slots: QuerySet[Assignment], wish: Wish, lease: Any, skip_locked: bool
) -> tuple[QuerySet[Assignment], dict[str, Any]]:
    """The UPDATE that takes the first of these slots.

    The version in force is pinned on an open slot by the same statement. A slot that ran out keeps the pin of whoever
    held it until `lost_leases` has written that down.
    """
    if connection.features.has_select_for_update_skip_locked:
        slots = slots.select_for_update(skip_locked=skip_locked, of=("self",))
    return Assignment.objects.filter(pk=Subquery(slots.values("pk")[:1])), {
        "state": State.LEASED,
        "taken_from": Case(When(state=State.LEASED, then=F("annotator")), default=Value(None)),
        "schema": Case(When(state=State.OPEN, then=schemas.newest_of("project")), default=F("schema")),
        "annotator": wish.annotator,
        "leased_at": wish.moment,
        "available_at": wish.moment + lease,
    }


def _holding(wish: Wish) -> QuerySet[Assignment]:
    drafts = Draft.objects.filter(annotator=wish.annotator, item=OuterRef("item"), round=OuterRef("round"))
    letters = Desk.objects.filter(project=OuterRef("project"), user=wish.annotator).values("letters")[:1]
    return (
        Assignment.objects.filter(
            project=wish.project, annotator=wish.annotator, state=State.LEASED, item__state=ItemState.ACTIVE
        )
        .annotate(has_draft=Exists(drafts), has_run_out=Q(available_at__lte=wish.moment), letters=Subquery(letters))
        .select_related("item", "snapshot")
    )


# ---- written once ---------------------------------------------------------------------------------------------------
def _blank(*, takes_reserved: bool = False) -> Wish:
    terms = desks.Terms(Desk(), takes_reserved=takes_reserved)
    return Wish(Place("project", BigIntegerField()), Place("annotator", BigIntegerField()), Now(), terms)


def _who(wish: Wish) -> dict[str, int]:
    return {"project": wish.project.pk, "annotator": wish.annotator.pk}


@cache
def _taking(slots: Slots, takes_reserved: bool, skip_locked: bool) -> Update:
    wish, where = _blank(takes_reserved=takes_reserved), {name: Place(name, field) for name, field in PLACES.items()}
    return Update(lambda: _lease(slots(wish, **where), wish, where["lease"], skip_locked))


@cache
def _looking(takes_reserved: bool) -> Select:
    wish = _blank(takes_reserved=takes_reserved)
    return Select(lambda: ahead(wish, start=Place("start", BigIntegerField())).values_list("position")[:1])


_HELD = Select(lambda: _holding(_blank())[:1])
