"""What must be true of the counts of how people work."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from labeling import conduct, schemas, usual_raters
from labeling.invariants import check
from labeling.models import ConductCount, Judgment, Project, RaterWeek

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
