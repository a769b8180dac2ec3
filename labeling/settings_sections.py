"""Settings as data: page, API and command each build their own field from one description, and one check is asked.

Sections of this app stand in `rules`; other apps append theirs at start, without being imported here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labeling.models import Project
from labeling.refusals import Unacceptable

Values = Mapping[str, Any]
MAX_LINES, LONGEST_LINE = 200, 80
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `kind` is int, float, bool, str, or list for lines of text.

    An optional one may be not set: None, or an empty text. `low` and `high` bound a number; `high` also a text.
    """

    name: str
    label: str
    help: str
    kind: type
    low: float | None = None
    high: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False

    @property
    def whole_limits(self) -> tuple[int | None, int | None]:
        """Low and high of a setting whose kind is int."""
        low, high = (None if limit is None else int(limit) for limit in (self.low, self.high))
        return low, high

    @property
    def longest(self) -> int:
        """How many characters a text may have."""
        return LONGEST_TEXT if self.high is None else int(self.high)

    def checked(self, value: Any) -> Any:
        """The value as it is kept. Raises Unacceptable naming this setting when it is none that can be."""
        if value is None and self.optional:
            return "" if self.kind is str else None
        if self.kind is list:
            value = _lines(value)
        if self._fits(value):
            return value
        sentence = f"{self.label}: {self._wanted()}."
        raise Unacceptable(sentence, [{"pointer": f"/{self.name}", "detail": sentence}])

    def _fits(self, value: Any) -> bool:
        if self.choices:
            return value in dict(self.choices)
        if self.kind in {int, float}:
            is_number = isinstance(value, int | self.kind) and not isinstance(value, bool)
            return is_number and (self.low is None or self.low <= value) and (self.high is None or value <= self.high)
        if self.kind is list:
            return value is not None and len(value) <= MAX_LINES and all(len(line) <= LONGEST_LINE for line in value)
        if self.kind is str:
            return isinstance(value, str) and len(value) <= self.longest and bool(value or self.optional)
        return isinstance(value, self.kind)

    def _wanted(self) -> str:
        if self.choices:
            return f"choose one of {', '.join(name for name, _ in self.choices)}"
        if self.kind in {int, float}:
            number = f"a {'whole ' if self.kind is int else ''}number from {self.low:,} to {self.high:,}"
            return f"{number}, or nothing" if self.optional else number
        if self.kind is list:
            return f"up to {MAX_LINES} lines of up to {LONGEST_LINE} characters"
        return "yes or no" if self.kind is bool else f"a text of up to {self.longest:,} characters"


def _lines(value: Any) -> list[str] | None:
    """Lines with something on them, each once, in their order; None when it is no list of texts."""
    if not isinstance(value, list | tuple) or not all(isinstance(line, str) for line in value):
        return None
    lines = (" ".join(line.split()) for line in value)
    return list({line.casefold(): line for line in reversed([*lines]) if line}.values())[::-1]


@dataclass(frozen=True, slots=True)
class SettingsSection:
    title: str
    settings: tuple[Setting, ...]
    read: Callable[[Project], dict[str, Any]]
    write: Callable[[Project, Values], None]

    def names(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings)

    def checked(self, values: Values) -> dict[str, Any]:
        """Those of this section. Raises Unacceptable naming the first value that cannot be."""
        named = (setting for setting in self.settings if setting.name in values)
        return {setting.name: setting.checked(values[setting.name]) for setting in named}
