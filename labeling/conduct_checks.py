"""What must be true of the counts of how people work."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from labeling import conduct, rater_totals, schemas, usual_raters
from labeling.invariants import check
from labeling.models import ConductCount, Judgment, Project, RaterTotal, RaterWeek

# What later answers of others move is left out: drift is as it was when it was counted last.
FIELDS = (
    "n_answers", "speeds", "points", "serious", "known", "known_pages", "again", "again_pages", "again_alike",
)  # fmt: skip


@check("weeks", "The weeks of people that dashboards read are what their answers come to, counted again.")
def weeks() -> Iterator[str]:
    for known in ConductCount.objects.select_related("project").order_by("pk"):
        fresh = Judgment.objects.filter(rater__project=known.project, pk__gt=known.last_judgment)
        if not fresh.exists():  # newer answers are counted by the next job
            yield from _differing(known.project)


@check("totals", "The totals of people that their page reads are their weeks added up again.")
def totals() -> Iterator[str]:
    for known in ConductCount.objects.select_related("project", "schema").order_by("pk"):
        fresh = Judgment.objects.filter(rater__project=known.project, pk__gt=known.last_judgment)
        if known.schema is None or known.monday != rater_totals.this_monday() or fresh.exists():
            continue  # the next job adds them up
        schema = schemas.by_id(known.schema.pk)
        kept = {
            (row.rater_id, row.weeks, row.stream): _exact(row.sums)
            for row in RaterTotal.objects.filter(project=known.project).order_by("pk")
        }
        right = {
            (row.rater_id, row.weeks, row.stream): _exact(row.sums)
            for row in rater_totals.counted(known.project, schema, None, monday=known.monday)
        }
        for place in sorted(kept.keys() | right.keys()):
            if kept.get(place) != right.get(place):
                rater, n_weeks, stream = place
                yield f"rater {rater}, {n_weeks or 'all'} weeks, {stream or 'any stream'}: kept otherwise"


def _exact(sums: dict[str, Any]) -> dict[str, Any]:
    """Without what rests on the label's usual rater, who is another with every answer."""
    questions = {question: parts[:2] for question, parts in sums["questions"].items()}
    return {**sums, "speeds": {int(place): n for place, n in sums["speeds"].items()}, "questions": questions}


def _differing(project: Project) -> Iterator[str]:
    schema = schemas.in_force_if_any(project)
    if schema is None:
        return
    usual, raters = usual_raters.of_project(project, schema), defaultdict[date, set[int]](set)
    places = RaterWeek.objects.filter(project=project).order_by().values_list("week", "rater").distinct()
    for monday, rater in [*places, *((monday, rater) for rater, monday in conduct.changed(project, after=0))]:
        raters[monday].add(rater)
    for monday, some in sorted(raters.items()):
        kept = {(row.rater_id, row.stream): row for row in RaterWeek.objects.filter(project=project, week=monday)}
        right = {
            (row.rater_id, row.stream): row
            for row in conduct.counted(project, sorted(some), monday, schema, usual)
        }  # fmt: skip
        for rater, stream in sorted(kept.keys() | right.keys()):
            both = [side.get((rater, stream), RaterWeek()) for side in (kept, right)]
            wrong = [name for name in FIELDS if getattr(both[0], name) != getattr(both[1], name)]
            if wrong:
                yield f"rater {rater}, week of {monday}, {stream}: {', '.join(wrong)} are kept otherwise"
