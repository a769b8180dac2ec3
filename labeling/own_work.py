"""What is a person's own in a project: what waits for them, the answers they may still change, their own figures.

Nothing here is about anyone else, and nothing tells why a page was given: a page put by for a person may be a repeat or
one whose answer is known, so whether some are put by is said, and never which or how many.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce, Now, TruncDate
from django.utils import timezone

from labeling import closing, desks, offers, waiting
from labeling.models import Assignment, ItemState, Judgment, Project, Purpose, Skip, User
from labeling.models.work import COUNTED

STEPS_BACK = 50  # how far one can go back from the page at hand, answer by answer
FIGURE_DAYS = 14
# Asked of the JSON's text, where a verdict, unlike a key, follows a colon.
_SAYS_NONE = Q(outcome=Judgment.Outcome.JUDGED) & ~Q(said__contains=': "yes"') & ~Q(said__contains=': "unsure"')


# ---- what waits -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Waiting:
    held: Assignment | None  # the page this person has open
    is_put_by: bool  # a manager gave them pages by name
    sentence: str  # why there is nothing, where there is nothing


def waiting_for(project: Project, person: User) -> Waiting:
    """What this person is to do next here."""
    moment = Now()
    wish = offers.Wish(project, person, moment, desks.terms(project, person))
    slot = held_by(person, project)
    is_put_by = _put_by(wish).exists()
    if slot is not None or (wish.terms.refusal is None and (is_put_by or _is_offered(wish))):
        return Waiting(slot, is_put_by, "")
    return Waiting(slot, is_put_by, waiting.nothing_left(project, annotator=person))


def held_by(person: User, project: Project) -> Assignment | None:
    """The page this person has open here."""
    held = Assignment.objects.live_lease_of(person, now=Now()).filter(project=project, item__state=ItemState.ACTIVE)
    return held.select_related("item").first()


def _put_by(wish: offers.Wish) -> QuerySet[Assignment]:
    """Pages a manager gave this person by name that are theirs to do. What is about the person is not among them."""
    free = Assignment.objects.open_to(wish.annotator, now=wish.moment).filter(
        project=wish.project, assigned_to=wish.annotator, purpose__in=COUNTED, item__state=ItemState.ACTIVE
    )
    return free if wish.terms.takes_reserved else free.exclude(purpose=Purpose.RESERVED)


def _is_offered(wish: offers.Wish) -> bool:
    for_them = Q(assigned_to=None) | Q(assigned_to=wish.annotator)
    return offers.admissible(wish).filter(for_them).exists()


# ---- answers that may still be changed ------------------------------------------------------------------------------
def revisable(project: Project, person: User) -> QuerySet[Judgment]:
    """This person's answers that may still be changed, newest first."""
    return answers_of(project, person).filter(closing.may_change())


def answers_of(project: Project, person: User) -> QuerySet[Judgment]:
    """This person's answers in force, newest first."""
    own = Judgment.objects.current().filter(rater__user=person, rater__project=project)
    return own.select_related("item", "rater").order_by("-submitted_at", "-id")


@dataclass(frozen=True, slots=True)
class Steps:
    """Where one answer stands among the last ones: the one given before it, and the one given after."""

    place: int
    of: int
    earlier: int | None
    later: int | None


def steps_from(judgment: Judgment, project: Project, person: User) -> Steps | None:
    """None for an answer further back than the last fifty."""
    last = list(revisable(project, person).values_list("pk", flat=True)[:STEPS_BACK])
    if judgment.pk not in last:
        return None
    here = last.index(judgment.pk)
    earlier = last[here + 1] if here + 1 < len(last) else None
    return Steps(place=here + 1, of=len(last), earlier=earlier, later=last[here - 1] if here else None)


# ---- figures --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Day:
    day: date
    answers: int
    active_seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a person did in the last days. There is no rank in it and nobody else."""

    days: tuple[Day, ...]  # newest first; days without an answer are left out
    answers: int
    none: int  # answers that none of the labels holds
    active_seconds: float
    skips: int

    @property
    def none_share(self) -> float | None:
        return self.none / self.answers if self.answers else None


def figures(project: Project, person: User, *, now: datetime | None = None) -> Figures:
    today = (now or timezone.now()).astimezone(UTC).date()
    since = datetime.combine(today - timedelta(days=FIGURE_DAYS - 1), time.min, UTC)
    own = Judgment.objects.filter(rater__user=person, rater__project=project, voided_at=None, submitted_at__gte=since)
    active = Coalesce(Sum("active_seconds"), 0.0, output_field=FloatField())
    found = own.filter(revision=1).annotate(day=TruncDate("submitted_at", tzinfo=UTC)).order_by()
    days = found.values("day").annotate(n=Count("pk"), active=active).order_by("-day")
    in_force = own.filter(superseded_at=None).annotate(said=Cast(F("verdicts"), TextField()))
    counts = in_force.aggregate(n=Count("pk"), none=Count("pk", filter=_SAYS_NONE))
    skips = Skip.objects.filter(item__project=project, annotator=person, created_at__gte=since).count()
    rows = tuple(Day(row["day"], row["n"], row["active"]) for row in days)
    return Figures(rows, counts["n"], counts["none"], _total(row.active_seconds for row in rows), skips)


def _total(seconds: Iterable[float]) -> float:
    return sum(seconds, 0.0)
