"""Pages in doubt that are asked of one more person by a job: those a refit throws into doubt, or all a budget reaches.

Without a budget every page whose expected error is above the project's limit gets its answer. With one, of so many
answers a page on the average, the largest expected errors come first and nothing else counts.
"""

import math
from collections.abc import Callable

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from labeling import consensus, one_more, recounts, slots
from labeling.models import Adjudication, Assignment, Consensus, GoldItem, Item, ItemState, Project, State, User
from labeling.models.work import COUNTED, HELD, ONE_MORE

CHUNK = 200


def spend(project: Project, *, told: Callable[[int], None] = lambda n: None) -> int:
    """Ask one more person about pages in doubt, the largest expected errors first. Returns about how many pages.

    Run again, it finds these pages waiting, and goes on with what is left.
    """
    if not project.adaptive:
        return 0
    left = math.inf if project.overlap_budget is None else unspent(project)
    asked, place = 0, (math.inf, 0)
    while left > asked and (rows := _in_doubt(project, after=place)):
        place = (rows[-1].expected_error, rows[-1].item_id)
        room = len(rows) if math.isinf(left) else int(left) - asked
        asked += _ask(project, [row.item_id for row in rows], most=room)
        told(asked)
    return asked


def unspent(project: Project) -> int:
    """Answers of the budget that are neither given nor asked for."""
    pages = Consensus.objects.filter(project=project).aggregate(n=Count("pk"), given=Coalesce(Sum("n_judgments"), 0))
    counted = Consensus.objects.filter(item=OuterRef("item"))
    waiting = Assignment.objects.filter(
        Exists(counted), project=project, purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED]
    )
    return int((project.overlap_budget or 0.0) * pages["n"]) - int(pages["given"]) - waiting.count()


def _in_doubt(project: Project, *, after: tuple[float, int]) -> list[Consensus]:
    """The next pages in dispute that nobody ever decided, the largest expected error first."""
    decided = Adjudication.objects.filter(item=OuterRef("item"))
    rows: QuerySet[Consensus] = Consensus.objects.filter(
        project=project, state=Consensus.State.DISPUTED, n_judgments__lt=project.overlap_most,
        item__state=ItemState.ACTIVE,
    ).exclude(Exists(decided)).exclude(Exists(GoldItem.objects.filter(item=OuterRef("item"))))  # fmt: skip
    error, item = after
    rows = rows.filter(expected_error__lte=error) if math.isfinite(error) else rows
    rows = rows.exclude(expected_error=error, item__lte=item) if math.isfinite(error) else rows
    return list(rows.only("item_id", "expected_error").order_by("-expected_error", "item_id")[:CHUNK])


@transaction.atomic
def _ask(project: Project, item_ids: list[int], *, most: int) -> int:
    """Under the items' locks, and as things stand there: an answer or a decision may have come meanwhile."""
    slots.lock_all(item_ids)
    ground = consensus.Ground.of(project)
    found = consensus.count_many(item_ids, ground=ground)
    public = dict(Item.objects.filter(pk__in=item_ids).values_list("pk", "public_id"))
    decided = set(Adjudication.objects.filter(item__in=item_ids).values_list("item", flat=True))
    opened: list[int] = []
    for item_id in item_ids:
        if len(opened) >= most:
            break
        spends = project.overlap_budget is not None
        purpose = consensus.more_for(found[item_id], ground, public_id=public[item_id], spends=spends)
        if purpose and item_id not in decided and one_more.open_slot(project, item_id, purpose=purpose):
            opened.append(item_id)
    consensus.refresh_many(opened, project=project)
    return len(opened)


# ---- other settings -------------------------------------------------------------------------------------------------
def after_change(project: Project, *, by: User | None) -> int:
    """Under the settings now: slots that were added and that nobody has taken leave the queue where none is added any
    more, or as many answers are there as are wanted at most. What people hold or answered stands."""
    added = Assignment.objects.filter(project=project, purpose__in=ONE_MORE, state=State.OPEN)
    if project.adaptive:
        held = Assignment.objects.filter(item=OuterRef("item"), round=OuterRef("round"), state__in=HELD)
        n_held = Coalesce(Subquery(held.order_by().values("item").annotate(n=Count("pk")).values("n")), 0)
        added = added.annotate(n_held=n_held).filter(n_held__gte=project.overlap_most)
    gone = list(added.values_list("pk", flat=True))
    withdrawn = Assignment.objects.filter(pk__in=gone, state=State.OPEN).update(
        state=State.WITHDRAWN, available_at=None, is_surplus=True
    )
    if withdrawn:
        recounts.after_lowering(project, by=by)
    return withdrawn
