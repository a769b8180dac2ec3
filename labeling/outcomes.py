"""What adjudicators decided on pages a person answered, for that person alone.

Pages that an evaluation sample asks about, and pages with a known answer, are left out: whoever knows what is right
there could tell others, or meet the page again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from labeling import closing
from labeling.models import Adjudication, Assignment, Honeypot, Item, Judgment, Project, State, User


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decided page: on each label that was decided, what this person said and what holds."""

    item: Item
    decision: Adjudication
    labels: Mapping[str, tuple[str, str]]

    @property
    def differ(self) -> dict[str, tuple[str, str]]:
        return {key: both for key, both in self.labels.items() if both[0] != both[1]}


def of(project: Project, person: User, *, most: int) -> list[Outcome]:
    """The newest decisions of somebody who looked, on pages this person answered and is not asked about again."""
    known = Honeypot.objects.filter(item=OuterRef("item"))
    waiting = Assignment.objects.filter(item=OuterRef("item"), state__in=[State.OPEN, State.LEASED])
    own = Judgment.objects.votes().filter(rater__user=person, rater__project=project)
    told = own.filter(~closing.is_drawn(), ~Exists(known), ~Exists(waiting))
    decided = _decided(project).filter(Exists(told.filter(item=OuterRef("item"))))[:most]
    given = {
        answer.item_id: answer
        for answer in told.filter(item__in=[each.item_id for each in decided]).order_by("round", "pk")
    }
    return [_outcome(decision, given[decision.item_id]) for decision in decided if decision.item_id in given]


def _decided(project: Project) -> QuerySet[Adjudication]:
    looked = Adjudication.objects.in_force().looked_at().filter(item__project=project)
    return looked.select_related("item").order_by("-decided_at", "-pk")


def _outcome(decision: Adjudication, answer: Judgment) -> Outcome:
    looked_at = decision.verdicts.keys() - set(decision.accepted)
    labels = {
        key: (said, decision.verdicts[key]) for key, said in answer.verdicts.items() if key in looked_at
    }  # fmt: skip
    return Outcome(decision.item, decision, labels)
