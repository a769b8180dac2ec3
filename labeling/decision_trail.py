"""What became of a page, step by step: who decided what, what was so before, what was asked, what was taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.models import Assignment, Event, Item, Purpose, User
from labeling.models.rulings import SentBack


@dataclass(frozen=True, slots=True)
class Step:
    kind: str  # "decided", "accepted", "reopened", "sent_back", "asked_more"
    at: datetime
    by: User | None
    old: Mapping[str, str | None]
    new: Mapping[str, str]
    cause: str = ""
    words: str = ""  # a note, or the message an answer was sent back with


def of(item: Item) -> list[Step]:
    """Newest first, read from the audit trail by what its events are about."""
    about = [f"adjudication:{pk}" for pk in item.adjudications.values_list("pk", flat=True)]
    about += [f"sentback:{pk}" for pk in SentBack.objects.filter(judgment__item=item).values_list("pk", flat=True)]
    added = Assignment.objects.filter(item=item, purpose=Purpose.ADDED)
    about += [f"assignment:{pk}" for pk in added.values_list("pk", flat=True)]
    if not about:
        return []
    events = Event.objects.filter(about__in=about, kind__startswith="adjudication.")
    return [_step(event) for event in events.select_related("actor").order_by("-pk")]


def _step(event: Event) -> Step:
    said: dict[str, Any] = event.data
    return Step(
        kind=event.kind.removeprefix("adjudication."), at=event.at, by=event.actor, old=said.get("old") or {},
        new=said.get("new") or {}, cause=said.get("cause", ""), words=said.get("note") or said.get("message") or "",
    )  # fmt: skip
