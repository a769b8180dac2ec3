"""What is wrong with an answer, placed on the page: the sentence, the control it leads to, the labels it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Error = Mapping[str, str]  # pointer and detail, as the domain says what is wrong
Mark = Mapping[str, str]  # id of the sentence, and the sentence itself where it is to be shown


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the summary on top. `about` names what carries the sentence too: labels by key, fields as "#note"."""

    id: str
    sentence: str
    anchor: str  # the id of the control to go to
    about: tuple[str, ...]

    def __str__(self) -> str:
        return self.sentence


def numbered(placed: Iterable[tuple[str, str, tuple[str, ...]]]) -> list[Fault]:
    """Faults with ids for aria-describedby, from (sentence, anchor, about)."""
    return [Fault(f"wrong-{number}", *fault) for number, fault in enumerate(placed, 1)]


def unplaced(*sentences: str) -> list[Fault]:
    """Faults of the page as a whole: they lead nowhere."""
    return numbered((sentence, "", ()) for sentence in sentences)


def marked(rows: Iterable[dict[str, Any]], faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """The label rows, each with the sentence that describes it."""
    marks = _marks(faults)
    return [row | {"wrong": marks.get(row["key"])} for row in rows]


def wrong_fields(faults: Iterable[Fault]) -> dict[str, Mark]:
    """The sentences of what is not a label, by the field's name."""
    return {name.removeprefix("#"): mark for name, mark in _marks(faults).items() if name.startswith("#")}


def _marks(faults: Iterable[Fault]) -> dict[str, Mark]:
    """Each sentence is shown once, at the first thing it is about; the others point to it."""
    marks: dict[str, Mark] = {}
    for fault in faults:
        for place, name in enumerate(fault.about):
            marks.setdefault(name, {"id": fault.id, "sentence": fault.sentence if place == 0 else ""})
    return marks
