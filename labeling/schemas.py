"""The labels of frozen schema versions, remembered: a published version never changes, so it is read once a process."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import OuterRef, Subquery

from labeling import label_trees
from labeling.models import Label, Project, SchemaVersion


@dataclass(frozen=True, slots=True)
class Schema:
    """One published version with its labels in the order people see them."""

    id: int
    number: int
    guideline: str
    exclusive_groups: tuple[tuple[str, ...], ...]
    labels: tuple[Label, ...]

    @property
    def asked(self) -> tuple[Label, ...]:
        return tuple(label for label in self.labels if not label.retired)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(label.key for label in self.asked)

    def label(self, key: str) -> Label:
        return next(label for label in self.labels if label.key == key)

    def names(self, keys: Iterable[str]) -> list[str]:
        return [self.label(key).name for key in keys]

    def above(self, key: str) -> tuple[str, ...]:
        """The labels this one stands under, the nearest first."""
        return tuple(label_trees.ancestors(key, label_trees.parents_of(self.labels)))


@lru_cache(maxsize=512)
def by_id(schema_id: int) -> Schema:
    return read(schema_id)


def read(schema_id: int) -> Schema:
    """As `by_id`, but remembers nothing: for the transaction that publishes a version and may yet be rolled back."""
    version = SchemaVersion.objects.get(pk=schema_id)
    groups = tuple(tuple(group) for group in version.exclusive_groups)
    labels = tuple(version.labels.order_by("position", "key"))
    return Schema(version.pk, version.number, version.guideline, groups, labels)


class Questions:
    """What one version asks, and which verdicts given under others are answers to it: only equal revisions pool."""

    def __init__(self, now: Schema) -> None:
        self.schema = now
        self._revisions = {label.key: label.revision for label in now.asked}
        self._same: dict[int, frozenset[str]] = {}

    def same_under(self, version: int) -> frozenset[str]:
        """The keys asked now that asked the same under another version."""
        if version not in self._same:
            then = {(label.key, label.revision) for label in by_id(version).labels}
            self._same[version] = frozenset(key for key, revision in self._revisions.items() if (key, revision) in then)
        return self._same[version]

    def answered_by(self, verdicts: Mapping[str, str], *, under: int) -> dict[str, str]:
        """The verdicts that still answer a question of this version."""
        same = self.same_under(under)
        return {key: verdict for key, verdict in verdicts.items() if key in same}


def newest_of(project: str) -> Subquery:
    """The id of the version in force, inside a query about something else; `project` is its path to the project."""
    return Subquery(SchemaVersion.objects.filter(project=OuterRef(project)).order_by("-number").values("pk")[:1])


def numbered(project: Project, number: int) -> Schema:
    """The version of a project with this number."""
    return by_id(SchemaVersion.objects.values_list("pk", flat=True).get(project=project, number=number))


def in_force(project: Project | int) -> Schema:
    """The latest published version of a project, or of its id. Raises SchemaVersion.DoesNotExist without one."""
    return by_id(newest_id(project))


def in_force_if_any(project: Project) -> Schema | None:
    """As `in_force`; None while nothing was ever published."""
    try:
        return in_force(project)
    except SchemaVersion.DoesNotExist:
        return None


def newest_id(project: Project | int) -> int:
    newest = SchemaVersion.objects.filter(project=project).order_by("-number").values_list("pk", flat=True).first()
    if newest is None:
        raise SchemaVersion.DoesNotExist
    return newest
