"""What was done on each day of a project: counted once by a job, read by pages as a few rows (models/figures.py).

Days that changed are found by the items that changed: every day on which an item was answered or decided is counted
again. Nothing is added up bit by bit, so that a count can be stale but never drift.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, FilteredRelation, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from labeling.models import Adjudication, Consensus, DailyCount, Judgment, Project, Stream

SETTLED = (Consensus.State.AGREED, Consensus.State.ADJUDICATED)
ALL = ""  # the stream of the row that counts all of them
COUNTS = (
    "answers", "timed_answers", "seconds", "decisions", "pages", "page_answers", "page_answers_squared",
    "timed_pages", "page_seconds", "page_seconds_squared",
)  # fmt: skip
DAY = timedelta(days=1)


# ---- counting -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to before another; without ends: ever."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(cls, day: date) -> "Span":
        start = datetime.combine(day, time(), UTC)
        return cls(start, start + DAY)

    def holds(self, moment: datetime) -> bool:
        return self.start is None or self.end is None or self.start <= moment < self.end

    def within(self, column: str) -> Q:
        return Q() if self.start is None else Q(**{f"{column}__gte": self.start, f"{column}__lt": self.end})


EVER = Span()


def counted(project: Project, span: Span = EVER) -> list[DailyCount]:
    """The rows of a span of days, counted now and not stored; a day on which nothing happened has none."""
    rows: dict[tuple[date, str], DailyCount] = {}

    def row(day: date, stream: str) -> DailyCount:
        return rows.setdefault((day, stream), DailyCount(project=project, day=day, stream=stream))

    for day, stream, n, timed, seconds in _answers(project, span):
        for counts in (row(day, stream or Stream.IMPORT.value), row(day, ALL)):
            counts.answers += n
            counts.timed_answers += timed
            counts.seconds += seconds or 0.0
    for page in _settled_pages(project, span):
        if page.decided_at and span.holds(page.decided_at):
            row(page.decided_at.date(), ALL).decisions += 1
        if not page.is_all_ours or not span.holds(page.last):
            continue
        for stream, (n, seconds) in page.by_stream().items():
            _add_page(row(page.last.date(), stream), n, seconds)
    return [rows[place] for place in sorted(rows)]


def _answers(project: Project, span: Span) -> QuerySet[Judgment, Any]:
    """Answers given here; imported ones came all at once."""
    given = _votes(project).filter(span.within("submitted_at")).exclude(source=Judgment.Source.IMPORT)
    grouped = given.annotate(day=TruncDate("submitted_at", tzinfo=UTC)).order_by()
    return grouped.values_list("day", "assignment__selection__stream").annotate(
        n=Count("pk"), timed=Count("active_seconds"), seconds=Sum("active_seconds")
    )


def _votes(project: Project) -> QuerySet[Judgment]:
    return Judgment.objects.votes().filter(rater__project=project)


@dataclass(slots=True)
class _Page:
    """All that one settled page took."""

    last: datetime
    decided_at: datetime | None
    is_all_ours: bool = True
    deciding: float | None = 0.0
    given: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))

    def by_stream(self) -> dict[str, tuple[int, float | None]]:
        """Answers and seconds (None: not all known), in each stream and in all; deciding counts in all alone."""
        every = [seconds for times in self.given.values() for seconds in times]
        parts = {stream: (len(times), _sum(times)) for stream, times in self.given.items()}
        return parts | {ALL: (len(every), _sum([*every, self.deciding]))}


def _sum(times: Sequence[float | None]) -> float | None:
    return None if None in times else sum(seconds for seconds in times if seconds is not None)


ROW = (
    "pk", "item_id", "assignment__selection__stream", "source", "submitted_at", "active_seconds",
    "decision__decided_at", "decision__active_seconds",
)  # fmt: skip


def _settled_pages(project: Project, span: Span) -> Iterable[_Page]:
    """Settled pages that were answered or decided in the span, whenever they were settled."""
    pages: dict[int, _Page] = {}
    for _, item, stream, source, at, seconds, decided_at, deciding in _votes_on_settled(project, span):
        page = pages.setdefault(item, _Page(at, decided_at))
        page.last = max(page.last, at, decided_at or at)
        page.is_all_ours &= source != Judgment.Source.IMPORT
        page.deciding = deciding if decided_at else 0.0
        page.given[stream or Stream.IMPORT.value].append(seconds)
    return pages.values()


def _votes_on_settled(project: Project, span: Span) -> Iterator[tuple[Any, ...]]:
    """Every vote on settled pages that were answered or decided in the span, once."""
    settled = (
        _votes(project)
        .filter(item__consensus__state__in=SETTLED)
        .alias(decision=FilteredRelation("item__adjudications", condition=Q(item__adjudications__superseded_at=None)))
        .order_by()
        .values_list(*ROW)
    )
    if span.start is None:
        yield from settled.iterator()
        return
    answered = _votes(project).filter(span.within("submitted_at"))
    decided = Adjudication.objects.in_force().filter(span.within("decided_at"), item__project=project)
    seen: set[int] = set()
    touched = answered.order_by().values("item"), decided.order_by().values("item")
    for found_in in touched:  # one after the other: of an OR the database would read every answer
        for found in settled.filter(Q(item__in=found_in)).iterator():
            if found[0] not in seen:
                seen.add(found[0])
                yield found


def _add_page(counts: DailyCount, n: int, seconds: float | None) -> None:
    counts.pages += 1
    counts.page_answers += n
    counts.page_answers_squared += n * n
    if seconds is not None:
        counts.timed_pages += 1
        counts.page_seconds += seconds
        counts.page_seconds_squared += seconds * seconds


# ---- keeping --------------------------------------------------------------------------------------------------------
def mark(project: Project, item_ids: Sequence[int]) -> None:
    """The days on which these items were ever answered or decided are to be counted again."""
    answered = Judgment.objects.filter(item__in=item_ids).values_list(TruncDate("submitted_at", tzinfo=UTC))
    decided = Adjudication.objects.filter(item__in=item_ids).values_list(TruncDate("decided_at", tzinfo=UTC))
    days = {day for rows in (answered, decided) for (day,) in rows.order_by().distinct()}
    DailyCount.objects.bulk_create(
        [DailyCount(project=project, day=day, stream=ALL, is_stale=True) for day in sorted(days)],
        update_conflicts=True, unique_fields=["project", "day", "stream"], update_fields=["is_stale"],
    )  # fmt: skip


def refresh(project: Project) -> int:
    """Count the stale days of a project again. Returns how many."""
    days = list(DailyCount.objects.stale().filter(project=project).order_by("day").values_list("day", flat=True))
    for day in days:
        _store(project, day)
    return len(days)


def rebuild(project: Project) -> None:
    """Count every day of a project again, from nothing."""
    for day in days_of(project):
        _store(project, day)


def kept(project: Project) -> list[DailyCount]:
    """Every day as it is kept."""
    return list(DailyCount.objects.filter(project=project).order_by("day", "stream"))


def days_of(project: Project) -> list[date]:
    """Every day on which something was done, or is said to have been."""
    answered = _votes(project).values_list(TruncDate("submitted_at", tzinfo=UTC))
    decided = Adjudication.objects.in_force().filter(item__project=project)
    known = DailyCount.objects.filter(project=project).values_list("day")
    sources: Iterable[Any] = (answered, decided.values_list(TruncDate("decided_at", tzinfo=UTC)), known)
    return sorted({day for rows in sources for (day,) in rows.order_by().distinct()})


@transaction.atomic
def _store(project: Project, day: date) -> None:
    kept = DailyCount.objects.filter(project=project, day=day)
    # First, so that what changes from here on waits for this transaction, and marks the day again.
    kept.filter(stream=ALL).update(is_stale=False)
    fresh = counted(project, Span.of(day))
    kept.exclude(stream__in=[row.stream for row in fresh]).delete()
    DailyCount.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["project", "day", "stream"], update_fields=COUNTS
    )
