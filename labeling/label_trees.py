"""Labels under labels: what stands under what, up to three levels deep. A child implies its parents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

MAX_LEVELS = 3


class Branch(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def parent(self) -> str: ...


Kind = TypeVar("Kind", bound=Branch)


def parents_of(labels: Iterable[Branch]) -> dict[str, str]:
    return {label.key: label.parent for label in labels}


def ancestors(key: str, parents: Mapping[str, str]) -> Iterator[str]:
    """The labels above this one, the nearest first. A circle ends where it closes."""
    seen = {key}
    above = parents.get(key, "")
    while above and above not in seen:
        yield above
        seen.add(above)
        above = parents.get(above, "")


def goes_round(key: str, parents: Mapping[str, str]) -> bool:
    """Whether the way up from this label never ends."""
    *_, top = (key, *ancestors(key, parents))
    return bool(parents.get(top, ""))


def in_order(labels: Sequence[Kind]) -> list[Kind]:
    """Each label with those under it right after it; otherwise as they came. No label may be under itself."""
    keys = {label.key for label in labels}
    below: dict[str, list[Kind]] = {}
    for label in labels:
        below.setdefault(label.parent if label.parent in keys else "", []).append(label)

    def walk(parent: str) -> Iterator[Kind]:
        for label in below.get(parent, ()):
            yield label
            yield from walk(label.key)

    return list(walk(""))
