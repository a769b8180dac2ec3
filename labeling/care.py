"""What a person can be asked to read today: a budget of exposure, and no end of grave pages in a row.

The budget is kept before a page is given out, by what the page is expected to cost (`expectations`): one that would
pass what is left is given to somebody else, or tomorrow. What a page turns out to cost is known after it was read, so a
day may end above its budget by one page that nobody could know, and by no more: a page held unanswered in another
project is reckoned at the worst it can turn out to be.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling import exposure, schemas
from labeling.models import Assignment, Project, State, User
from labeling.models.projects import Severity
from labeling.withheld import Moment, Refusal

ENOUGH = gettext_noop("That was a lot for one day. Take a pause, or go on with other lists.")
TOMORROW = gettext_noop("Pages of this list can be given to you again from 00:00 UTC.")
ELSEWHERE = gettext_noop("You hold a page in {name}. Answer it or give it back first: with it, your day may be full.")
MILD = float(Severity.MILD)  # after many serious pages: at most what a page costs that is mild for certain


@dataclass(frozen=True, slots=True)
class Allowance:
    """What care allows: pages expected to cost at most `left` (None: any), or none at all, and why."""

    left: float | None = None
    refusal: Refusal | None = None


NOTHING_SET = Allowance()


def allowance(project: Project, user: User, moment: Moment) -> Allowance:
    """What this person may be given in this project now. Two rules that are not set cost no query."""
    if not (project.severe_in_a_row or project.exposure_per_day):
        return NOTHING_SET
    # Before what was spent: a page that is answered between the two looks is counted twice, and never not at all.
    held, where = _held_elsewhere(project, user)
    left = MILD if project.severe_in_a_row and is_mild_next(project, user, moment, held=held) else None
    if project.exposure_per_day is None:
        return Allowance(left)
    budget, spent, worst = project.exposure_per_day, exposure.spent(user, moment), sum(held)
    if spent >= budget:
        return Allowance(0.0, Refusal(f"{_(ENOUGH)} {_(TOMORROW)}", until=exposure.day_of(moment)[1]))
    if worst and spent + worst >= budget:
        return Allowance(0.0, Refusal(_(ELSEWHERE).format(name=where)))
    rest = float(budget - spent - worst)
    return Allowance(rest if left is None else min(rest, left))


def is_mild_next(project: Project, user: User, moment: Moment, *, held: Collection[int] = ()) -> bool:
    """Whether this person's last answers of the day were all serious or grave, as many as the project allows in a row.

    An answer that was not ends the row, and so does the night. `held`: the most that pages can cost which they hold in
    other projects; one that can be serious is reckoned as the next of the row, for it may be answered first.
    """
    n = (project.severe_in_a_row or 0) - sum(points >= Severity.SERIOUS for points in held)
    if n <= 0:
        return True
    last = exposure.on_day_of(user, moment).order_by("-submitted_at", "-pk").values_list("exposure", flat=True)[:n]
    return len(last) == n and all(points >= Severity.SERIOUS for points in last)


def _held_elsewhere(project: Project, user: User) -> tuple[list[int], str]:
    """The most that each page can cost which this person holds in other projects, and the name of one such project."""
    held = Assignment.objects.filter(annotator=user, state=State.LEASED, project__archived_at=None)
    worst, where = [], ""
    for name, schema_id in held.exclude(project=project).values_list("project__name", "schema"):
        labels = schemas.by_id(schema_id).asked if schema_id else ()
        most = max((label.severity or 0 for label in labels), default=0)
        worst.append(most)
        where = name if most else where
    return worst, where
