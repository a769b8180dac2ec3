"""A new schema version from a draft of labels and guideline: completed, frozen.

Versions are append-only. A key is never renamed or reused; a label left out of the draft is retired, never deleted.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from labeling import expectations, label_checks, label_trees, letters, projects, recounts, slots
from labeling.label_checks import MAX_LABELS
from labeling.models import Event, Label, Project, SchemaVersion, User
from labeling.refusals import Stale
from labeling.schema_drafts import MEANING, Draft, LabelDraft, draft_of

__all__ = ["MAX_LABELS", "Draft", "LabelDraft", "completed", "draft_of", "in_force", "publish", "replace"]


# ---- publishing -----------------------------------------------------------------------------------------------------
@transaction.atomic
def publish(
    project: Project,
    draft: Draft,
    *,
    by: User | None,
    expected: int | None = None,
    expected_settings: int | None = None,
) -> SchemaVersion:
    """Freeze the draft as the next version; the version in force when nothing changed.

    Raises Stale when another version than number `expected` (0: none) is in force, or the settings moved on.
    """
    project = projects.locked(project, expected=expected_settings)
    newest = in_force(project)
    number = newest.number if newest else 0
    if expected is not None and expected != number:
        raise Stale(
            f"Someone published version {number} while you edited version {expected}. Yours was not published.",
            current_version=number,
            your_version=expected,
        )
    before = draft_of(newest)
    draft = completed(draft, before)
    if newest is not None and draft == before:
        return newest
    schema = _freeze(project, draft, number + 1, by)
    if any(label.retired for label in draft.labels):
        slots.ask_no_more(project, in_use=[label.key for label in draft.in_use])
    if _asks_else(before, draft, has_gold=project.draws.exists()):
        recounts.after_publishing(project, by=by)
    expectations.after_publishing(project, by=by)
    return schema


def _asks_else(before: Draft, after: Draft, *, has_gold: bool) -> bool:
    """Whether answers that count now may not any more, or the other way round.

    A new label has no answers yet, which is news for drawn pages alone: those wait for some.
    """
    then, now = _questions(before), _questions(after)
    return then != now if has_gold else not then <= now


def _questions(draft: Draft) -> set[tuple[str, int, bool]]:
    return {(label.key, label.revision, label.retired) for label in draft.labels}


def in_force(project: Project) -> SchemaVersion | None:
    return project.schema_versions.order_by("-number").first()


def _freeze(project: Project, draft: Draft, number: int, by: User | None) -> SchemaVersion:
    schema = SchemaVersion.objects.create(
        project=project,
        number=number,
        guideline=draft.guideline,
        exclusive_groups=[list(group) for group in draft.exclusive_groups],
        published_by=by,
    )
    Label.objects.bulk_create(
        Label(
            schema=schema, key=label.key, revision=label.revision, name=label.name, definition=label.definition,
            examples=list(label.examples), includes=list(label.includes), excludes=list(label.excludes),
            near_misses=list(label.near_misses), shortcut=label.shortcut, parent=label.parent,
            severity=label.severity, retired=label.retired, position=place,
        )
        for place, label in enumerate(draft.labels)
    )  # fmt: skip
    projects.bump(project)
    Event.record("schema.published", by=by, project=project, about=schema, number=number)
    return schema


# ---- completing -----------------------------------------------------------------------------------------------------
def completed(draft: Draft, before: Draft) -> Draft:
    """The draft with every earlier label kept, revisions counted, shortcuts given, and labels under their parents.

    Raises Unacceptable.
    """
    label_checks.check(draft)
    earlier = {label.key: label for label in before.labels}
    named = {label.key for label in draft.labels}
    left_out = [replace(label, retired=True) for label in before.labels if label.key not in named]
    labels = [_with_revision(label, earlier.get(label.key)) for label in (*draft.labels, *left_out)]
    in_use = label_trees.in_order([label for label in labels if not label.retired])
    retired = sorted((replace(label, shortcut="") for label in labels if label.retired), key=lambda label: label.key)
    return replace(draft, labels=(*_with_shortcuts(in_use, earlier), *retired))


def _with_revision(label: LabelDraft, earlier: LabelDraft | None) -> LabelDraft:
    """Equal revisions mean the same question: a changed definition is a new one unless the manager says otherwise."""
    if earlier is None:
        return replace(label, revision=1, meaning_unchanged=False)
    asks_else = any(getattr(label, name) != getattr(earlier, name) for name in MEANING)
    revision = earlier.revision + (asks_else and not label.meaning_unchanged)
    return replace(label, revision=revision, meaning_unchanged=False)


def _with_shortcuts(labels: Sequence[LabelDraft], earlier: dict[str, LabelDraft]) -> list[LabelDraft]:
    chosen = {label.key: label.shortcut for label in labels}
    known = {key: label.shortcut for key, label in earlier.items()}
    shortcuts = letters.given(labels, chosen=chosen, known=known)
    return [replace(label, shortcut=shortcuts.get(label.key, "")) for label in labels]
