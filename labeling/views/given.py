"""The answers an adjudicator weighs, one a row, without a name: how long each took, how sure it was, what it notes."""

from collections.abc import Iterable
from typing import Any

from labeling.adjudication import Case
from labeling.models import Judgment
from labeling.phrases import duration


def rows(answers: Iterable[Judgment], case: Case) -> list[dict[str, Any]]:
    """In the order of the columns of votes."""
    return [
        {
            "id": answer.pk,
            "number": number,
            "yes": [key for key in case.conflict if answer.verdicts.get(key) == "yes"],
            "is_not_assessable": answer.outcome == Judgment.Outcome.NOT_ASSESSABLE,
            "took": "" if answer.active_seconds is None else duration(answer.active_seconds),
            "confidence": answer.confidence,
            "note": answer.note,
        }
        for number, answer in enumerate(answers, 1)
    ]
