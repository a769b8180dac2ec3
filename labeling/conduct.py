"""The weeks of raters, counted from their answers: known answers, repeats, time, what pages cost, drift.

A week of a rater is counted anew as a whole whenever an answer to one of its pages comes or goes, so that counting
twice changes nothing. What others say of a page moves the drift of everybody who answered it. The job that counts the
sums of agreement counts the weeks as well.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Now, TruncWeek

from labeling import exposure, jobs, rater_totals, repeats, schemas, usual_raters, watching
from labeling.models import ConductCount, Honeypot, Judgment, Project, Purpose, RaterWeek, Stream
from labeling.models.projects import Severity
from labeling.models.work import COUNTED, KNOWN
from labeling.quality import speeds
from labeling.quality.usual import Usual
from labeling.watching import CODES, Answer, Weeks, judged

KIND = "conduct"
LATE = 2_000  # an answer can be stored after others that got a larger number
AT_ONCE = 200  # answers that are counted while somebody waits for the page
RATERS_AT_ONCE = 20
WEEK = timedelta(days=7)

Bucket = tuple[int, date]  # a rater and a Monday


# ---- who starts it --------------------------------------------------------------------------------------------------
def freshen(project: Project) -> datetime | None:
    """Count what came, if that is little; a job counts the rest. Returns when the weeks were counted last."""
    known = ConductCount.objects.filter(project=project).first()
    fresh = _answers(project).filter(pk__gt=known.last_judgment if known else 0)
    n = fresh[: AT_ONCE + 1].count()
    if known is not None and not n:
        schema = schemas.in_force_if_any(project)
        if schema is not None and not _is_of(known, schema, rater_totals.this_monday()):
            n = _answers(project)[: AT_ONCE + 1].count()  # the totals of everybody are others now
    if 0 < n <= AT_ONCE:
        count(project)
        return ConductCount.objects.values_list("counted_at", flat=True).get(project=project)
    if n:
        jobs.enqueue(KIND, project=project, exclusive=f"{KIND}:{project.pk}")
    return known.counted_at if known else None


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: every week that changed."""
    return {"weeks": count(claim.project, claim=claim)}


# ---- counting -------------------------------------------------------------------------------------------------------
def count(project: Project, *, claim: jobs.Claim | None = None) -> int:
    """Bring the weeks up to date, some raters a transaction. Returns how many weeks were counted."""
    schema = schemas.in_force_if_any(project)
    known = ConductCount.objects.filter(project=project).first()
    last = _answers(project).aggregate(last=Max("pk"))["last"] or 0
    weeks: dict[date, list[int]] = defaultdict(list)
    for rater, monday in sorted(changed(project, after=known.last_judgment if known else 0), key=lambda one: one[::-1]):
        weeks[monday].append(rater)
    done, total = 0, sum(len(raters) for raters in weeks.values())
    if schema is not None:
        usual = usual_raters.of_project(project, schema)
        for monday, raters in weeks.items():
            for start in range(0, len(raters), RATERS_AT_ONCE):
                some = raters[start : start + RATERS_AT_ONCE]
                with transaction.atomic():
                    _count_week(project, some, monday, schema, usual)
                    if claim is not None:
                        claim.guard()
                done += len(some)
                if claim is not None:
                    claim.progress(done / total, f"{done:,} of {total:,} weeks counted")
        moved = sorted({rater for raters in weeks.values() for rater in raters})
        for rater in moved:
            watching.walk(rater)
        monday = rater_totals.this_monday()
        rater_totals.count(project, schema, moved if _is_of(known, schema, monday) else None, monday=monday)
        known_of = {"monday": monday, "schema_id": schema.id}
    else:
        known_of = {}
    ConductCount.objects.update_or_create(
        project=project, defaults={"counted_at": Now(), "last_judgment": last, **known_of}
    )
    return done


def _is_of(known: ConductCount | None, schema: schemas.Schema, monday: date) -> bool:
    """Whether the totals are those of this week and of what is asked now."""
    return known is not None and (known.monday, known.schema_id) == (monday, schema.id)


def _answers(project: Project) -> QuerySet[Judgment]:
    return Judgment.objects.filter(rater__project=project)


def changed(project: Project, *, after: int) -> set[Bucket]:
    """The weeks of everybody who ever answered a page that has an answer newer than `after`."""
    answers = _answers(project)
    if after:
        fresh = answers.filter(pk__gt=max(after - LATE, 0))
        answers = answers.filter(item__in=fresh.values("item"))
    rows = answers.annotate(monday=TruncWeek("submitted_at", tzinfo=UTC)).order_by()
    return {(rater, monday.date()) for rater, monday in rows.values_list("rater", "monday").distinct()}


