"""A list of texts in one field, one a line."""

from collections.abc import Sequence
from typing import Any

from django import forms

LONGEST = 20_000  # characters, of all lines together


class LinesField(forms.CharField):
    """A tuple of lines without blank ones; it may be empty. `at_most`, `longest`: lines, and characters of each."""

    def __init__(self, *, rows: int = 2, at_most: int = LONGEST, longest: int = LONGEST, **kwargs: Any) -> None:
        self.at_most, self.longest = at_most, longest
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return tuple(line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip())

    def has_changed(self, initial: Sequence[str] | None, data: Any) -> bool:
        return tuple(initial or ()) != self.to_python(data)

    def validate(self, value: tuple[str, ...]) -> None:
        if len(value) > self.at_most or any(len(line) > self.longest for line in value):
            raise forms.ValidationError(f"Up to {self.at_most} lines of up to {self.longest} characters each.")
        if sum(map(len, value)) > LONGEST:
            raise forms.ValidationError(f"Up to {LONGEST:,} characters in all.")

    def run_validators(self, value: Any) -> None:
        """Those of a text do not fit a list."""
