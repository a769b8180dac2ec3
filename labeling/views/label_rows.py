"""The rows of labels a person answers: in their order, under their parents, with what each excludes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from labeling import own_letters, schemas
from labeling.views.material import label_row


def rows_of(
    schema: schemas.Schema, asked: Collection[str], *, said: Mapping[str, str], letters: Mapping[str, str],
    suggested: Sequence[str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """A row for each label of `asked`, with the verdict `said` has for it and the letter this person wants for it.

    A page may ask a label without those above it; their names are then said beside its own. What a model suggests is
    words beside a name: it chooses nothing and moves nothing.
    """
    shown = own_letters.of(schema, letters)
    rows = [_row(schema, label.key, asked, said) for label in schema.labels if label.key in asked]
    return [
        row | {"letter": shown.get(row["key"], ""), "is_suggested": row["key"] in (suggested or ())} for row in rows
    ]


def verdicts_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """What a draft or an answer says, by label; what it does not name is "no"."""
    return dict.fromkeys(answer.get("yes", ()), "yes") | dict.fromkeys(answer.get("unsure", ()), "unsure")


def _row(schema: schemas.Schema, key: str, asked: Collection[str], said: Mapping[str, str]) -> dict[str, Any]:
    above = schema.above(key)
    asked_above = [one for one in above if one in asked]
    groups = [str(number) for number, group in enumerate(schema.exclusive_groups) if key in group]
    return label_row(schema.label(key), value=said.get(key, "no")) | {
        "level": len(asked_above),
        "parent": next(iter(asked_above), ""),
        "under": " › ".join(schema.names(reversed(above))),
        "is_alone": bool(above) and above[0] not in asked,
        "groups": " ".join(groups),
    }
