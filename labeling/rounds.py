"""Many drawn items settled at once: as they stand, and as they stood for a release."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from labeling import ballots, schemas, settling
from labeling.ballots import Asked
from labeling.models import Adjudication, Item, ItemState, Judgment
from labeling.settling import Settled

CHUNK = 500  # items a call is given at once


@dataclass(frozen=True, slots=True)
class Basis:
    """What a released row rests on, by id: the answers that counted and the decision; neither for a withdrawn page."""

    judgments: Sequence[int]
    decision_id: int | None
    is_withdrawn: bool


def settle(
    item_ids: Sequence[int],
    *,
    schema: schemas.Schema,
    rules: Mapping[str, str] | None = None,
    confirmed: Collection[str] = (),
) -> dict[int, Settled]:
    """Each item as it stands. A withdrawn one keeps its row: leaving it out would bias the sample in silence."""
    questions = schemas.Questions(schema)
    votes = ballots.votes(Judgment.objects.votes().filter(item__in=item_ids))
    decisions = ballots.decisions(Adjudication.objects.in_force().filter(item__in=item_ids))
    asked = ballots.asked(item_ids)
    gone = set(Item.objects.filter(pk__in=item_ids, state=ItemState.WITHDRAWN).values_list("pk", flat=True))
    found = {pk: Settled(outcome=settling.WITHDRAWN) for pk in item_ids}
    for pk in (pk for pk in item_ids if pk not in gone):
        waits = asked.get(pk, Asked())
        found[pk] = settling.of_item(
            votes.get(pk, ()), decisions.get(pk), questions=questions, rules=rules, is_asked=waits.by_draw,
            others_asked=waits.otherwise, confirmed=confirmed,
        )  # fmt: skip
    return found


def settle_again(
    bases: Mapping[int, Basis], *, schema: schemas.Schema, rules: Mapping[str, str] | None = None
) -> dict[int, Settled]:
    """Each item from the answers and the decision its row rested on, whatever came of them since."""
    questions = schemas.Questions(schema)
    judgments = [one for basis in bases.values() for one in basis.judgments]
    decided = [basis.decision_id for basis in bases.values() if basis.decision_id]
    votes = ballots.votes(Judgment.objects.filter(pk__in=judgments))
    decisions = ballots.decisions(Adjudication.objects.filter(pk__in=decided))
    return {
        pk: Settled(outcome=settling.WITHDRAWN)
        if basis.is_withdrawn
        else settling.of_item(votes.get(pk, ()), decisions.get(pk), questions=questions, rules=rules)
        for pk, basis in bases.items()
    }
