"""The pages on which two people differ, of those nobody can be given any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from labeling import schemas
from labeling.counted import NO, UNSURE, YES, View
from labeling.models import Consensus, Counted, Dispute, Item, Judgment, Label, Project, Stream
from labeling.models.work import COUNTED, ONE_MORE, is_vote

WORDS = {YES: "yes", NO: "no", UNSURE: "unsure"}
PURPOSES = [purpose for purpose in COUNTED if purpose not in ONE_MORE]


@dataclass(frozen=True, slots=True)
class Difference:
    """One page. labels: those they differ on, with what the first and the second say. is_open: it is not decided yet
    on one of these, so who says what is nobody's to know."""

    item: Item
    labels: tuple[tuple[Label, str, str], ...]
    is_open: bool


def differing(project: Project, first: int, second: int, *, keys: Sequence[str], stream: str = "") -> QuerySet[Any]:
    """Items (their numbers, the newest first) on which one of two raters says yes and the other no to one of these
    labels."""
    apart = Q(pk__in=[])
    for key in keys:
        left, right = f"first_said__verdicts__{key}", f"second_said__verdicts__{key}"
        apart |= Q(**{left: "yes", right: "no"}) | Q(**{left: "no", right: "yes"})
    both = Item.objects.filter(project=project).annotate(first_said=_said(first), second_said=_said(second))
    both = both.filter(apart, _of_stream("first_said", stream), _of_stream("second_said", stream))
    finished = Consensus.objects.filter(project=project).of_finished_items()
    return both.filter(consensus__in=finished).order_by("-pk").values_list("pk", flat=True).distinct()


def _said(rater: int) -> FilteredRelation:
    counts = Q(judgments__rater=rater, judgments__purpose__in=PURPOSES, judgments__saw_suggestion=False)
    judged = Q(judgments__outcome=Judgment.Outcome.JUDGED)
    return FilteredRelation("judgments", condition=is_vote("judgments__") & counts & judged)


def _of_stream(said: str, stream: str) -> Q:
    if not stream:
        return Q(**{f"{said}__isnull": False})
    of = Q(**{f"{said}__assignment__selection__stream": stream})
    unasked = Q(**{f"{said}__isnull": False, f"{said}__assignment__selection__isnull": True})
    return of | unasked if stream == Stream.IMPORT else of


def differences(
    project: Project, schema: schemas.Schema, item_ids: Sequence[int], first: int, second: int, *, stream: str = ""
) -> list[Difference]:
    """What two raters say of these items, as it is counted, where they differ."""
    items = Item.objects.select_related("consensus").in_bulk(item_ids)
    counted = {row.item_id: row for row in Counted.objects.filter(item__in=item_ids, schema=schema.id)}
    waiting: dict[int, set[str]] = {}
    for item, label in Dispute.objects.filter(item__in=item_ids, settled_at=None).values_list("item", "label"):
        waiting.setdefault(item, set()).add(label)
    rows = []
    for item_id in item_ids:
        labels = tuple(_apart(counted.get(item_id), schema, first, second, stream)) if item_id in items else ()
        if labels:
            is_open = any(label.key in waiting.get(item_id, ()) for label, _, _ in labels)
            rows.append(Difference(items[item_id], labels, is_open))
    return rows


def _apart(row: Counted | None, schema: schemas.Schema, first: int, second: int, stream: str) -> Any:
    said = _answers(row, stream) if row else {}
    pairs = zip(schema.asked, said.get(first, ""), said.get(second, ""), strict=False)
    return [(label, WORDS[left], WORDS[right]) for label, left, right in pairs if {left, right} == {YES, NO}]


def _answers(row: Counted, stream: str) -> dict[int, str]:
    """Those that count in this stream, or in the whole project."""
    for view in map(View.read, row.views):
        if not view.whose.is_aided and (view.whose.stream == stream if stream else not view.whose.is_mixed):
            return view.answers
    return {}
