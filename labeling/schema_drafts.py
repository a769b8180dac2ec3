"""Labels and guideline as their manager wants them, before they are published."""

from dataclasses import dataclass, field

from labeling.models import SchemaVersion

# A change here asks another question.
MEANING = ("name", "definition", "examples", "includes", "excludes", "near_misses")


@dataclass(frozen=True, slots=True)
class LabelDraft:
    """One label as its manager wants it. `meaning_unchanged` says that re-wording did not change the question."""

    key: str
    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()
    shortcut: str = ""
    parent: str = ""
    severity: int | None = None
    retired: bool = False
    meaning_unchanged: bool = False
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Draft:
    labels: tuple[LabelDraft, ...] = ()
    guideline: str = ""
    exclusive_groups: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def in_use(self) -> list[LabelDraft]:
        return [label for label in self.labels if not label.retired]


def draft_of(schema: SchemaVersion | None) -> Draft:
    """The version in force as a draft, to be edited."""
    if schema is None:
        return Draft()
    labels = tuple(
        LabelDraft(
            key=label.key, name=label.name, definition=label.definition, examples=tuple(label.examples),
            includes=tuple(label.includes), excludes=tuple(label.excludes), near_misses=tuple(label.near_misses),
            shortcut=label.shortcut, parent=label.parent, severity=label.severity, retired=label.retired,
            revision=label.revision,
        )
        for label in schema.labels.order_by("position", "key")
    )  # fmt: skip
    return Draft(labels, schema.guideline, tuple(tuple(group) for group in schema.exclusive_groups))
