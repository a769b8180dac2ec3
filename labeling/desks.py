"""What a person may be given in a project now: the rules of the project, their quota, their care, their quality.

Each rule lives in a module of its own and is asked here, in the order in which a person should hear of it. The queue
asks once for every page it gives out, so a rule that is not set must cost nothing.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Exists, F, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from labeling import care, pauses, quotas
from labeling.models import Assignment, Desk, Judgment, Membership, Project, Rater, Role, User
from labeling.statements import Place, Select
from labeling.withheld import Moment, Refusal, Rule


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be given. Everything free, when nothing is set."""

    desk: Desk
    epoch: int = 0  # of the queue, when this was read
    turn: int = 0  # another after each answer
    has_put_by: bool = False  # slots are put by for this person, whether or not their time has come
    refusal: Refusal | None = None
    exposure_left: float | None = None  # only pages expected to cost at most this; None: no limit
    opted_out: tuple[str, ...] = ()  # labels whose probable pages are left to others
    takes_reserved: bool = False  # pages kept for adjudicators
    hangs_on_answers: bool = False  # what this person answers at this moment may change what they may be given

    @property
    def is_plain(self) -> bool:
        """Nothing narrows the queue for this person."""
        return self.exposure_left is None and not self.opted_out


RULES: tuple[Rule, ...] = (pauses.rule, quotas.rule)
# Settings by which an answer decides whether there is a next page.
BY_ANSWERS = (*quotas.NAMES, "exposure_per_day", "severe_in_a_row", "pause_below", "fast_seconds", "onboarding_pages")


def _seat() -> QuerySet[Desk]:
    """The desk, and beside it what the queue wants to know of the person before it looks."""
    user, project = Place("user", BigIntegerField()), Place("project", BigIntegerField())
    put_by = Assignment.objects.filter(assigned_to=user, project=project, available_at__isnull=False)
    roles = Membership.objects.filter(user=user, project=project)
    adjudicates = roles.filter(role=Role.ADJUDICATOR)
    has_quota = roles.filter(quotas.IS_SET, role__in=quotas.MAY_ANSWER)
    rater = Rater.objects.filter(user=user, project=project).values("pk")
    latest = Judgment.objects.filter(rater=Subquery(rater)).order_by("-submitted_at")  # read off the end of an index
    return Desk.objects.filter(user=user, project=project).annotate(
        epoch=F("project__queue_epoch"), has_put_by=Exists(put_by), adjudicates=Exists(adjudicates),
        has_quota=Exists(has_quota), turn=Coalesce(Subquery(latest.values("pk")[:1]), 0),
    )  # fmt: skip


_SEAT = Select(_seat)


def of(project: Project, user: User) -> Desk:
    """The desk of this person here, made at first need."""
    desk: Desk = _read(project, user)
    return desk


def _read(project: Project, user: User) -> Any:
    seat = _SEAT.first(project=project.pk, user=user.pk)
    if seat is None:
        Desk.objects.get_or_create(project=project, user=user)
        seat = _SEAT.first(project=project.pk, user=user.pk)
    return seat


def terms(project: Project, user: User, *, now: Moment | None = None) -> Terms:
    """What this person may be given here now."""
    moment = now or Now()
    desk = _read(project, user)
    refusal = next((found for rule in RULES if (found := rule(project, desk, moment))), None)
    allowed = care.NOTHING_SET if refusal else care.allowance(project, user, moment)
    return Terms(
        desk, epoch=desk.epoch, turn=desk.turn, has_put_by=desk.has_put_by, refusal=refusal or allowed.refusal,
        exposure_left=allowed.left, opted_out=tuple(desk.opted_out), takes_reserved=desk.adjudicates,
        hangs_on_answers=desk.has_quota or any(getattr(project, name) for name in BY_ANSWERS),
    )  # fmt: skip


# ---- two tabs at once -----------------------------------------------------------------------------------------------
def alone(user: User) -> None:
    """Nobody else takes pages for this person, in any project, until the caller's transaction ends."""
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user.pk)


def now_other(before: Terms, project: Project, user: User, *, now: Moment | None) -> Terms | None:
    """The terms as they are after a page was taken under `before`, if they would not have allowed it.

    Between the reading of the terms and the taking, another tab may answer the page that was held: the last of a quota,
    or a grave one. Asked under `alone`, so that pages taken in other projects are seen.
    """
    if not before.hangs_on_answers:
        return None
    again = terms(project, user, now=now)
    same = (before.refusal, before.exposure_left) == (again.refusal, again.exposure_left)
    return None if same else again
