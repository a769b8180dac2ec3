"""Whether a draft of labels can be asked: keys, names, letters, what stands under what, what excludes what."""

from collections.abc import Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError

from labeling import label_trees, letters
from labeling.models.projects import LABEL_KEY, Severity
from labeling.refusals import Unacceptable
from labeling.schema_drafts import Draft, LabelDraft

MAX_LABELS = 500


def check(draft: Draft) -> None:
    """Raises Unacceptable with a sentence for each fault."""
    errors = [
        *(error for place, label in enumerate(draft.labels) for error in _label_errors(place, label)),
        *_key_errors(draft.labels),
        *_shortcut_errors(draft),
        *_parent_errors(draft),
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
    if label.shortcut and not letters.is_letter(label.shortcut):
        yield _error(f"labels/{place}/shortcut", f"The letter of “{label.name}” is one small letter from a to z.")
    if label.severity is not None and label.severity not in Severity.values:
        yield _error(f"labels/{place}/severity", "Severity is 1 (mild) to 4 (grave), or not given.")


def _key_errors(labels: Sequence[LabelDraft]) -> Iterable[dict[str, str]]:
    seen: set[str] = set()
    for place, label in enumerate(labels):
        if label.key in seen:
            yield _error(f"labels/{place}/key", f"Two labels have the key “{label.key}”.")
        seen.add(label.key)


def _shortcut_errors(draft: Draft) -> Iterable[dict[str, str]]:
    place_of = {label.key: place for place, label in enumerate(draft.labels)}
    for other, label, letter in letters.doubles((label, label.shortcut) for label in draft.in_use):
        yield _error(
            f"labels/{place_of[label.key]}/shortcut",
            f"“{other.name}” and “{label.name}” both want the letter {letter}. Change one, "
            "or leave it empty to be given a free one.",
        )


def _parent_errors(draft: Draft) -> Iterable[dict[str, str]]:
    parents = label_trees.parents_of(draft.labels)
    named = {label.key: label for label in draft.labels}
    for place, label in enumerate(draft.labels):
        sentence = _wrong_parent(label, named, parents)
        if sentence:
            yield _error(f"labels/{place}/parent", sentence)


def _wrong_parent(label: LabelDraft, named: Mapping[str, LabelDraft], parents: Mapping[str, str]) -> str:
    """What is wrong with where a label stands, or nothing. Where retired labels stand asks nobody anything."""
    if not label.parent:
        return ""
    parent = named.get(label.parent)
    if label.key == label.parent or (parent and label_trees.goes_round(label.key, parents)):
        return f"“{label.name}” would be under itself."
    if label.retired:
        return ""
    if parent is None:
        return f"“{label.name}” is under “{label.parent}”, which is not a label."
    if parent.retired:
        return (
            f"“{label.name}” is under “{parent.name}”, which is retired. Retire both, "
            f"or put “{label.name}” under another label or under none."
        )
    if len(list(label_trees.ancestors(label.key, parents))) >= label_trees.MAX_LEVELS:
        return f"“{label.name}” would be on a level below the third; labels go three levels deep at most."
    return ""


def _group_errors(draft: Draft) -> Iterable[dict[str, str]]:
    named = {label.key: label for label in draft.in_use}
    parents = label_trees.parents_of(draft.labels)
    for place, group in enumerate(draft.exclusive_groups):
        unknown = [key for key in group if key not in named]
        if unknown:
            yield _error(f"exclusive_groups/{place}", f"“{unknown[0]}” is not a label in use.")
        if len(set(group)) < 2 or len(set(group)) != len(group):
            yield _error(f"exclusive_groups/{place}", "A group of labels that exclude each other names two or more.")
        for key in group:
            above = next((one for one in label_trees.ancestors(key, parents) if one in group and one != key), None)
            if above and not unknown:
                yield _error(
                    f"exclusive_groups/{place}",
                    f"“{named[key].name}” is under “{named[above].name}”: whoever says yes to it says yes to both, "
                    "so they cannot exclude each other.",
                )


def _error(path: str, sentence: str) -> dict[str, str]:
    return {"pointer": f"/{path}", "detail": sentence}
