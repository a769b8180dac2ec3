"""Why a page waits for a decision, as a sentence."""

from labeling import consensus, schemas
from labeling.adjudication import Case
from labeling.models import Label
from labeling.models.projects import Severity


def reason(case: Case, schema: schemas.Schema) -> str:
    """Why this page waits, as a sentence: "2 of 3 say Violence (grave), and 4 more labels are in conflict."."""
    if case.is_unseen:
        return "Drawn by chance, to check pages on which all agree."
    if case.is_tied:
        return f"{case.n_not_assessable} of {case.n_judgments} could not judge this page."
    known = {label.key: label for label in schema.labels}
    severity = {key: label.severity or 1 for key, label in known.items()}
    worst = max(case.conflict, key=lambda key: (consensus.error_of(case.labels[key]) * severity.get(key, 1), key))
    said = _said(case, worst, _named(known.get(worst), worst))
    others = len(case.conflict) - 1
    if not others:
        return f"{said}."
    return f"{said}, and {others} more label{'s are' if others > 1 else ' is'} in conflict."


def _named(label: Label | None, key: str) -> str:
    """The label's name, with how grave it is where that counts."""
    if label is None:
        return key
    if label.severity is None or label.severity < Severity.SERIOUS:
        return label.name
    return f"{label.name} ({Severity(label.severity).label.lower()})"


def _said(case: Case, key: str, name: str) -> str:
    votes = case.labels[key]
    people = votes["yes"] + votes["no"] + votes["unsure"]
    everyone = "The one who answered says" if people == 1 else f"All {people} say"
    if _was_decided(case, key):
        return f"People who answered since do not bear out the decision on {name}"
    if votes["yes"] == people:
        return f"{everyone} {name}, and a person confirms that where it is rare or doubtful"
    if votes["no"] == people:
        return f"{everyone} no to {name}, and are likely to be wrong there"
    if not votes["unsure"] or votes["yes"]:
        return f"{votes['yes']} of {people} say {name}"
    return f"{votes['unsure']} of {people} are unsure of {name}"


def _was_decided(case: Case, key: str) -> bool:
    """Whether a label is in dispute again, although a decision on it is in force."""
    is_open = case.labels[key]["state"] == consensus.DISPUTED
    return is_open and case.in_force is not None and key in case.in_force.verdicts
