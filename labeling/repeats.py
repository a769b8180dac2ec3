"""A person's own pages again, after a week or more: how often somebody agrees with themself.

Only answers that cannot be changed any more are asked again, so that the second answer says what the person thinks
today and not what they have just corrected. Neither answer becomes another vote.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet

from labeling import schemas
from labeling.models import Adjudication, Assignment, GoldItem, Item, Judgment, Project, Purpose, Rater, User
from labeling.models.work import COUNTED
from labeling.quality.intervals import Estimate
from labeling.quality.repeats import SelfConsistency, self_consistency, whole_pages
from labeling.withheld import Moment

LOOKED_AT = 50  # answers looked at for one that can be asked again
CODES = {"yes": 1, "no": 0}
MISSING = -1


def to_repeat(project: Project, person: User, moment: Moment, *, fits: QuerySet[Item]) -> Judgment | None:
    """An answer of this person to ask for again; None where there is none.

    `fits`: items this person may be given, inside a query about what has one. The questions must be those of today, all
    of them: a page that asks for fewer labels than its neighbours would stand out.
    """
    decided = Adjudication.objects.in_force().filter(item=OuterRef("item"))
    released = GoldItem.objects.filter(item=OuterRef("item"))
    before = Assignment.objects.filter(item=OuterRef("item"), assigned_to=person, purpose=Purpose.REPEAT)
    rows = (
        Judgment.objects.current()
        .filter(rater__user=person, rater__project=project, purpose__in=COUNTED, outcome=Judgment.Outcome.JUDGED)
        .filter(submitted_at__lte=moment - timedelta(days=project.repeat_after_days))
        .filter(Exists(decided) | Exists(released), Exists(fits), ~Exists(before))
    )
    questions = schemas.Questions(schemas.in_force(project))
    asked = set(questions.schema.keys)
    for judgment in rows.order_by("?")[:LOOKED_AT]:
        if set(questions.answered_by(judgment.verdicts, under=judgment.schema_id)) == asked:
            return judgment
    return None


# ---- what came of it ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LabelConsistency:
    key: str
    name: str
    found: SelfConsistency


@dataclass(frozen=True, slots=True)
class Consistency:
    """How a person agrees with themself: on whole pages, and per label."""

    pages: Estimate
    labels: list[LabelConsistency]


def consistency(project: Project, again: QuerySet[Judgment] | None = None) -> dict[int, Consistency]:
    """Rater id -> how they agree with themselves; only people who were asked a page twice.

    `again`: of which second answers, where not of all.
    """
    rows = of_project(project) if again is None else again
    second = list(rows.order_by("pk").values_list("rater", "item", "verdicts", "schema_id"))
    if not second:
        return {}
    questions = schemas.Questions(schemas.in_force(project))
    first = first_answers(project, {item for _, item, _, _ in second})
    pairs: dict[int, list[tuple[list[int], list[int]]]] = {}
    for rater, item, verdicts, schema_id in second:
        earlier = first.get((rater, item))
        if earlier is not None:
            pairs.setdefault(rater, []).append((_coded(questions, *earlier), _coded(questions, verdicts, schema_id)))
    return {rater: _of_person(questions.schema, rows) for rater, rows in pairs.items()}


def of_project(project: Project) -> QuerySet[Judgment]:
    """The answers to pages asked a second time."""
    raters = Rater.objects.filter(project=project)
    rows = Judgment.objects.current().filter(rater__in=raters, purpose=Purpose.REPEAT)
    return rows.filter(outcome=Judgment.Outcome.JUDGED)


def first_answers(project: Project, items: set[int]) -> dict[tuple[int, int], tuple[dict[str, str], int]]:
    """What each person said at first about these items; the latest of several rounds of work."""
    counted = Judgment.objects.votes().filter(rater__project=project, item__in=items)
    rows = counted.filter(outcome=Judgment.Outcome.JUDGED).order_by("round", "pk")
    return {
        (rater, item): (verdicts, schema_id)
        for rater, item, verdicts, schema_id in rows.values_list("rater", "item", "verdicts", "schema_id")
    }


def _coded(questions: schemas.Questions, verdicts: dict[str, str], schema_id: int) -> list[int]:
    said = questions.answered_by(verdicts, under=schema_id)
    return [CODES.get(said.get(key, ""), MISSING) for key in questions.schema.keys]


def _of_person(schema: schemas.Schema, rows: list[tuple[list[int], list[int]]]) -> Consistency:
    first, again = (np.array([row[time] for row in rows], dtype=np.int64) for time in (0, 1))
    measured = self_consistency(first, again)
    labels = [LabelConsistency(label.key, label.name, one) for label, one in zip(schema.asked, measured, strict=True)]
    return Consistency(whole_pages(first, again), labels)
