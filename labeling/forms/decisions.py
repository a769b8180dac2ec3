"""The adjudication form: one verdict a label in conflict, a cause, a note. adjudication.py decides what is complete."""

from collections.abc import Iterable
from typing import Any

from labeling.adjudication import Decision
from labeling.forms.answers import seconds_of
from labeling.forms.faults import Error, Fault, numbered
from labeling.models import Cause


class DecisionForm:
    """Reads `label.<key>` = yes | unsure | no, `cause`, `note`, `active_seconds` of a posted form."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def decision(self) -> Decision:
        chosen = {
            name.removeprefix("label."): str(value) for name, value in self.data.items() if name.startswith("label.")
        }
        return Decision(
            verdicts=chosen,
            cause=self.data.get("cause", ""),
            note=self.data.get("note", "").strip(),
            active_seconds=seconds_of(self.data.get("active_seconds")),
        )

    def placed(self, errors: Iterable[Error], *, conflict: Iterable[str]) -> list[Fault]:
        """What adjudication.py found wrong, each with the control it leads to. `conflict`: label keys, as shown."""
        chosen = self.decision().verdicts
        missing = tuple(key for key in conflict if key not in chosen)
        return numbered((error["detail"], *_place(error["pointer"], missing)) for error in errors)


def _place(pointer: str, missing: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    field, _, key = pointer.removeprefix("/").partition("/")
    if field == "verdicts":
        keys = (key,) if key else missing
        return (f"label-{keys[0]}-yes", keys) if keys else ("case", ())
    if field == "cause":
        return f"cause-{Cause.values[0]}", ("#cause",)
    return field, (f"#{field}",)
