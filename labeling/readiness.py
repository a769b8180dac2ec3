"""Whether the next release can be frozen, and what it would change: counted from what is stored, never computed.

A page or a call may ask this of a sample of any size. The freeze itself computes the release, on one snapshot, and has
the last word; both follow settling.py, so they can only differ by what happened in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, Q

from labeling import asking_again, released, samples, schemas, settling
from labeling.models import Draw, GoldItem, GoldRelease, Item, ItemState, Project, SchemaVersion, Selection
from labeling.refusals import Refused, Unacceptable
from labeling.release_format import BUMPS

FIRST = (1, 0, 0)
AUTO = "auto"
MAX_NOTES = 10_000
NOTHING_CHANGED = "Nothing changed since version {version}: every page, label and word is the same."
NO_SAMPLE = "Draw a sample first: a release holds only pages that were drawn by chance."
NO_LABELS = "This project asks no label yet; publish a version with labels first."


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be frozen. `samples` are numbers of draws, None for all."""

    samples: list[int] | None = None
    bump: str = AUTO
    notes: str = ""
    accepted_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What the next version would change, as counts; `bump` is the version that takes, empty when nothing would."""

    n_added: int
    n_changed: int
    n_removed: int
    bump: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the next release of all samples can be frozen: its version, or the sentence that says what is missing."""

    version: str
    sentence: str
    progress: samples.Progress
    change: Change | None = None


def standing(project: Project) -> Standing:
    """How things stand for a release of all samples."""
    so_far = samples.progress(project, samples.chosen_draws(project, None))
    try:
        version, change = _next(project, Request(), so_far)
    except Refused as refused:
        return Standing("", refused.sentence, so_far)
    return Standing(version, "Every page drawn is settled.", so_far, change)


def require(project: Project, wanted: Request) -> None:
    """Raise Refused or Unacceptable when a freeze would be refused, as far as counts can tell."""
    _next(project, wanted, samples.progress(project, samples.chosen_draws(project, wanted.samples)))


def _next(project: Project, wanted: Request, so_far: samples.Progress) -> tuple[str, Change | None]:
    chosen, schema = checked(project, wanted)
    if asking_again.is_recounting(project):
        raise Refused(asking_again.RECOUNTING)
    # Rules of its own may accept less than unanimous answers: then only a freeze knows what waits for a decision.
    refuse_open(so_far, undecided=not wanted.accepted_by)
    parent = released.latest(project)
    if parent is None:
        return _text(FIRST), None
    change = _change(parent, chosen, schema)
    if not change.bump:
        raise Refused(NOTHING_CHANGED.format(version=parent.version))
    return _text(next_version(parent, needed=change.bump, wanted=wanted.bump)), change


def checked(project: Project, wanted: Request) -> tuple[list[Draw], schemas.Schema]:
    """The samples and the labels of a release. Raises Unacceptable, or Refused when there is none of either."""
    if wanted.bump not in (AUTO, *BUMPS):
        detail = f"Choose one of auto, {', '.join(BUMPS)}."
        raise Unacceptable(detail, [{"pointer": "/bump", "detail": detail}])
    if len(wanted.notes) > MAX_NOTES:
        detail = f"Notes are at most {MAX_NOTES:,} characters."
        raise Unacceptable(detail, [{"pointer": "/notes", "detail": detail}])
    chosen = samples.chosen_draws(project, wanted.samples)
    if not chosen:
        raise Refused(NO_SAMPLE)
    try:
        schema = schemas.in_force(project)
    except SchemaVersion.DoesNotExist:
        raise Refused(NO_LABELS) from None
    settling.checked_rules(wanted.accepted_by, keys=schema.keys)
    return chosen, schema


# ---- what stops it --------------------------------------------------------------------------------------------------
def refuse_open(so_far: samples.Progress, *, undecided: bool = True) -> None:
    """Raise Refused while pages wait for answers, or for decisions where `undecided` ones count."""
    if so_far.n_waiting or (undecided and so_far.n_disputed):
        raise Refused(
            waiting_sentence(so_far), waiting=so_far.n_waiting, outdated=so_far.n_outdated, undecided=so_far.n_disputed
        )


