"""Pages that more people hold or have answered than are wanted by now: what stands stands, and nothing is added to it.

Lowering the number of people a page takes back what nobody has taken. A page somebody is at work on stays theirs; but
once given up, it must not be given out again, or a grant would go beyond the number in force. The same mark keeps a
page that somebody set aside from coming back by the slot of another who had it open.
"""

from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from labeling.models import Assignment, Project, Selection, State, Stream
from labeling.models.work import ASKED_OF_ALL, COUNTED, HELD


def mark(project: Project) -> int:
    """Mark, under the numbers in force now, the leases that are not to be given out again. Returns how many."""
    leased = Assignment.objects.filter(project=project, state=State.LEASED)
    leased.filter(lapses=True).update(lapses=False)
    marked = 0
    for stream in Stream.values:
        of_stream = leased.filter(purpose__in=ASKED_OF_ALL, selection__stream=stream).annotate(n_others=_others())
        ours = of_stream.filter(selection__draw=None, n_others__gte=project.overlap_for(stream))
        drawn = of_stream.filter(selection__draw__isnull=False, n_others__gte=F("selection__draw__overlap"))
        for slots in (ours, drawn):
            marked += Assignment.objects.filter(pk__in=slots.values("pk"), state=State.LEASED).update(lapses=True)
    return marked + mark_set_aside(Assignment.objects.filter(project=project))


def mark_set_aside(slots: QuerySet[Assignment]) -> int:
    """Mark those of these slots that somebody holds while their page is set aside: given up, they wait with it."""
    aside = Assignment.objects.set_aside().filter(item=OuterRef("item"), round=OuterRef("round"))
    held = slots.filter(Exists(aside), state=State.LEASED, purpose__in=COUNTED, lapses=False)
    return Assignment.objects.filter(pk__in=held.values("pk"), state=State.LEASED).update(lapses=True)


def waits_with_its_page(slot: Assignment) -> bool:
    """Whether the page of this slot, which is given up, is set aside."""
    return Assignment.objects.set_aside().filter(item=slot.item_id, round=slot.round).exists()


def is_one_too_many(slot: Assignment) -> bool:
    """Whether as many people as are wanted hold or have answered this page in this round without the slot."""
    selection = Selection.objects.select_related("draw").get(pk=slot.selection_id)
    wanted = selection.draw.overlap if selection.draw else slot.project.overlap_for(selection.stream)
    others = _held_of(slot.item_id, slot.round).exclude(pk=slot.pk)
    return others.count() >= wanted


def _held_of(item: Any, turn: Any) -> QuerySet[Assignment]:
    return Assignment.objects.filter(item=item, round=turn, purpose__in=ASKED_OF_ALL, state__in=HELD)


def _others() -> Coalesce:
    held = _held_of(OuterRef("item"), OuterRef("round")).exclude(pk=OuterRef("pk"))
    return Coalesce(Subquery(held.order_by().values("item").annotate(n=Count("pk")).values("n")), 0)
