"""A project's settings: made, changed under an optimistic version, archived, and deleted while nothing is in it.

Other apps add settings of their own without being imported here: they append a SettingsSection at start.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from labeling import budgets, crowded, members, overlaps, recounts, rules
from labeling.models import Event, Project, Role, Stream, User
from labeling.models.projects import SLUG
from labeling.refusals import Refused, Stale, Unacceptable
from labeling.settings_sections import SettingsSection, Values

MAX_OVERLAP = 20
STREAMS = ("default", *Stream.values)


settings_sections: list[SettingsSection] = [*rules.SECTIONS]

OWN = ("name", "description", "overlap", "lease_seconds", "show_queries", "sensitive", "decide_own", "ask_confidence")


def known_settings() -> frozenset[str]:
    return frozenset(OWN).union(*(section.names() for section in settings_sections))


def settings_of(project: Project) -> dict[str, Any]:
    """Every setting by name, those of other apps included."""
    values = {name: getattr(project, name) for name in OWN}
    for section in settings_sections:
        values |= section.read(project)
    return values


# ---- making and changing --------------------------------------------------------------------------------------------
@transaction.atomic
def create(values: Values, *, by: User | None) -> Project:
    """A new project with its settings and no labels yet. Who makes it becomes its manager."""
    name = _name(values.get("name", ""))
    slug = values.get("slug") or free_slug(name)
    try:
        SLUG(slug)
    except ValidationError as wrong:
        raise _wrong("slug", wrong.messages[0]) from None
    try:
        with transaction.atomic():
            project = Project.objects.create(slug=slug, name=name)
    except IntegrityError:
        raise Refused(f"There is a project with the address name “{slug}” already. Choose another.") from None
    _write(project, values)
    if by is not None:
        members.grant(project, user=by, role=Role.MANAGER)
    Event.record("project.created", by=by, project=project, about=project)
    return project


def free_slug(name: str) -> str:
    """An address name made from the project's name, numbered when it is taken."""
    stem = slugify(name)[:50].replace("_", "-").strip("-") or "project"
    taken = set(Project.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    candidates = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(slug for slug in candidates if slug not in taken)


@transaction.atomic
def change(project: Project, values: Values, *, by: User | None, expected: int | None = None) -> Project:
    """Set what `values` names. Raises Stale when the settings are no longer at version `expected`."""
    project = locked(project, expected=expected)
    before = settings_of(project)
    _write(project, values)
    after = settings_of(project)
    changed = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    if changed:
        bump(project)
        Event.record("project.changed", by=by, project=project, about=project, changed=changed)
    if "overlap" in changed:
        overlaps.lower(project, before=before["overlap"], by=by)
        overlaps.higher(project, before=before["overlap"])
        crowded.mark(project)
    if changed.keys() & rules.OF_MORE_PEOPLE:
        budgets.after_change(project, by=by)
    if changed.keys() & rules.OF_DOUBT:
        recounts.after_other_standards(project, by=by)
    return project


def locked(project: Project, *, expected: int | None) -> Project:
    """The row as it is now, locked. Raises Stale when it is no longer at version `expected`."""
    # Rows that point to the project can still be written: a submit holds its item's lock while it does.
    row = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if expected is not None and row.version != expected:
        raise Stale(
            f"Someone changed these settings while you edited: they are at version {row.version}, "
            f"yours started from version {expected}. Nothing of yours was saved; compare both and send it again.",
            current_version=row.version,
            your_version=expected,
        )
    return row


def bump(project: Project) -> None:
    project.version += 1
    project.save(update_fields=["version"])


def _write(project: Project, values: Values) -> None:
    checks: dict[str, Callable[[Any], Any]] = {
        "name": _name, "description": str, "overlap": lambda value: _overlap(value, project.overlap),
        "lease_seconds": _lease_seconds, "show_queries": bool, "sensitive": bool, "decide_own": bool,
        "ask_confidence": bool,
    }  # fmt: skip
    for name in OWN:
        if name in values:
            setattr(project, name, checks[name](values[name]))
    project.save()
    for section in settings_sections:
        theirs = {name: values[name] for name in section.names() if name in values}
        if theirs:
            section.write(project, theirs)


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not 1 <= len(name) <= 120:
        raise _wrong("name", "A project needs a name of 1 to 120 characters.")
    return name


def _overlap(value: Any, before: Mapping[str, int]) -> dict[str, int]:
    """A number for every stream alike, or numbers by stream; streams not named follow the default."""
    wanted = {"default": value} if not isinstance(value, Mapping) else dict(value)
    for stream, number in wanted.items():
        if stream not in STREAMS:
            raise _wrong("overlap", f"“{stream}” is not a stream. Streams are {', '.join(STREAMS)}.")
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MAX_OVERLAP:
            raise _wrong("overlap", f"People per page is a whole number from 1 to {MAX_OVERLAP}.")
    wanted.setdefault("default", before["default"])
    return wanted


def _lease_seconds(value: int) -> int:
    if not 30 <= value <= 24 * 3600:
        raise _wrong("lease_seconds", "A page is kept for a person for 30 seconds to 24 hours.")
    return value


def _wrong(name: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, [{"pointer": f"/{name}", "detail": sentence}])


# ---- putting away ---------------------------------------------------------------------------------------------------
@transaction.atomic
def archive(project: Project, *, by: User) -> None:
    """Out of the list and of the queue; everything in it stays. Reversible."""
    _set_archived(project, timezone.now(), by=by, kind="project.archived")


@transaction.atomic
def restore(project: Project, *, by: User) -> None:
    _set_archived(project, None, by=by, kind="project.restored")


def _set_archived(project: Project, at: datetime | None, *, by: User, kind: str) -> None:
    project = locked(project, expected=None)
    if (project.archived_at is None) == (at is None):
        return
    project.archived_at = at
    project.save(update_fields=["archived_at"])
    bump(project)
    Event.record(kind, by=by, project=project, about=project)


@transaction.atomic
def delete(project: Project, *, by: User) -> None:
    """Only a project nothing was put into: pages, judgments and releases are kept for ever, so those are archived."""
    project = Project.objects.select_for_update().get(pk=project.pk)  # nothing is put in while this looks
    if project.items.exists() or project.releases.exists() or project.draws.exists():
        raise Refused("This project holds pages, and what was judged or released is never deleted. Archive it instead.")
    Event.record("project.deleted", by=by, about=project, slug=project.slug, name=project.name)
    project.delete()
