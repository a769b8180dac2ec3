"""The queue as managers see it: who holds what, what is set aside, what is more than was asked, how far people are.

It tells nothing of anyone's answers, and not which pages are checks: a manager may be an annotator, too.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from labeling import quotas, skipping
from labeling.models import Assignment, Desk, Event, Item, Project, State, Stream, User
from labeling.models.work import ASIDE, ASKED_OF_ALL, COUNTED, HELD

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Beyond:
    """A page of which more people hold or gave an answer than are asked now."""

    item: Item
    asked: int
    leased: int
    done: int


@dataclass(frozen=True, slots=True)
class Person:
    user: User
    standing: quotas.Standing
    put_by: int  # pages a manager gave them that they have not taken yet
    paused_at: datetime | None
    pause_words: str


def leases(project: Project) -> list[Assignment]:
    """What people hold now, the oldest first; one that ran out is its holder's until somebody else wants the page."""
    held = Assignment.objects.filter(project=project, state=State.LEASED).annotate(
        has_run_out=Q(available_at__lte=Now())
    )
    return list(held.select_related("item", "annotator").order_by("leased_at", "pk")[:SHOWN])


def set_aside(project: Project) -> list[Item]:
    return list(skipping.set_aside(project)[:SHOWN])


def beyond(project: Project) -> list[Beyond]:
    """What a lower number of people a page left standing, those still at work first. A sample keeps its own number."""
    if not Event.objects.filter(project=project, kind="project.changed", data__changed__has_key="overlap").exists():
        return []  # the number never changed: nothing is counted
    found: list[tuple[int, int, int, int]] = []
    for stream in Stream.values:
        asked = project.overlap_for(stream)
        slots = Assignment.objects.filter(project=project, purpose__in=ASKED_OF_ALL, selection__stream=stream)
        rounds = slots.filter(selection__draw=None, state__in=HELD).order_by().values("item", "round")
        counted = rounds.annotate(leased=Count("pk", filter=Q(state=State.LEASED)), n=Count("pk")).filter(n__gt=asked)
        found += [
            (row["item"], asked, row["leased"], row["n"] - row["leased"])
            for row in counted.order_by("-leased", "item")[:SHOWN]
        ]
    items = Item.objects.in_bulk([item for item, *_ in found])
    return sorted(
        (Beyond(items[item], asked, leased, done) for item, asked, leased, done in found),
        key=lambda row: -row.leased,
    )[:SHOWN]


def people(project: Project, *, now: datetime | None = None) -> list[Person]:
    """Everyone who may answer here: what they did today, what is left of their quota, whether they are paused."""
    desks = {desk.user_id: desk for desk in Desk.objects.filter(project=project, paused_at__isnull=False)}
    open_slots = Assignment.objects.filter(project=project, state=State.OPEN, purpose__in=COUNTED)
    put_by = Counter(dict(
        open_slots.exclude(assigned_to=None).order_by().values_list("assigned_to").annotate(n=Count("pk"))
    ))  # fmt: skip
    return [
        Person(
            one.user, one, put_by[one.user.pk],
            desks[one.user.pk].paused_at if one.user.pk in desks else None,
            _pause_words(desks.get(one.user.pk)),
        )
        for one in quotas.standings(project, moment=now or timezone.now())
    ]  # fmt: skip


def _pause_words(desk: Desk | None) -> str:
    return "" if desk is None else desk.pause_detail or desk.get_pause_reason_display()


def waiting(project: Project) -> int:
    """Pages that wait for an answer and can be had, up to a number nobody needs to know more exactly."""
    free = Assignment.objects.filter(item=OuterRef("pk"), state=State.OPEN, available_at__lt=ASIDE)
    items = Item.objects.active().filter(Exists(free), project=project).order_by()
    return items[: 10 * SHOWN * SHOWN + 1].count()
