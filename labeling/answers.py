"""An answer, and when it is complete: every asked label has a verdict, and silence is not one."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from labeling import schemas
from labeling.refusals import Unacceptable

MAX_NOTE = 5_000
CONFIDENCES = ("", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person ticked. `none` says on purpose that no label holds; silence is not an answer."""

    yes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    none: bool = False
    confidence: str = ""
    note: str = ""
    active_seconds: float | None = None
    draft: dict[str, Any] = field(default_factory=dict, compare=False)

    def as_draft(self) -> dict[str, Any]:
        return {
            "yes": list(self.yes),
            "unsure": list(self.unsure),
            "none": self.none,
            "confidence": self.confidence or None,
            "note": self.note,
        }


def verdicts_of(answer: Answer, *, asked: tuple[str, ...], schema: schemas.Schema) -> dict[str, str]:
    """{label key: "yes" | "no" | "unsure"} for every asked label. Raises Unacceptable with a sentence per fault.

    A label implies those above it: whoever says yes to one says yes to them, and who is unsure of it says no to none.
    """
    faults = _faults(answer, asked, schema)
    if faults:
        raise Unacceptable(faults[0]["detail"], faults)
    return _said(answer, asked, schema)


def clashes(answer: Answer, *, asked: tuple[str, ...], schema: schemas.Schema) -> list[tuple[str, ...]]:
    """The labels of each group of which at most one can hold, where the answer says yes to more."""
    said = _said(answer, asked, schema)
    chosen = (tuple(key for key in group if said.get(key) == "yes") for group in schema.exclusive_groups)
    return [keys for keys in chosen if len(keys) > 1]


def _said(answer: Answer, asked: tuple[str, ...], schema: schemas.Schema) -> dict[str, str]:
    said = {key: "yes" if key in answer.yes else "unsure" if key in answer.unsure else "no" for key in asked}
    for key in answer.unsure:
        said |= {above: "unsure" for above in schema.above(key) if said.get(above) == "no"}
    for key in answer.yes:
        said |= {above: "yes" for above in schema.above(key) if above in said}
    return said


def _faults(answer: Answer, asked: tuple[str, ...], schema: schemas.Schema) -> list[dict[str, str]]:
    faults = []
    for name, keys in (("yes", answer.yes), ("unsure", answer.unsure)):
        unknown = sorted(set(keys) - set(asked))
        if unknown:
            faults.append(
                {
                    "pointer": f"/{name}",
                    "detail": _("Not a label of this page: %(names)s.") % {"names": ", ".join(unknown)[:200]},
                }
            )
    both = sorted(set(answer.yes) & set(answer.unsure))
    if both:
        faults.append(
            {
                "pointer": "/unsure",
                "detail": _("Yes and unsure at once: %(names)s. Choose one.") % {"names": ", ".join(both)},
            }
        )
    if answer.none and (answer.yes or answer.unsure):
        faults.append(
            {"pointer": "/none", "detail": _("None of these was ticked beside a label. Choose one of the two.")}
        )
    if not (answer.none or answer.yes or answer.unsure):
        faults.append({"pointer": "/yes", "detail": _("Choose at least one label, or None of these.")})
    for keys in clashes(answer, asked=asked, schema=schema):
        detail = _("%(names)s exclude each other. Choose one.") % {"names": f" {_('and')} ".join(schema.names(keys))}
        faults.append({"pointer": "/yes", "detail": detail})
    if answer.confidence not in CONFIDENCES:
        faults.append({"pointer": "/confidence", "detail": _("Confidence is low, medium or high.")})
    if len(answer.note) > MAX_NOTE:
        faults.append({"pointer": "/note", "detail": _("A note holds %(n)s characters.") % {"n": f"{MAX_NOTE:,}"}})
    return faults
