"""Doubted pages asked about again: one more person answers, and where they differ somebody decides."""

from collections.abc import Sequence

from django.db import transaction

from labeling import doubts, slots
from labeling.models import Doubt, DoubtRanking, Event, Item, Project, Purpose, Selection, Stream, User
from labeling.refusals import Refused, Unacceptable

NOT_RANKED = "The pages are not ranked yet."
NOTHING_LEFT = "Nothing of the ranking is left to ask about: people are asked about these pages already."


def ask_again(project: Project, n: int, *, by: User | None) -> int:
    """Ask one more person about the n most doubtful pages that nobody is asked about. Returns how many are asked.

    When that answer differs, the page is in dispute and somebody decides. It is an added answer, which agreement
    leaves out.
    """
    if not 1 <= n <= doubts.KEPT:
        raise Unacceptable(f"Between 1 and {doubts.KEPT:,} pages.", [{"pointer": "/pages", "detail": "Not so many."}])
    if not DoubtRanking.objects.filter(project=project).exists():
        raise Refused(NOT_RANKED)
    with transaction.atomic():
        pages = doubts.agreed(project).values("item")
        ids = list(Doubt.objects.filter(project=project, item__in=pages).order_by("rank").values_list("item")[:n])
        found = [pk for (pk,) in ids]
        if not found:
            raise Refused(NOTHING_LEFT)
        slots.lock_all(found)
        selections = _selections(found)
        slots.open_up(project, selections, overlap=1, purpose=Purpose.ADDED)
        Event.record("doubts.asked", by=by, project=project, about=project, n_items=len(found))
    return len(found)


def _selections(item_ids: Sequence[int]) -> list[Selection]:
    """How each page came to be asked: as for its last answer, so that both belong to one stream."""
    rows = Selection.objects.filter(item__in=item_ids).order_by("pk").select_related("item")
    last = {row.item_id: row for row in rows}
    missing = Item.objects.filter(pk__in=set(item_ids) - last.keys())
    fresh = [Selection(item=item, stream=Stream.IMPORT, reason="doubted") for item in missing]
    last |= {row.item_id: row for row in Selection.objects.bulk_create(fresh)}
    return [last[pk] for pk in item_ids]
