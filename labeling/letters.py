"""Letters of labels: each label in use has one of its own while there are any, and nobody's hand has to learn anew.

A project's labels get theirs when they are published. A person may want others for themself.
"""

from collections.abc import Collection, Iterable, Mapping
from string import ascii_lowercase
from typing import Protocol


class Lettered(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...


def given(labels: Collection[Lettered], *, chosen: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """{key: letter}: those that were chosen, then those people know, then the first free one of the name, then any.

    Labels that come after the alphabet is used up have none. `chosen` holds no letter twice, or the first has it.
    """
    letters: dict[str, str] = {}
    wishes = (
        lambda label: chosen.get(label.key, ""),
        lambda label: known.get(label.key, ""),
        lambda label: label.name.lower() + ascii_lowercase,
    )
    for wish in wishes:
        for label in labels:
            if label.key not in letters and (letter := _first_free(wish(label), letters.values())):
                letters[label.key] = letter
    return letters


def doubles(wanted: Iterable[tuple[Lettered, str]]) -> list[tuple[Lettered, Lettered, str]]:
    """Labels that want a letter another label before them wants: (the other one, this one, the letter)."""
    holder: dict[str, Lettered] = {}
    found = []
    for label, letter in wanted:
        if letter and (other := holder.setdefault(letter, label)) is not label:
            found.append((other, label, letter))
    return found


def is_letter(text: str) -> bool:
    return len(text) == 1 and text in ascii_lowercase


def _first_free(candidates: str, taken: Collection[str]) -> str:
    return next((letter for letter in candidates if is_letter(letter) and letter not in taken), "")
