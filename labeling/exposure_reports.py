"""What people's days cost them: a person's own, and a project's for whoever cares for its people.

A manager reads what the project's own pages cost, and whether somebody's day is full, wherever it was spent; what a
person reads elsewhere is not told. Of the labels somebody would rather not judge only the number is told, for which
they are says something about a life. Where the project has few labels the number would say it, so nothing is told;
and it is told up to FEW, so that nobody is known to leave out every label there is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from labeling import exposure, opt_outs
from labeling.models import Desk, Membership, Project, Role, User
from labeling.models.projects import Severity
from labeling.models.work import JudgmentQuerySet

DAYS = 14
FEW = 4  # of the labels somebody leaves out: that many are told as "4 or more"
NO_SEVERITY = 0


@dataclass(slots=True)
class Day:
    """Pages by their severity, 0 to 4."""

    day: date
    pages: dict[int, int] = field(default_factory=lambda: dict.fromkeys((NO_SEVERITY, *Severity.values), 0))

    @property
    def points(self) -> int:
        return sum(severity * n for severity, n in self.pages.items())

    @property
    def answers(self) -> int:
        return sum(self.pages.values())

    @property
    def serious(self) -> int:
        return sum(n for severity, n in self.pages.items() if severity >= Severity.SERIOUS)


@dataclass(frozen=True, slots=True)
class Report:
    """One person's. `days` are those with an answer, newest first; `longest_row` is of serious and grave pages today.

    `opted_out` is at most FEW, and None where the number is not told.
    """

    user: User
    days: list[Day]
    today: Day
    longest_row: int
    is_at_limit: bool
    opted_out: int | None = None

    @property
    def points(self) -> int:
        return sum(day.points for day in self.days)


def own(project: Project, user: User, *, now: datetime | None = None) -> Report:
    """A person's days, in every project: what their budget is counted by."""
    [report] = _reports(project, [user], exposure.counting(), now or timezone.now())
    return report


def people_of(project: Project) -> QuerySet[User]:
    """Everybody who may answer here, by name."""
    roles = (Role.ANNOTATOR, Role.ADJUDICATOR)
    answering = Membership.objects.filter(project=project, role__in=roles).values("user")
    return User.objects.filter(pk__in=answering).order_by("username")


def of_project(project: Project, people: Iterable[User], *, now: datetime | None = None) -> list[Report]:
    """What the pages of this project cost these people. As many queries for hundreds of them as for one."""
    here = exposure.counting().filter(rater__project=project)
    return _reports(project, list(people), here, now or timezone.now(), left_out=_left_out(project))


def _left_out(project: Project) -> dict[int, int] | None:
    """How many labels each person leaves out, FEW at most; None where that number would tell which."""
    asked = {key for key, _ in opt_outs.choices(project)}
    if len(asked) <= FEW:
        return None
    chosen = Desk.objects.filter(project=project).values_list("user", "opted_out")
    return {user: min(len(asked & set(keys)), FEW) for user, keys in chosen}


def _reports(
    project: Project, people: Collection[User], answers: JudgmentQuerySet, moment: datetime, *,
    left_out: dict[int, int] | None = None,
) -> list[Report]:  # fmt: skip
    start, end = exposure.day_of(moment)
    theirs = answers.filter(rater__user__in=[user.pk for user in people], submitted_at__lt=end)
    days = _days(theirs.filter(submitted_at__gte=start - timedelta(days=DAYS - 1)))
    nothing = Day(start.date())
    today = {user.pk: days[user.pk].get(start.date(), nothing) for user in people}
    rows = _longest_rows(theirs.filter(submitted_at__gte=start), today)
    full = _at_limit(project, people, moment)
    return [
        Report(
            user=user, days=sorted(days[user.pk].values(), key=lambda row: row.day, reverse=True),
            today=today[user.pk], longest_row=rows[user.pk], is_at_limit=user.pk in full,
            opted_out=None if left_out is None else left_out.get(user.pk, 0),
        )
        for user in people
    ]  # fmt: skip


def _days(answers: JudgmentQuerySet) -> dict[int, dict[date, Day]]:
    by_day = answers.annotate(day=TruncDate("submitted_at", tzinfo=UTC)).order_by()
    days: dict[int, dict[date, Day]] = defaultdict(dict)
    for user, day, severity, n in by_day.values_list("rater__user", "day", "exposure").annotate(n=Count("pk")):
        days[user].setdefault(day, Day(day)).pages[severity] = n
    return days


def _longest_rows(answers: JudgmentQuerySet, today: dict[int, Day]) -> dict[int, int]:
    """By person. Their answers are read only where they had two serious pages or more."""
    rows = {user: day.serious for user, day in today.items()}
    asked = [user for user, n in rows.items() if n > 1]
    in_order: dict[int, list[int]] = defaultdict(list)
    if asked:
        read = answers.filter(rater__user__in=asked).order_by("submitted_at", "pk")
        for user, points in read.values_list("rater__user", "exposure"):
            in_order[user].append(points)
    return rows | {user: longest_row(costs) for user, costs in in_order.items()}


def longest_row(costs: Iterable[int]) -> int:
    """How many serious or grave pages came one after the other at most."""
    longest = row = 0
    for points in costs:
        row = row + 1 if points >= Severity.SERIOUS else 0
        longest = max(longest, row)
    return longest


def _at_limit(project: Project, people: Collection[User], moment: datetime) -> set[int]:
    """Whose day is full by this project's budget, with what they read in every project."""
    if project.exposure_per_day is None:
        return set()
    start, end = exposure.day_of(moment)
    read = exposure.counting().filter(rater__user__in=[user.pk for user in people])
    spent = read.filter(submitted_at__gte=start, submitted_at__lt=end).order_by().values_list("rater__user")
    points = spent.annotate(points=Sum("exposure"))
    return {user for user, n in points if n >= project.exposure_per_day}
