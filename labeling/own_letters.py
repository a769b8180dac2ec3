"""The letters of one person in a project: where their hand wants another than the project's."""

from collections.abc import Mapping

from labeling import letters, schemas
from labeling.models import Assignment, Desk, Label, Project, User
from labeling.refusals import Unacceptable


def of(schema: schemas.Schema, wanted: Mapping[str, str] | None) -> dict[str, str]:
    """{key: letter} of every label that has one: this person's, then the project's, then a free one.

    A label published since may want a letter that this person gave to another: theirs stays, and it gets a free one.
    """
    known = {label.key: label.shortcut for label in schema.asked}
    return letters.given(schema.asked, chosen=wanted or {}, known=known)


def wanted_by(person: User, project: Project, *, slot: Assignment | None = None) -> dict[str, str]:
    """What this person wants, of all labels that ever were; a slot just leased says it without another query."""
    if slot is not None and hasattr(slot, "letters"):
        return dict(slot.letters or {})
    found = Desk.objects.filter(project=project, user=person).values_list("letters", flat=True).first()
    return dict(found or {})


def choose(project: Project, *, by: User, wanted: Mapping[str, str]) -> None:
    """Give these labels these letters for this person; a label without one gets the project's, or a free one.

    Raises Unacceptable with a sentence for each label that cannot have its letter.
    """
    schema = schemas.in_force(project)
    wishes = [(label, wanted.get(label.key, "")) for label in schema.asked]
    errors = [_error(label, f"“{letter[:10]}” is no letter from a to z.")
              for label, letter in wishes if letter and not letters.is_letter(letter)]  # fmt: skip
    errors += [
        _error(
            label,
            f"“{other.name}” and “{label.name}” cannot both be on the letter {letter}. Change one, "
            "or leave it empty to be given a free one.",
        )
        for other, label, letter in letters.doubles(wishes)
    ]
    if errors:
        raise Unacceptable(errors[0]["detail"], errors)
    own = {label.key: letter for label, letter in wishes if letter and letter != label.shortcut}
    desk, _ = Desk.objects.get_or_create(project=project, user=by)
    Desk.objects.filter(pk=desk.pk).update(letters=own)


def _error(label: letters.Lettered | Label, sentence: str) -> dict[str, str]:
    return {"pointer": f"/{label.key}", "detail": sentence}
