"""The judgment form: three radios a label, None, a note. It only reads; judging.py decides what is complete."""

from collections.abc import Iterable
from typing import Any

from labeling.judging import Answer

LONGEST_SECONDS = 24 * 3600


class AnswerForm:
    """Reads `label.<key>` = yes | unsure | no, `none`, `note`, `active_seconds` of a posted form."""

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


def seconds_of(value: str | None) -> float | None:
    """A duration the page measured: a number from 0 to a day, else unknown."""
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_SECONDS else None
