"""What a draft of labels changes, in words."""

from collections.abc import Iterable, Mapping

from labeling.models.projects import Severity
from labeling.schema_drafts import MEANING, Draft, LabelDraft


def differences(before: Draft, after: Draft) -> list[str]:
    """What publishing `after` (completed) would change, one sentence each."""
    earlier = {label.key: label for label in before.labels}
    names = {label.key: label.name for label in after.labels}
    out = [sentence for label in after.labels for sentence in _label_changes(earlier.get(label.key), label, names)]
    asked_before = {label.key for label in before.in_use}
    kept = [label.key for label in after.in_use if label.key in asked_before]
    if kept != [label.key for label in before.in_use if label.key in set(kept)]:
        out.append("The order of the labels changes.")
    if before.guideline != after.guideline:
        out.append("The guideline has another text.")
    if before.exclusive_groups != after.exclusive_groups:
        out.append("Other labels exclude each other.")
    return out


def _label_changes(before: LabelDraft | None, after: LabelDraft, names: Mapping[str, str]) -> Iterable[str]:
    if before is None:
        where = f"under “{names.get(after.parent, after.parent)}”, " if after.parent else ""
        yield f"“{after.name}” is added, {where}on the letter {after.shortcut or 'none'}."
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
    if after.parent != before.parent and not after.retired:
        above = f"“{names.get(after.parent, after.parent)}”: from now on yes to it is yes to that as well"
        yield f"“{after.name}” goes under {above}." if after.parent else f"“{after.name}” is under no label any more."
    if after.severity != before.severity:
        yield f"“{after.name}” is {_grave(after.severity)} now, and was {_grave(before.severity)}."


def _grave(severity: int | None) -> str:
    return Severity(severity).label.lower() if severity else "without a severity"
