"""A decision of an adjudicator, and when it is complete: a verdict for every label in conflict, and a cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling import schemas
from labeling.models import Cause
from labeling.refusals import Unacceptable

VERDICTS = ("yes", "no", "unsure")
MAX_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: a verdict for every label in conflict, and why people disagreed."""

    verdicts: Mapping[str, str]
    cause: str
    note: str = ""
    active_seconds: float | None = None
    accepts: bool = False  # the consensus, on every label without a verdict here

    def as_mine(self) -> dict[str, Any]:
        return {"verdicts": dict(self.verdicts), "cause": self.cause or None, "note": self.note}


def require_complete(
    decision: Decision, *, conflict: Sequence[str], schema: schemas.Schema, wants_cause: bool = True
) -> None:
    """Raise Unacceptable, with a sentence per fault, unless exactly the labels in conflict are decided."""
    faults = []
    wanted, given = set(conflict), set(decision.verdicts)
    if missing := wanted - given:
        faults.append({"pointer": "/verdicts", "detail": f"Still to decide: {_named(missing, schema)}."})
    if foreign := sorted(given - wanted):
        faults.append({"pointer": "/verdicts", "detail": f"Not in conflict on this page: {', '.join(foreign)[:200]}."})
    faults += [
        {"pointer": f"/verdicts/{key}", "detail": f"A verdict on {_named({key}, schema)} is yes, no or unsure."}
        for key in sorted(wanted & given)
        if decision.verdicts[key] not in VERDICTS
    ]
    if decision.cause not in Cause.values and (wants_cause or decision.cause):
        faults.append({"pointer": "/cause", "detail": "Say why they disagreed: choose one cause."})
    if len(decision.note) > MAX_NOTE:
        faults.append({"pointer": "/note", "detail": f"A note holds {MAX_NOTE:,} characters."})
    if faults:
        raise Unacceptable(faults[0]["detail"], faults)


def _named(keys: set[str], schema: schemas.Schema) -> str:
    """The labels by the names people know, in the order they see them."""
    known = {label.key: label.name for label in schema.labels}
    return ", ".join([*(name for key, name in known.items() if key in keys), *sorted(keys - known.keys())])
