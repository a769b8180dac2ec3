"""How many pages a person may answer here: in a day, in all, and as a share of the project's answers.

The project says it for everyone, a membership for one person; with two memberships the larger number counts. Every page
a person answered is counted, whatever it was for: a count that left some out would tell which pages were checks.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.models import Assignment, Desk, Judgment, Membership, Project, State, User
from labeling.models.people import Role
from labeling.phrases import counted, listed, share
from labeling.withheld import Moment, Refusal

NAMES = ("quota_per_day", "quota_total", "quota_share")
IS_SET = Q(quota_per_day__isnull=False) | Q(quota_total__isnull=False) | Q(quota_share__isnull=False)
MAY_ANSWER = (Role.ANNOTATOR, Role.ADJUDICATOR)


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit."""

    per_day: int | None = None
    total: int | None = None
    share: float | None = None  # of the answers given and still asked for

    @property
    def is_set(self) -> bool:
        return (self.per_day, self.total, self.share) != (None, None, None)


# ---- the limits -----------------------------------------------------------------------------------------------------
def limits_of(project: Project, user_id: int) -> Limits:
    own = Membership.objects.filter(project=project, user=user_id, role__in=MAY_ANSWER)
    return _limits(project, own.filter(IS_SET))


def _limits(project: Project, memberships: Iterable[Membership]) -> Limits:
    rows = list(memberships)

    def limit(name: str) -> float | None:
        own = [value for row in rows if (value := getattr(row, name)) is not None]
        found: float | None = max(own) if own else getattr(project, name)
        return found

    per_day, total = (None if (n := limit(name)) is None else int(n) for name in NAMES[:2])
    return Limits(per_day, total, limit("quota_share"))


def in_words(limits: Limits) -> str:
    """ "at most 40 pages a day and 500 in all" """
    said = [
        f"{counted(limits.per_day, 'page')} a day" if limits.per_day is not None else "",
        f"{limits.total:,} in all" if limits.total is not None else "",
        f"{share(limits.share)} of all answers" if limits.share is not None else "",
    ]
    named = [words for words in said if words]
    return f"at most {listed(named)}" if named else "no limit"


# ---- the rule of the queue ------------------------------------------------------------------------------------------
def rule(project: Project, desk: Desk, moment: Moment) -> Refusal | None:
    """Nothing more for who has reached a limit. It costs no query where neither project nor membership sets one."""
    has_own = getattr(desk, "has_quota", True)  # annotated by `desks`
    if not has_own and all(getattr(project, name) is None for name in NAMES):
        return None
    limits = limits_of(project, desk.user_id) if has_own else _limits(project, ())
    return reached(project, desk.user_id, limits, moment=moment)


def reached(project: Project, user_id: int, limits: Limits, *, moment: Moment, holding: int = 0) -> Refusal | None:
    """Which limit this person has come to, counting `holding` pages as answered already."""
    if limits.per_day is not None and today(project, user_id, moment) + holding >= limits.per_day:
        sentence = ngettext(
            "You have answered %(n)s page today, which is what one person does here in a day. "
            "Thank you; it goes on after midnight UTC.",
            "You have answered %(n)s pages today, which is what one person does here in a day. "
            "Thank you; it goes on after midnight UTC.",
            limits.per_day,
        ) % {"n": f"{limits.per_day:,}"}
        return Refusal(sentence, until=next_midnight(moment))
    if limits.total is None and limits.share is None:
        return None
    mine = in_all(project, user_id) + holding
    if limits.total is not None and mine >= limits.total:
        return Refusal(
            ngettext(
                "You have answered %(n)s page, which is what one person does in this project. "
                "Thank you; nothing more is asked of you here.",
                "You have answered %(n)s pages, which is what one person does in this project. "
                "Thank you; nothing more is asked of you here.",
                limits.total,
            )
            % {"n": f"{limits.total:,}"}
        )
    if limits.share is not None and not _are_more_than(project, mine / limits.share):
        return Refusal(
            _(
                "You have answered as large a part of this project as one person may. Thank you; when more pages are "
                "queued, they appear here by themselves."
            )
        )
    return None


def has_room(project: Project, user: User, *, moment: Moment) -> bool:
    """Whether a late answer still fits, beside the page this person may hold by now.

    Nobody takes a page for them, and no other late answer comes, before the caller's transaction ends.
    """
    limits = limits_of(project, user.pk)
    if not limits.is_set:
        return True
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user.pk)
    holding = Assignment.objects.filter(project=project, annotator=user, state=State.LEASED).count()
    return reached(project, user.pk, limits, moment=moment, holding=holding) is None


# ---- counting -------------------------------------------------------------------------------------------------------
def today(project: Project, user_id: int, moment: Moment) -> int:
    """Pages answered since midnight UTC; a change of an answer is none more."""
    answered = Judgment.objects.filter(rater__project=project, rater__user=user_id, revision=1)
    return answered.filter(submitted_at__gte=midnight(moment)).count()


def in_all(project: Project, user_id: int) -> int:
    """Slots this person closed: one an answer, however often it was changed since."""
    return Assignment.objects.filter(project=project, annotator=user_id, state=State.DONE).count()


def _are_more_than(project: Project, n: float) -> bool:
    """Whether more answers than `n` were given or are asked for. It reads no more rows than that."""
    asked = Assignment.objects.filter(project=project).exclude(state=State.WITHDRAWN).order_by()
    after = math.floor(n)
    return asked[after : after + 1].exists()


def midnight(moment: Moment) -> datetime:
    """When the day began, in UTC. Where no moment is given, this machine's clock is near enough for a day."""
    now = moment if isinstance(moment, datetime) else timezone.now()
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def next_midnight(moment: Moment) -> datetime:
    return midnight(moment) + timedelta(days=1)


# ---- everybody at once ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """How far a person is. What is left is None where there is no limit."""

    user: User
    limits: Limits
    today: int
    total: int
    left_today: int | None
    left: int | None


def standings(project: Project, *, moment: Moment | None = None) -> list[Standing]:
    """Everyone who may answer here, in four queries whatever their number."""
    memberships: dict[int, list[Membership]] = {}
    for row in project.memberships.filter(role__in=MAY_ANSWER).select_related("user").order_by("user__username"):
        memberships.setdefault(row.user_id, []).append(row)
    answered = Judgment.objects.filter(rater__project=project, rater__user__in=list(memberships), revision=1)
    since = midnight(moment or timezone.now())
    days = dict(answered.filter(submitted_at__gte=since).order_by().values_list("rater__user").annotate(n=Count("pk")))
    slots = Assignment.objects.filter(project=project)
    done = slots.filter(state=State.DONE, annotator__in=list(memberships))
    totals = dict(done.order_by().values_list("annotator").annotate(n=Count("pk")))
    n_asked = slots.exclude(state=State.WITHDRAWN).count()
    return [
        _standing(rows[0].user, _limits(project, rows), days.get(user_id, 0), totals.get(user_id, 0), n_asked)
        for user_id, rows in memberships.items()
    ]


def _standing(user: User, limits: Limits, day: int, total: int, n_asked: int) -> Standing:
    left_today = None if limits.per_day is None else max(0, limits.per_day - day)
    of_share = None if limits.share is None else math.ceil(limits.share * n_asked)
    most = [n for n in (limits.total, of_share) if n is not None]
    return Standing(user, limits, day, total, left_today, max(0, min(most) - total) if most else None)
