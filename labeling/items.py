"""Take items out and put them back: withdrawn with a reason, archived, restored."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from labeling import consensus, slots
from labeling.models import Consensus, Event, Item, Project, User
from labeling.models.items import ItemState
from labeling.refusals import Unacceptable

CHUNK = 2_000
MAX_REASON = 500


def withdraw(items: QuerySet[Item], *, project: Project, by: User, reason: str) -> int:
    """Take items out for good, with a reason; unanswered slots go, answers and old releases stay."""
    reason = reason.strip()
    if not reason:
        raise Unacceptable("Say why the pages are withdrawn; the reason stays with them.",
                           [{"pointer": "/reason", "detail": "A reason is needed."}])  # fmt: skip
    if len(reason) > MAX_REASON:
        raise Unacceptable(f"A reason holds {MAX_REASON} characters.", [{"pointer": "/reason", "detail": "Too long."}])
    wanted = items.exclude(state=ItemState.WITHDRAWN)
    return _change(wanted, project, by, "withdrawn", reason, then=slots.withdraw)


def archive(items: QuerySet[Item], *, project: Project, by: User, reason: str = "") -> int:
    """Put items out of sight and out of the queue; their slots wait until they are restored."""
    return _change(items.filter(state=ItemState.ACTIVE), project, by, "archived", reason)


def restore(items: QuerySet[Item], *, project: Project, by: User) -> int:
    """Bring archived or withdrawn items back; slots that a withdrawal closed are open again."""
    wanted = items.exclude(state=ItemState.ACTIVE)
    return _change(wanted, project, by, "active", "", then=slots.bring_back)


def _change(
    items: QuerySet[Item],
    project: Project,
    by: User,
    state: str,
    reason: str,
    *,
    then: Callable[[QuerySet[Item]], Any] | None = None,
) -> int:
    changed = 0
    # The rows change what the filter finds, so each round asks again until it finds none.
    while ids := list(items.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            held = Item.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
            these = Item.objects.filter(pk__in=[item.pk for item in held.only("pk")])
            these.update(state=state, state_reason=reason)
            if then is not None:
                then(these)
                _count_again(these, project)
            word = "restored" if state == ItemState.ACTIVE else state
            Event.objects.bulk_create(
                [Event(kind=f"item.{word}", actor=by, project=project, about=f"item:{pk}", data={"reason": reason})
                 for pk in ids], batch_size=200,
            )  # fmt: skip
        changed += len(ids)
    return changed


def _count_again(items: QuerySet[Item], project: Project) -> None:
    """What people said together is open while slots wait and stands when they are gone: both have just changed."""
    answered = Consensus.objects.filter(item__in=items).order_by("item").values_list("item", flat=True)
    consensus.refresh_many(list(answered), project=project)
