"""How people did on pages whose answer is known: read from the database, scored page by page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from labeling import closing, schemas
from labeling.models import Honeypot, Judgment, Project, Rater, User
from labeling.models.work import KNOWN
from labeling.quality.known_answers import missed, page_score


@dataclass(frozen=True, slots=True)
class Answered:
    """One person's answer to a page with a known answer. `score` is None where nothing of it can be compared."""

    rater_id: int
    user_id: int | None
    judgment_id: int
    item_id: int
    purpose: str
    submitted_at: datetime
    score: float | None
    missed: tuple[str, ...]


def of_person(project: Project, person: User, *purposes: str, since: datetime | None = None) -> list[Answered]:
    """This person's answers to such pages, in the order they gave them."""
    return _read(_answers(project, *purposes).filter(rater__user=person), since={person.pk: since})


def of_everyone(project: Project, *purposes: str, since: Mapping[int, datetime | None]) -> list[Answered]:
    """Everybody's; `since`: user id -> from when on, where not from the start."""
    return _read(_answers(project, *purposes), since=since)


def scores(answers: Iterable[Answered]) -> list[float]:
    return [one.score for one in answers if one.score is not None]


def _answers(project: Project, *purposes: str) -> QuerySet[Judgment]:
    raters = Rater.objects.filter(project=project)
    return Judgment.objects.current().filter(rater__in=raters, purpose__in=purposes or KNOWN)


def _read(answers: QuerySet[Judgment], *, since: Mapping[int, datetime | None]) -> list[Answered]:
    known: dict[int, tuple[Mapping[str, str], schemas.Questions]] = {
        item_id: (verdicts, schemas.Questions(schemas.by_id(schema_id)))
        for item_id, schema_id, verdicts in Honeypot.objects.filter(item__in=answers.values("item")).values_list(
            "item", "schema", "verdicts"
        )
    }
    found = []
    for one in answers.select_related("rater").order_by("submitted_at", "pk"):
        start = since.get(one.rater.user_id) if one.rater.user_id else None
        if one.item_id not in known or (start is not None and one.submitted_at <= start):
            continue
        verdicts, questions = known[one.item_id]
        said = questions.answered_by(one.verdicts, under=one.schema_id)
        whose = (one.rater_id, one.rater.user_id, one.pk, one.item_id, one.purpose, one.submitted_at)
        found.append(Answered(*whose, page_score(verdicts, said), tuple(missed(verdicts, said))))
    return found


# ---- when a person may know -----------------------------------------------------------------------------------------
def told(project: Project, person: User) -> list[Answered]:
    """What this person may be shown, the newest first: answers that are closed, so that showing it gives nothing away.

    Pages an evaluation sample asks about stay out: its answers must come from people who were told nothing.
    """
    closed = _answers(project).filter(~closing.may_change(), ~closing.is_drawn(), rater__user=person)
    return _read(closed, since={})[::-1]