READ = (
    "item_id", "rater_id", "schema_id", "verdicts", "submitted_at", "active_seconds", "source", "purpose", "outcome",
    "assignment__selection__stream",
)  # fmt: skip


def _read(raters: Sequence[int], monday: date) -> list[Answer]:
    start = datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
    rows = Judgment.objects.current().filter(rater__in=raters, submitted_at__gte=start, submitted_at__lt=start + WEEK)
    return [
        Answer(*[*values[:-1], values[-1] or Stream.IMPORT.value])
        for values in rows.order_by("submitted_at", "pk").values_list(*READ)
    ]


def _count_week(
    project: Project, raters: Sequence[int], monday: date, schema: schemas.Schema, usual: Mapping[str, Usual]
) -> None:
    weeks = counted(project, raters, monday, schema, usual)
    RaterWeek.objects.filter(rater__in=raters, week=monday).delete()
    RaterWeek.objects.bulk_create(weeks, batch_size=500)


def counted(
    project: Project, raters: Sequence[int], monday: date, schema: schemas.Schema, usual: Mapping[str, Usual]
) -> list[RaterWeek]:
    """What these raters' answers of a week come to, a row a rater and stream; alarms are not known here."""
    weeks: dict[tuple[int, str], RaterWeek] = {}
    rows = _read(raters, monday)
    for row in rows:
        place = row.rater, row.stream
        if place not in weeks:
            weeks[place] = RaterWeek(project=project, rater_id=row.rater, week=monday, stream=row.stream)
        week = weeks[place]
        week.n_answers += 1
        if row.seconds is not None and math.isfinite(row.seconds) and row.seconds >= 0:
            which = str(speeds.bin_of(row.seconds))
            week.speeds[which] = week.speeds.get(which, 0) + 1
    _add_known(weeks, [row for row in rows if row.purpose in KNOWN])
    _add_again(project, weeks, [row for row in rows if row.purpose == Purpose.REPEAT])
    _add_cost(weeks, raters, monday)
    watching.add(weeks, [row for row in rows if row.purpose in COUNTED], schema, usual)
    return list(weeks.values())


def _add_known(weeks: Weeks, rows: list[Answer]) -> None:
    """Where yes is known: how often yes was said; where no is: how often no. Unsure is no answer."""
    known = {
        item: (verdicts, schema)
        for item, verdicts, schema in Honeypot.objects.filter(item__in={row.item for row in rows}).values_list(
            "item", "verdicts", "schema"
        )
    } if rows else {}  # fmt: skip
    for row in judged(rows):
        if row.item not in known:
            continue
        right, version = known[row.item]
        week = weeks[row.rater, row.stream]
        week.known_pages += 1
        for question, truth, said in _compared(right, version, row.said, row.schema):
            if said in CODES:
                counts = week.known.setdefault(question, [0, 0, 0, 0])
                at = 0 if truth == "yes" else 2
                counts[at] += 1
                counts[at + 1] += said == truth


def _add_again(project: Project, weeks: Weeks, rows: list[Answer]) -> None:
    first = repeats.first_answers(project, {row.item for row in rows}) if rows else {}
    for row in judged(rows):
        earlier = first.get((row.rater, row.item))
        if earlier is None:
            continue
        both = [
            (question, (then == "yes") + (now == "yes"))
            for question, then, now in _compared(*earlier, row.said, row.schema)
            if then in CODES and now in CODES
        ]
        week = weeks[row.rater, row.stream]
        week.again_pages += bool(both)
        week.again_alike += bool(both) and all(n != 1 for _, n in both)
        for question, n in both:
            week.again.setdefault(question, [0, 0, 0])[n] += 1


def _compared(
    first: dict[str, str], first_schema: int, second: dict[str, str], second_schema: int
) -> list[tuple[str, str, str]]:
    """("label:revision", one verdict, the other) of the labels that asked the same both times."""
    then, now = (_revisions(version) for version in (first_schema, second_schema))
    return [
        (f"{key}:{now[key]}", verdict, second[key])
        for key, verdict in first.items()
        if key in second and key in now and then.get(key) == now[key]
    ]


def _revisions(version: int) -> dict[str, int]:
    return {label.key: label.revision for label in schemas.by_id(version).labels}


def _add_cost(weeks: Weeks, raters: Sequence[int], monday: date) -> None:
    start = datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
    read = exposure.counting().filter(rater__in=raters, submitted_at__gte=start, submitted_at__lt=start + WEEK)
    sums = read.order_by().values_list("rater", "assignment__selection__stream").annotate(
        points=Sum("exposure"), serious=Count("pk", filter=Q(exposure__gte=Severity.SERIOUS))
    )  # fmt: skip
    for rater, stream, points, serious in sums:
        week = weeks.get((rater, stream or Stream.IMPORT.value))
        if week is not None:
            week.points, week.serious = points, serious
