"""Another number of people a page, while people work.

Fewer than before: slots nobody has taken leave the queue; what people hold or answered stands. More than before: pages
that still wait for somebody get the slots they lack. Pages that are done stay done, and a page that a partial overlap
asks of one person stays with one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from labeling import recounts, shares, slots
from labeling.models import Assignment, Item, Project, State, Stream, User
from labeling.models.work import ASIDE, ASKED_OF_ALL, HELD

CHUNK = 1_000
# Open, or to be open again when its item is brought back.
TO_BE_HAD = Q(state=State.OPEN) | Q(state=State.WITHDRAWN, is_surplus=False)


def lower(project: Project, *, before: Mapping[str, int], by: User | None) -> int:
    """Withdraw the slots above the numbers in force now, in streams whose number was higher `before`.

    A sample that was drawn for another number of people than its stream's keeps its own. Returns how many went.
    """
    withdrawn = 0
    for stream in Stream.values:
        was, now = before.get(stream, before["default"]), project.overlap_for(stream)
        if now < was:
            withdrawn += _withdraw_above(now, _slots_of(project, stream, was))
    if withdrawn:
        recounts.after_lowering(project, by=by)
    return withdrawn


def higher(project: Project, *, before: Mapping[str, int]) -> int:
    """Open the slots that pages still waiting lack under the numbers in force now. Returns how many."""
    opened = 0
    for stream in Stream.values:
        was, now = before.get(stream, before["default"]), project.overlap_for(stream)
        if now > was:
            waiting = _slots_of(project, stream, was).filter(state__in=[State.OPEN, State.LEASED])
            items = list(waiting.order_by("item").values_list("item", flat=True).distinct())
            for start in range(0, len(items), CHUNK):
                opened += _open_more(project, stream, items[start : start + CHUNK], was=was, now=now)
    if opened:
        slots.reordered(project)
    return opened


@transaction.atomic
def _open_more(project: Project, stream: str, items: list[int], *, was: int, now: int) -> int:
    """Under the items' locks: an answer that would close one of them waits, or is counted."""
    list(Item.objects.filter(pk__in=items).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    rounds: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for slot in Assignment.objects.filter(item__in=items, purpose__in=ASKED_OF_ALL).order_by("slot"):
        rounds[slot.item_id, slot.round].append(slot)
    of_stream = set(_slots_of(project, stream, was).filter(item__in=items).values_list("item", "round"))
    several = shares.chosen(project, items) if was == 1 and project.overlap_share < 1 else None
    fresh: list[Assignment] = []
    for where, held in rounds.items():
        waiting = [slot for slot in held if slot.state in {State.OPEN, State.LEASED}]
        asked = sum(not slot.is_surplus for slot in held)
        stays = asked < was or (several is not None and where[0] not in several)
        if waiting and where in of_stream and not stays:
            fresh += _more_like(waiting, after=held[-1].slot, n=now - asked)
    Assignment.objects.bulk_create(fresh, batch_size=CHUNK)
    return len(fresh)


def _more_like(waiting: Sequence[Assignment], *, after: int, n: int) -> list[Assignment]:
    """Slots beside these of one page; set aside where one is."""
    slot = waiting[0]
    aside = {"available_at": ASIDE} if any(each.available_at == ASIDE for each in waiting) else {}
    return [
        Assignment(
            project_id=slot.project_id, item_id=slot.item_id, purpose=slot.purpose, round=slot.round, slot=number,
            asked=slot.asked, selection_id=slot.selection_id, snapshot_id=slot.snapshot_id, priority=slot.priority,
            shuffle=slot.shuffle, **aside,
        )
        for number in range(after + 1, after + n + 1)
    ]  # fmt: skip


def _slots_of(project: Project, stream: str, was: int) -> QuerySet[Assignment]:
    work = Assignment.objects.filter(project=project, purpose__in=ASKED_OF_ALL, selection__stream=stream)
    return work.filter(Q(selection__draw=None) | Q(selection__draw__overlap=was))


def _withdraw_above(most: int, slots: QuerySet[Assignment]) -> int:
    """Those are too many that have `most` others before them in their round: taken ones first, then by number."""
    same_round = Assignment.objects.filter(item=OuterRef("item"), round=OuterRef("round"), purpose__in=ASKED_OF_ALL)
    earlier = same_round.filter(Q(state__in=HELD) | Q(TO_BE_HAD, slot__lt=OuterRef("slot")))
    counted = earlier.order_by().values("item").annotate(n=Count("pk")).values("n")
    surplus = slots.filter(TO_BE_HAD).annotate(n_before=Coalesce(Subquery(counted), 0)).filter(n_before__gte=most)
    withdrawn = 0
    # Whoever is being given a slot at this moment keeps it, and another one goes instead: so look until there is none.
    while surplus.exists():
        still = Assignment.objects.filter(TO_BE_HAD, pk__in=surplus.values("pk"))
        withdrawn += still.update(state=State.WITHDRAWN, available_at=None, is_surplus=True)
    return withdrawn
