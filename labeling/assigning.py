"""Which pages come to whom and when, by a manager's hand: given to one person, moved up or down, kept for adjudicators.

Only what nobody has taken yet is moved: who holds a page keeps it. Checks and repeats are put by for a person too, but
by the queue itself, and none of this touches them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from labeling import slots
from labeling.models import Assignment, Event, Item, Membership, Project, Purpose, Role, Skip, State, User
from labeling.models.items import ItemState
from labeling.models.resolution import OpenedCase
from labeling.models.work import ASIDE, COUNTED, HELD
from labeling.quotas import MAY_ANSWER
from labeling.refusals import Unacceptable

CHUNK = 2_000
LOWEST_PRIORITY, HIGHEST_PRIORITY = -100, 100


@dataclass(frozen=True, slots=True)
class Given:
    pages: int
    others: int  # pages that were meant but have no slot this person could be given


# ---- to one person --------------------------------------------------------------------------------------------------
@transaction.atomic
def give(items: QuerySet[Item], *, project: Project, to: str, by: User) -> Given:
    """Put one free slot of each of these pages by for a person: they are given it before anything else."""
    person = _one_who_answers(project, to)
    wanted = items.filter(project=project, state=ItemState.ACTIVE)
    total = wanted.count()
    n_given = 0
    for chunk in _chunks(_one_each(wanted, project, person)):
        n_given += Assignment.objects.filter(pk__in=chunk, state=State.OPEN, assigned_to=None).update(
            assigned_to=person
        )
    _moved(project, by, "queue.given", about=person, pages=n_given)
    return Given(n_given, total - n_given)


def who_may_answer(project: Project) -> list[str]:
    """Names of the people pages can be given to."""
    return list(_answering(project).order_by("username").values_list("username", flat=True))


def _answering(project: Project) -> QuerySet[User]:
    roles = Membership.objects.filter(project=project, user=OuterRef("pk"), role__in=MAY_ANSWER)
    return User.objects.filter(Exists(roles), is_active=True)


def _one_who_answers(project: Project, username: str) -> User:
    person = _answering(project).filter(username=username).first()
    if person is None:
        sentence = f"Nobody who answers pages here is called “{username}”."
        raise Unacceptable(sentence, [{"pointer": "/to", "detail": sentence}])
    return person


def _one_each(items: QuerySet[Item], project: Project, person: User) -> QuerySet[Assignment]:
    """The first free slot of each page that this person neither knows nor is given already."""
    free = _movable(project).filter(assigned_to=None)
    if not Membership.objects.filter(project=project, user=person, role=Role.ADJUDICATOR).exists():
        free = free.exclude(purpose=Purpose.RESERVED)
    same_round = Assignment.objects.filter(item=OuterRef("item"), round=OuterRef("round"))
    first = free.filter(item=OuterRef("item")).order_by("-round", "slot").values("pk")[:1]
    return free.filter(
        ~Exists(same_round.filter(annotator=person, state__in=HELD)),
        ~Exists(same_round.filter(assigned_to=person, state=State.OPEN)),
        ~Exists(Skip.objects.filter(item=OuterRef("item"), round=OuterRef("round"), annotator=person)),
        ~Exists(OpenedCase.objects.filter(item=OuterRef("item"), person=person)),
        item__in=items.values("pk"),
        pk=Subquery(first),
    )


@transaction.atomic
def take_back(items: QuerySet[Item], *, project: Project, by: User) -> int:
    """Make these pages anyone's again, whomever they were put by for. Returns how many slots."""
    put_by = _movable(project).filter(item__in=items.values("pk"), assigned_to__isnull=False)
    n_freed = sum(
        Assignment.objects.filter(pk__in=chunk, state=State.OPEN).update(assigned_to=None) for chunk in _chunks(put_by)
    )
    _moved(project, by, "queue.taken_back", slots=n_freed)
    return n_freed


@transaction.atomic
def leave_nothing_with(person: User, *, project: Project | None = None) -> None:
    """Of a person who left or was deactivated: work is anyone's again, checks and repeats meant for them go."""
    put_by = Assignment.objects.filter(assigned_to=person, state=State.OPEN)
    if project is not None:
        put_by = put_by.filter(project=project)
    touched = list(put_by.order_by("project").values_list("project", flat=True).distinct())
    put_by.exclude(purpose__in=COUNTED).update(state=State.WITHDRAWN, available_at=None, is_surplus=True)
    put_by.filter(purpose__in=COUNTED).update(assigned_to=None)
    for one in Project.objects.filter(pk__in=touched):
        slots.reordered(one)


def leave_nothing_reserved(person: User, *, project: Project) -> None:
    """Of somebody who is no adjudicator any more."""
    put_by = Assignment.objects.filter(project=project, assigned_to=person, state=State.OPEN)
    put_by.filter(purpose=Purpose.RESERVED).update(assigned_to=None)


# ---- sooner or later, and for whom ----------------------------------------------------------------------------------
@transaction.atomic
def set_priority(items: QuerySet[Item], *, project: Project, priority: int, by: User) -> int:
    """What is higher comes first; 0 is what everything starts with. Returns how many pages moved."""
    if not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        sentence = f"A priority is a whole number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}."
        raise Unacceptable(sentence, [{"pointer": "/priority", "detail": sentence}])
    waiting = _movable(project, also_aside=True).filter(item__in=items.values("pk")).exclude(priority=priority)
    pages = _change(waiting, priority=priority)
    _moved(project, by, "queue.priority_set", pages=pages, priority=priority)
    return pages


@transaction.atomic
def reserve(items: QuerySet[Item], *, project: Project, by: User) -> int:
    """Keep what is still free of these pages for adjudicators. Their answers count like any other."""
    free = _movable(project, also_aside=True).filter(item__in=items.values("pk"), purpose=Purpose.WORK)
    pages = _change(free, purpose=Purpose.RESERVED, assigned_to=None)
    _moved(project, by, "queue.reserved", pages=pages)
    return pages


@transaction.atomic
def unreserve(items: QuerySet[Item], *, project: Project, by: User) -> int:
    """Let everyone who answers have them again."""
    kept = _movable(project, also_aside=True).filter(item__in=items.values("pk"), purpose=Purpose.RESERVED)
    pages = _change(kept, purpose=Purpose.WORK)
    _moved(project, by, "queue.unreserved", pages=pages)
    return pages


# ---- slots ----------------------------------------------------------------------------------------------------------
def _movable(project: Project, *, also_aside: bool = False) -> QuerySet[Assignment]:
    """Slots whose answers count and that nobody has taken."""
    free = Assignment.objects.filter(project=project, state=State.OPEN, purpose__in=COUNTED)
    return free if also_aside else free.exclude(available_at=ASIDE)


def _chunks(found: QuerySet[Assignment]) -> Iterator[list[int]]:
    pks = list(found.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), CHUNK):
        yield pks[start : start + CHUNK]


def _change(found: QuerySet[Assignment], **values: object) -> int:
    """How many pages these slots are of. One that is taken at this moment stays as it is, for whoever has it now."""
    rows = list(found.order_by("pk").values_list("pk", "item"))
    for start in range(0, len(rows), CHUNK):
        part = [pk for pk, _ in rows[start : start + CHUNK]]
        Assignment.objects.filter(pk__in=part, state=State.OPEN).update(**values)
    return len({item for _, item in rows})


def _moved(project: Project, by: User, kind: str, *, about: User | None = None, **counts: int) -> None:
    slots.reordered(project)
    Event.record(kind, by=by, project=project, about=about or project, **counts)
