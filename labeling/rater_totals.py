"""What the page of people reads: each rater's weeks added up for every filter it offers, kept by the job."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from labeling import rater_tallies, schemas, usual_raters
from labeling.models import Project, Rater, RaterTotal
from labeling.quality.usual import Usual
from labeling.rater_tallies import Place, Tally, Totals, question_of

PERIODS = (4, 12, 52)  # weeks that can be asked for, beside all
ALL = 0
RATERS_AT_ONCE = 20


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def this_monday() -> date:
    return monday_of(timezone.now().date())


def since(weeks: int, monday: date) -> date:
    """The first Monday of the last so many weeks."""
    return monday - timedelta(weeks=weeks - 1)


def usual_by_question(project: Project, schema: schemas.Schema) -> dict[str, Usual]:
    usual = usual_raters.of_project(project, schema)
    return {question_of(label.key, label.revision): usual[label.key] for label in schema.asked}


def count(project: Project, schema: schemas.Schema, raters: Collection[int] | None, *, monday: date) -> None:
    """Add up these raters' weeks anew; everybody's when None."""
    ids = _ids(project, raters)
    for start in range(0, len(ids), RATERS_AT_ONCE):
        some = ids[start : start + RATERS_AT_ONCE]
        rows = list(counted(project, schema, some, monday=monday))
        with transaction.atomic():
            RaterTotal.objects.filter(rater__in=some).delete()
            RaterTotal.objects.bulk_create(rows, batch_size=200)


def counted(
    project: Project, schema: schemas.Schema, raters: Collection[int] | None, *, monday: date
) -> Iterator[RaterTotal]:
    """The totals as they are now, not stored; everybody's when None."""
    usual, ids = usual_by_question(project, schema), _ids(project, raters)
    for start in range(0, len(ids), RATERS_AT_ONCE):
        rows = rater_tallies.rows_of(ids[start : start + RATERS_AT_ONCE])
        places = rater_tallies.by_band(*rows, [since(weeks, monday) for weeks in PERIODS])
        for rater, weeks, stream, tally in _totals(places):
            sums = tally.totals(usual).stored()
            yield RaterTotal(project=project, rater_id=rater, weeks=weeks, stream=stream, sums=sums)


def _ids(project: Project, raters: Collection[int] | None) -> list[int]:
    return sorted(Rater.objects.filter(project=project).values_list("pk", flat=True) if raters is None else raters)


def _totals(places: Mapping[Place, Tally]) -> Iterator[tuple[int, int, str, Tally]]:
    of_rater: dict[int, dict[Place, Tally]] = defaultdict(dict)
    for place, tally in places.items():
        of_rater[place[0]][place] = tally
    for rater, own in of_rater.items():
        for stream in ("", *sorted({stream for _, _, stream, _ in own if stream})):
            for bands, weeks in enumerate((*PERIODS, ALL), 1):
                tally = rater_tallies.together(own, rater, bands=bands, stream=stream)
                if tally.sums["n_answers"] or tally.sums["n_compared"]:
                    yield rater, weeks, stream, tally


def kept(project: Project, *, weeks: int | None, stream: str, raters: Collection[int] | None) -> dict[int, Totals]:
    """Rater -> totals, as the job counted them last."""
    rows = RaterTotal.objects.filter(project=project, weeks=weeks or ALL, stream=stream)
    rows = rows if raters is None else rows.filter(rater__in=raters)
    return {rater: Totals.read(sums) for rater, sums in rows.values_list("rater", "sums")}


def before(project: Project, schema: schemas.Schema, rater: int, *, weeks: int | None, stream: str, until: date,
           monday: date) -> Totals | None:  # fmt: skip
    """One rater's totals of weeks before a Monday, added up now; None without an answer."""
    start = since(weeks, monday) if weeks else date.min
    of_weeks, cells = (rows.filter(week__lt=until, week__gte=start) for rows in rater_tallies.rows_of([rater]))
    tally = rater_tallies.together(rater_tallies.by_band(of_weeks, cells, []), rater, bands=1, stream=stream)
    if not (tally.sums["n_answers"] or tally.sums["n_compared"]):
        return None
    return tally.totals(usual_by_question(project, schema))
