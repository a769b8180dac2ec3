"""Fewer people a page than before: slots nobody has taken leave the queue; what people hold or answered stands.

Raising the number asks more people of what is queued from then on.
"""

from collections.abc import Mapping

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from labeling import recounts
from labeling.models import Assignment, Project, State, Stream, User
from labeling.models.work import ASKED_OF_ALL, HELD

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
