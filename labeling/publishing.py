"""A new schema version from a draft of labels and guideline: checked, completed, described in words, frozen.

Versions are append-only. A key is never renamed or reused; a label left out of the draft is retired, never deleted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

from django.core.exceptions import ValidationError
from django.db import transaction

from labeling import projects, recounts
from labeling.models import Event, Label, Project, SchemaVersion, User
from labeling.models.projects import LABEL_KEY, Severity
from labeling.refusals import Stale, Unacceptable

MAX_LABELS = 500
MEANING = ("name", "definition", "includes", "excludes", "near_misses")  # a change here asks another question


@dataclass(frozen=True, slots=True)
class LabelDraft:
    """One label as its manager wants it. `meaning_unchanged` says that re-wording did not change the question."""

    key: str
    name: str
    definition: str = ""
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


def draft_of(schema: SchemaVersion | None) -> Draft:
    """The version in force as a draft, to be edited."""
    if schema is None:
        return Draft()
    labels = tuple(
        LabelDraft(
            key=label.key, name=label.name, definition=label.definition, includes=tuple(label.includes),
            excludes=tuple(label.excludes), near_misses=tuple(label.near_misses), shortcut=label.shortcut,
            parent=label.parent, severity=label.severity, retired=label.retired, revision=label.revision,
        )
        for label in schema.labels.order_by("position", "key")
    )  # fmt: skip
    return Draft(labels, schema.guideline, tuple(tuple(group) for group in schema.exclusive_groups))


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
    if _asks_else(before, draft, has_gold=project.draws.exists()):
        recounts.after_publishing(project, by=by)
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
            includes=list(label.includes), excludes=list(label.excludes), near_misses=list(label.near_misses),
            shortcut=label.shortcut, parent=label.parent, severity=label.severity, retired=label.retired,
            position=place,
        )
        for place, label in enumerate(draft.labels)
    )  # fmt: skip
    projects.bump(project)
    Event.record("schema.published", by=by, project=project, about=schema, number=number)
    return schema


# ---- completing -----------------------------------------------------------------------------------------------------
def completed(draft: Draft, before: Draft) -> Draft:
    """The draft with every earlier label kept, revisions counted and shortcuts given. Raises Unacceptable."""
    _check(draft)
    earlier = {label.key: label for label in before.labels}
    named = {label.key for label in draft.labels}
    left_out = [replace(label, retired=True, shortcut="") for label in before.labels if label.key not in named]
    labels = [_with_revision(label, earlier.get(label.key)) for label in (*draft.labels, *left_out)]
    labels.sort(key=lambda label: (label.retired, label.key if label.retired else ""))  # retired ones last
    return replace(draft, labels=tuple(_with_shortcuts(labels, earlier)))


def _with_revision(label: LabelDraft, earlier: LabelDraft | None) -> LabelDraft:
    """Equal revisions mean the same question: a changed definition is a new one unless the manager says otherwise."""
    if earlier is None:
        return replace(label, revision=1, meaning_unchanged=False)
    asks_else = any(getattr(label, name) != getattr(earlier, name) for name in MEANING)
    revision = earlier.revision + (asks_else and not label.meaning_unchanged)
    shortcut = "" if label.retired else label.shortcut
    return replace(label, revision=revision, shortcut=shortcut, meaning_unchanged=False)


def _with_shortcuts(labels: Sequence[LabelDraft], earlier: dict[str, LabelDraft]) -> list[LabelDraft]:
    """Chosen letters, then those people know, then the first free letter of the name, then any."""
    letters = {label.key: label.shortcut for label in labels if label.shortcut}
    asked = [label for label in labels if not label.retired]
    for candidates in (lambda label: _known_letter(label, earlier), lambda label: label.name.lower() + ascii_lowercase):
        for label in asked:
            if label.key not in letters:
                letter = _first_free(candidates(label), letters.values())
                if letter:
                    letters[label.key] = letter
    return [replace(label, shortcut=letters.get(label.key, "")) for label in labels]


def _first_free(candidates: str, taken: Collection[str]) -> str:
    return next((letter for letter in candidates if letter in ascii_lowercase and letter not in taken), "")


def _known_letter(label: LabelDraft, earlier: dict[str, LabelDraft]) -> str:
    return earlier[label.key].shortcut if label.key in earlier else ""


# ---- checking -------------------------------------------------------------------------------------------------------
def _check(draft: Draft) -> None:
    errors = [
        *(error for place, label in enumerate(draft.labels) for error in _label_errors(place, label)),
        *_key_errors(draft.labels),
        *_shortcut_errors(draft.labels),
        *_parent_errors(draft.labels),
        *_group_errors(draft),
    ]
    if len(draft.labels) > MAX_LABELS:
        errors.append({"pointer": "/labels", "detail": f"A project has at most {MAX_LABELS} labels."})
    if errors:
        raise Unacceptable("The labels cannot be published like this.", errors)


def _label_errors(place: int, label: LabelDraft) -> Iterable[dict[str, str]]:
    try:
        LABEL_KEY(label.key)
    except ValidationError as wrong:
        yield _error(f"labels/{place}/key", wrong.messages[0])
    if not 1 <= len(label.name.strip()) <= 80:
        yield _error(f"labels/{place}/name", f"The label “{label.key}” needs a name of 1 to 80 characters.")
    if label.shortcut and (len(label.shortcut) != 1 or label.shortcut not in ascii_lowercase):
        yield _error(f"labels/{place}/shortcut", f"The letter of “{label.name}” is one small letter from a to z.")
    if label.severity is not None and label.severity not in Severity.values:
        yield _error(f"labels/{place}/severity", "Severity is 1 (mild) to 4 (grave), or not given.")


def _key_errors(labels: Sequence[LabelDraft]) -> Iterable[dict[str, str]]:
    seen: set[str] = set()
    for place, label in enumerate(labels):
        if label.key in seen:
            yield _error(f"labels/{place}/key", f"Two labels have the key “{label.key}”.")
        seen.add(label.key)


def _shortcut_errors(labels: Sequence[LabelDraft]) -> Iterable[dict[str, str]]:
    holder: dict[str, LabelDraft] = {}
    for place, label in enumerate(labels):
        if label.shortcut and not label.retired:
            other = holder.setdefault(label.shortcut, label)
            if other is not label:
                yield _error(
                    f"labels/{place}/shortcut",
                    f"“{other.name}” and “{label.name}” both want the letter {label.shortcut}. Change one, "
                    "or leave it empty to be given a free one.",
                )


def _parent_errors(labels: Sequence[LabelDraft]) -> Iterable[dict[str, str]]:
    parents = {label.key: label.parent for label in labels}
    for place, label in enumerate(labels):
        if label.parent and label.parent not in parents:
            yield _error(f"labels/{place}/parent", f"“{label.name}” is under “{label.parent}”, which is not a label.")
        elif _goes_round(label.key, parents):
            yield _error(f"labels/{place}/parent", f"“{label.name}” would be under itself.")


def _goes_round(key: str, parents: dict[str, str]) -> bool:
    seen: set[str] = set()
    while key and key not in seen:
        seen.add(key)
        key = parents.get(key, "")
    return bool(key)


def _group_errors(draft: Draft) -> Iterable[dict[str, str]]:
    keys = {label.key for label in draft.labels if not label.retired}
    for place, group in enumerate(draft.exclusive_groups):
        unknown = [key for key in group if key not in keys]
        if unknown:
            yield _error(f"exclusive_groups/{place}", f"“{unknown[0]}” is not a label in use.")
        if len(set(group)) < 2 or len(set(group)) != len(group):
            yield _error(f"exclusive_groups/{place}", "A group of labels that exclude each other names two or more.")


def _error(path: str, sentence: str) -> dict[str, str]:
    return {"pointer": f"/{path}", "detail": sentence}


# ---- what a draft changes, in words ---------------------------------------------------------------------------------
def differences(before: Draft, after: Draft) -> list[str]:
    """What publishing `after` (completed) would change, one sentence each."""
    earlier = {label.key: label for label in before.labels}
    out = [sentence for label in after.labels for sentence in _label_changes(earlier.get(label.key), label)]
    kept = [label.key for label in after.labels if label.key in earlier]
    if kept != [label.key for label in before.labels if label.key in set(kept)]:
        out.append("The order of the labels changes.")
    if before.guideline != after.guideline:
        out.append("The guideline has another text.")
    if before.exclusive_groups != after.exclusive_groups:
        out.append("Other labels exclude each other.")
    return out


def _label_changes(before: LabelDraft | None, after: LabelDraft) -> Iterable[str]:
    if before is None:
        yield f"“{after.name}” is added, on the letter {after.shortcut or 'none'}."
        return
    if after.retired != before.retired:
        what = "is retired: nobody is asked it any more, and its answers stay" if after.retired else "is asked again"
        yield f"“{after.name}” {what}."
    changed = [name.replace("_", " ") for name in MEANING if getattr(after, name) != getattr(before, name)]
    if changed:
        same = after.revision == before.revision
        meaning = "its answers so far still count" if same else "it is a new question, so earlier answers do not pool"
        yield f"“{before.name}” has another {' and '.join(changed)}: {meaning}."
    if after.shortcut != before.shortcut and not after.retired:
        yield f"“{after.name}” moves from the letter {before.shortcut or 'none'} to {after.shortcut or 'none'}."
    for name in ("parent", "severity"):
        if getattr(after, name) != getattr(before, name):
            yield f"“{after.name}” has another {name}."