def waiting_sentence(so_far: samples.Progress) -> str:
    """What blocks a freeze, and what to do about it."""
    n = so_far.n_waiting + so_far.n_disputed
    pages = "1 page" if so_far.n_items == 1 else f"{so_far.n_items:,} pages"
    whats = [what for many, what in ((so_far.n_waiting, "an answer"), (so_far.n_disputed, "a decision")) if many]
    waits = f"{n:,} of {pages} still {'waits' if n == 1 else 'wait'} for {' or '.join(whats)}"
    return f"{waits}; {_steps(so_far, n)}, then freeze again.{_archived(so_far.n_archived, n)}"


def _steps(so_far: samples.Progress, n: int) -> str:
    them = "it" if n == 1 else "them"
    again = "ask again under Samples about the labels that have changed"
    ways = (
        (so_far.n_waiting - so_far.n_outdated, f"annotate {them}", "annotate {}"),
        (so_far.n_outdated, again, again + " on {}"),
        (so_far.n_disputed, f"adjudicate {them}", "adjudicate {}"),
    )
    steps = [(alone if many == n else some.format(f"{many:,}")) for many, alone, some in ways if many]
    return " and ".join([", ".join(steps[:-1]), steps[-1]] if steps[1:] else steps)


def _archived(n_archived: int, n: int) -> str:
    """Nobody is shown archived pages: what to do about those that wait."""
    if not n_archived:
        return ""
    who = f"{n_archived:,} of them are" if n_archived > 1 else "It is" if n == 1 else "1 of them is"
    return f" {who} archived: restore or withdraw {'it' if n_archived == 1 else 'those'} first."


# ---- the next version -----------------------------------------------------------------------------------------------
def next_version(parent: GoldRelease, *, needed: str, wanted: str) -> tuple[int, int, int]:
    """The version after `parent`. A person may raise the bump the difference needs, never lower it."""
    if wanted != AUTO and BUMPS.index(wanted) < BUMPS.index(needed):
        detail = f"The changes need a {needed} version; {wanted} is too small. Leave it at auto, or raise it."
        raise Unacceptable(detail, [{"pointer": "/bump", "detail": detail}])
    bump = needed if wanted == AUTO else wanted
    if bump == "major":
        return parent.major + 1, 0, 0
    if bump == "minor":
        return parent.major, parent.minor + 1, 0
    return parent.major, parent.minor, parent.patch + 1


def _text(version: tuple[int, int, int]) -> str:
    return ".".join(str(part) for part in version)


def _change(parent: GoldRelease, chosen: list[Draw], schema: schemas.Schema) -> Change:
    drawn = Selection.objects.filter(item=OuterRef("item"), draw__in=chosen)
    old = GoldItem.objects.filter(release=parent)
    is_gone = Q(item__state=ItemState.WITHDRAWN)
    same = Q(is_gone, outcome=settling.WITHDRAWN) | Q(~is_gone, settled_sha256=F("item__consensus__gold_sha256"))
    n_kept = old.filter(Exists(drawn)).count()
    n_same = old.filter(Exists(drawn)).filter(same).count()
    n_drawn = Item.objects.filter(Exists(Selection.objects.filter(item=OuterRef("pk"), draw__in=chosen))).count()
    counts = (n_drawn - n_kept, n_kept - n_same, parent.n_items - n_kept)
    return Change(*counts, bump=_bump(parent, chosen, schema, *counts))


def _bump(
    parent: GoldRelease, chosen: list[Draw], schema: schemas.Schema, n_added: int, n_changed: int, n_removed: int
) -> str:
    """As release_format.bump_between says of the files: weights follow from the samples, words from the labels."""
    before, now = released.labels_of(parent), set(schema.keys)
    if n_changed or n_removed or before.keys - now:
        return "major"
    if n_added or now - before.keys or released.draws_of(parent) != [made.number for made in chosen]:
        return "minor"
    return "patch" if before.version != schema.number else ""
