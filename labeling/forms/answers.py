"""The judgment form: three radios a label, None, a note. It only reads; judging.py decides what is complete."""

from collections.abc import Iterable, Iterator
from typing import Any

from labeling import answers, schemas
from labeling.forms.faults import Error, Fault, numbered
from labeling.judging import Answer

LONGEST_SECONDS = 24 * 3600


class AnswerForm:
    """Reads `label.<key>` = yes | unsure | no, `none`, `confidence`, `note`, `active_seconds` of a posted form."""

    def __init__(self, data: Any, *, keys: Iterable[str]) -> None:
        self.data = data
        self.keys = tuple(keys)

    def answer(self) -> Answer:
        named = {key: self.data.get(f"label.{key}", "no") for key in self.keys}
        return Answer(
            yes=tuple(key for key, verdict in named.items() if verdict == "yes"),
            unsure=tuple(key for key, verdict in named.items() if verdict == "unsure"),
            none=bool(self.data.get("none")),
            confidence=self.data.get("confidence", ""),
            note=self.data.get("note", "").strip(),
            active_seconds=seconds_of(self.data.get("active_seconds")),
        )

    def placed(self, errors: Iterable[Error], *, schema: schemas.Schema) -> list[Fault]:
        """What judging.py found wrong, each with the control of this form it leads to."""
        clashes = iter(answers.clashes(self.answer(), asked=self.keys, schema=schema))  # named in this order
        return numbered((error["detail"], *self._place(error["pointer"], clashes)) for error in errors)

    def _place(self, pointer: str, clashes: Iterator[tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
        """The control a fault leads to, and what it is about."""
        if pointer in {"/none", "/note"}:
            return pointer[1:], (f"#{pointer[1:]}",)
        if pointer == "/confidence":
            return "confidence-low", ("#confidence",)
        clash = next(clashes, ())
        if clash:
            return _yes_of(clash[0]), clash
        # Nothing was chosen: the sentence stands beside None, and the link leads to the first label.
        return _yes_of(self.keys[0]) if self.keys else "none", ("#none",)


def _yes_of(key: str) -> str:
    return f"label-{key}-yes"


def seconds_of(value: str | None) -> float | None:
    """A duration the page measured: a number from 0 to a day, else unknown."""
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_SECONDS else None
