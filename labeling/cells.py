"""The cells of an imported row as text, moment and metadata; what cannot be taken is a BadCell that says why."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

MAX_TITLE = 2_000
MAX_EXTERNAL_ID = 255
MAX_LANGUAGE = 35
MAX_METADATA_VALUE = 2_000
MAX_METADATA = 20_000

Metadata = dict[str, str]


class BadCell(ValueError):
    """One cell cannot be taken; the text says why, in a sentence."""


def text_of(values: Mapping[str, Any], name: str, longest: int | None) -> str:
    """A cell as text, empty when it is missing. Raises BadCell with a sentence."""
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and name == "external_id":
        value = str(value)
    if not isinstance(value, str):
        raise BadCell(f"The value of “{name}” must be text.")
    if longest is not None and len(value) > longest:
        raise BadCell(f"The value of “{name}” is longer than {longest:,} characters.")
    return value


def moment_of(values: Mapping[str, Any], name: str) -> datetime | None:
    """A date or a time in ISO 8601; without a zone it is UTC. Raises BadCell with a sentence."""
    value = text_of(values, name, None).strip()
    if not value:
        return None
    try:
        moment = parse_datetime(value[:64])
        day = None if moment else parse_date(value[:64])
        if moment is None and day is not None:
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if moment is not None:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadCell(f"“{value[:40]}” in “{name}” is no date; write 2026-01-31 or 2026-01-31T12:00:00Z.")


def others_of(values: Mapping[str, Any], known: frozenset[str]) -> Metadata:
    """The filled columns that have no meaning of their own, as text. Raises BadCell with a sentence."""
    names = values.keys() - known
    if not names:
        return {}
    others = {name: _plain(values[name]) for name in values if name in names and values[name] not in (None, "")}
    if size_of(others) > MAX_METADATA:
        raise BadCell(f"The other columns hold more than {MAX_METADATA:,} characters together.")
    for name, value in others.items():
        if len(value) > MAX_METADATA_VALUE:
            raise BadCell(f"The value of “{name[:60]}” is longer than {MAX_METADATA_VALUE:,} characters.")
    return others


def size_of(metadata: Metadata) -> int:
    """How many characters it holds, names included."""
    return sum(len(name) + len(value) for name, value in metadata.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadCell("A value is a list or an object; other columns hold text, numbers, true or false.")
