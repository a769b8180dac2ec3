"""How each person does: known answers, agreement with themselves, whether they are paused. Never a rank.

Managers see everybody as things stand. A person sees their own, and of that only what is closed: a figure that moved
with the page just answered would tell that it was one of these.
"""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from labeling import closing, honeypots, known_answers, repeats
from labeling.known_answers import Answered
from labeling.members import MAY_ANSWER
from labeling.models import Desk, Honeypot, Membership, Project, Purpose, Rater, User
from labeling.quality.intervals import Estimate
from labeling.quality.known_answers import score
from labeling.repeats import Consistency


@dataclass(frozen=True, slots=True)
class PersonQuality:
    """One person. `known`: of pages answered since they were last let go on, which is what a pause looks at."""

    user: User
    desk: Desk | None
    first_pages: Estimate
    known: Estimate
    consistency: Consistency | None

    @property
    def is_paused(self) -> bool:
        return self.desk is not None and self.desk.paused_at is not None


def of_everyone(project: Project) -> list[PersonQuality]:
    """Everybody who may answer here or has, by name; the paused first, for they wait for somebody."""
    desks = {desk.user_id: desk for desk in Desk.objects.filter(project=project)}
    since = {user_id: desk.reinstated_at for user_id, desk in desks.items()}
    first = _by_person(known_answers.of_everyone(project, Purpose.ONBOARDING, since={}))
    known = _by_person(known_answers.of_everyone(project, Purpose.HONEYPOT, since=since))
    again = repeats.consistency(project)
    raters = dict(Rater.objects.filter(project=project, user__isnull=False).values_list("user", "pk"))
    rows = [
        PersonQuality(
            user, desks.get(user.pk), _score(first.get(user.pk, [])), _score(known.get(user.pk, [])),
            again.get(raters.get(user.pk, 0)),
        )
        for user in people(project)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (not row.is_paused, row.user.username))


def people(project: Project) -> QuerySet[User]:
    """Everybody who may answer here or has."""
    answering = Membership.objects.filter(project=project, role__in=MAY_ANSWER).values("user")
    seated = Desk.objects.filter(project=project).values("user")
    return User.objects.filter(Q(pk__in=answering) | Q(pk__in=seated)).order_by("username")


def _by_person(answers: list[Answered]) -> dict[int, list[Answered]]:
    found: dict[int, list[Answered]] = {}
    for one in answers:
        if one.user_id is not None:
            found.setdefault(one.user_id, []).append(one)
    return found


def _score(answers: list[Answered]) -> Estimate:
    return score(known_answers.scores(answers))


# ---- one's own ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Own:
    """What a person may know about themself: of answers that can be changed no more."""

    known: Estimate
    examples: list[tuple[Answered, Honeypot]]  # pages on which something was missed, the newest first
    consistency: Consistency | None

    @property
    def is_empty(self) -> bool:
        return self.known.value is None and self.consistency is None


def shown_to(project: Project, person: User, *, most: int = 20) -> Own:
    """This person's own figures and examples, as they are being shown to them: from now on they know these answers."""
    answers = known_answers.told(project, person)
    missed = [one for one in answers if one.missed][:most]
    honeypots.tell([one.item_id for one in missed], person=person)
    pages = {
        row.item_id: row
        for row in Honeypot.objects.filter(item__in=[one.item_id for one in missed]).select_related("item")
    }
    again = repeats.of_project(project).filter(~closing.may_change(), rater__user=person)
    mine = repeats.consistency(project, again)
    return Own(_score(answers), [(one, pages[one.item_id]) for one in missed], next(iter(mine.values()), None))
