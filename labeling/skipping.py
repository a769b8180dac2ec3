"""What becomes of a page that somebody passes on: others get it, it comes back later, or a manager looks at it.

A page that is set aside keeps its slots, open and counted, but nobody is given one before a manager puts them back: as
many people are asked as before, and what those who answered said together waits for the rest. Who holds the page while
another sets it aside may finish it; given up, or run out, it waits with the others.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from labeling import crowded, slots
from labeling.models import Assignment, Event, Item, Project, Skip, State, User
from labeling.models.rules import SkipPolicy
from labeling.models.work import ASIDE, COUNTED, SkipReason
from labeling.withheld import Moment

# Long enough that something else was on the screen meanwhile, short enough that it is the same day. A number of other
# pages would say the same, but would have to be counted at every look into the queue.
COMES_BACK_AFTER = timedelta(hours=1)


def pass_on(slot: Assignment, *, by: User, reason: str, now: Moment | None = None) -> None:
    """Remember that this person passed the page on, and do with it what the project says. Under the item's lock."""
    moment = now or Now()
    policy = slot.project.skip_policy
    returns_at = moment + COMES_BACK_AFTER if policy == SkipPolicy.BACK else None
    Skip.objects.update_or_create(
        item_id=slot.item_id, round=slot.round, annotator=by,
        defaults={"reason": reason, "returns_at": returns_at, "created_at": moment},
    )  # fmt: skip
    same_round = Assignment.objects.filter(item=slot.item_id, round=slot.round)
    held = list(same_round.filter(annotator=by, state=State.LEASED).values_list("pk", "purpose"))
    slots.reopen(same_round.filter(pk__in=[pk for pk, _ in held]), now)
    votes = [pk for pk, purpose in held if purpose in COUNTED]  # a check or a repeat is for this person alone
    if not votes or policy == SkipPolicy.BACK:
        return
    same_round.filter(pk__in=votes).update(assigned_to=None)
    if policy == SkipPolicy.ASIDE:
        same_round.filter(state=State.OPEN, purpose__in=COUNTED).update(available_at=ASIDE, assigned_to=None)
        crowded.mark_set_aside(same_round)
        Event.record("item.set_aside", by=by, project=slot.project, about=slot.item, reason=reason)


def is_passed_on(slot: Assignment, *, by: User, now: Moment | None = None) -> bool:
    """Whether this person passed the page on and it has not come back to them since."""
    passed = Skip.objects.filter(item=slot.item_id, round=slot.round, annotator=by)
    return passed.exclude(returns_at__lte=now or Now()).exists()


# ---- for managers ---------------------------------------------------------------------------------------------------
def set_aside(project: Project) -> QuerySet[Item]:
    """Pages that wait for a manager, each with why the last person skipped it, when, and how many did."""
    aside = Assignment.objects.filter(project=project).set_aside()
    of_item = Skip.objects.filter(item=OuterRef("pk")).order_by("-created_at", "-pk")
    counted = of_item.order_by().values("item").annotate(n=Count("pk")).values("n")
    return Item.objects.filter(pk__in=aside.values("item")).annotate(
        why=Subquery(of_item.values("reason")[:1]), since=Subquery(of_item.values("created_at")[:1]),
        n_skips=Subquery(counted),
    ).order_by("since", "pk")  # fmt: skip


def put_back(items: QuerySet[Item], *, project: Project, by: User, now: Moment | None = None) -> int:
    """Let people have these pages again; whoever skipped one is not given it. Returns how many pages."""
    with transaction.atomic():
        found = list(set_aside(project).filter(pk__in=items.values("pk")).values_list("pk", flat=True))
        Assignment.objects.filter(item__in=found).set_aside().update(available_at=now or Now())
        crowded.mark(project)  # who held one of them meanwhile may give it up again
        slots.reordered(project)
        for pk in found:
            Event.record("item.put_back", by=by, project=project, about=Item(pk=pk))
    return len(found)


def waits_for(project: Project, person: User, *, now: Moment | None = None) -> tuple[datetime | None, int]:
    """When the first page this person skipped comes back to them, and how many they skipped wait for a manager."""
    mine = Skip.objects.filter(item__project=project, annotator=person)
    waiting = Assignment.objects.filter(project=project, item__in=mine.values("item"), state=State.OPEN)
    aside = waiting.set_aside().values("item").distinct().count()
    back = mine.filter(returns_at__gt=now or Now(), item__in=waiting.values("item")).order_by("returns_at")
    return back.values_list("returns_at", flat=True).first(), aside


def reason_words(reason: str) -> str:
    return str(SkipReason(reason).label) if reason in SkipReason.values else ""
