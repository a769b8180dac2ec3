"""The next release, computed and not yet stored: its rows, its version, and what it changes; or why it cannot be.

Computing it reads every answer of its samples, which is a worker's work; pages count instead (readiness.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models.functions import Now

from labeling import fits, frames, readiness, released, rounds, samples, schemas, settling, standards
from labeling.consistent import one_snapshot
from labeling.models import Draw, GoldRelease, Item, Label, Project, Selection, Snapshot
from labeling.readiness import Request
from labeling.refusals import Refused
from labeling.release_format import (
    Change,
    Files,
    Row,
    bump_between,
    change_between,
    content_files,
    content_sha256,
    row_hashes,
)
from labeling.rounds import CHUNK, Basis
from labeling.sampling.draws import union_probability
from labeling.settling import Settled


@dataclass(frozen=True, slots=True)
class Gold:
    """One row of a release to be: what its page was settled as, its probability, and the hash of its line."""

    settled: Settled
    probability: Fraction
    row_sha256: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that could be stored: its content, version, and what it differs in from the one before."""

    project: Project
    parent: GoldRelease | None
    version: tuple[int, int, int]
    created: datetime
    content: Files
    change: Change | None
    rows: Mapping[int, Gold]  # by item id
    wanted: Request

    @property
    def version_text(self) -> str:
        return ".".join(str(part) for part in self.version)


def prepare(project: Project, wanted: Request) -> Candidate:
    """The next release, computed and not stored. Raises Refused while anything in it is open, or nothing changed."""
    with one_snapshot():
        chosen, schema = readiness.checked(project, wanted)
        created = _now(project)
        parent = released.latest(project)
        content, rows = content_of(chosen, wanted.accepted_by, schema=schema)
        before = released.content(parent) if parent else None
    if before is None or parent is None:
        return Candidate(project, None, readiness.FIRST, created, content, None, rows, wanted)
    if content_sha256(before) == content_sha256(content):
        raise Refused(readiness.NOTHING_CHANGED.format(version=parent.version))
    version = readiness.next_version(parent, needed=bump_between(before, content), wanted=wanted.bump)
    change = change_between(row_hashes(before["rows.sha256"]), row_hashes(content["rows.sha256"]))
    return Candidate(project, parent, version, created, content, change, rows, wanted)


def _now(project: Project) -> datetime:
    """The database's clock: one for all workers."""
    moment: datetime = Project.objects.values_list(Now(), flat=True).get(pk=project.pk)
    return moment


# ---- what goes in ---------------------------------------------------------------------------------------------------
def content_of(
    chosen: Sequence[Draw],
    accepted_by: Mapping[str, str],
    *,
    schema: schemas.Schema,
    bases: Mapping[int, Basis] | None = None,
) -> tuple[Files, dict[int, Gold]]:
    """The content files, and by item id what each row holds: as things stand now, or as they stood for `bases`.

    Raises Refused while any page waits.
    """
    rules = settling.checked_rules(accepted_by, keys=schema.keys)
    project = chosen[0].project
    confirmed = standards.confirmed_in(project, schema, fits.in_force(project))
    chances = _chances(chosen)
    settled: dict[int, Settled] = {}
    drawn = sorted(chances)
    for start in range(0, len(drawn), CHUNK):
        chunk = drawn[start : start + CHUNK]
        if bases is None:
            settled |= rounds.settle(chunk, schema=schema, rules=rules, confirmed=confirmed)
        else:
            kept = {pk: bases[pk] for pk in chunk if pk in bases}
            settled |= rounds.settle_again(kept, schema=schema, rules=rules)
    readiness.refuse_open(samples.counted(settled))
    rows = _rows(settled, chances)
    files = content_files(
        rows.values(),
        labels=_labels(schema),
        guideline=schema.guideline,
        draws={made.number: made.record for made in chosen},
    )
    hashes = row_hashes(files["rows.sha256"])
    return files, {pk: Gold(settled[pk], row.probability, hashes[row.item]) for pk, row in rows.items()}


def _chances(chosen: Sequence[Draw]) -> dict[int, tuple[Fraction, tuple[int, ...]]]:
    """Item id -> the probability that one of these samples holds it, and the samples that do."""
    rows = Selection.objects.filter(draw__in=chosen).order_by("draw__number")
    holders: dict[int, list[int]] = defaultdict(list)
    public: dict[int, str] = {}
    for item_id, public_id, number in rows.values_list("item_id", "item__public_id", "draw__number"):
        holders[item_id].append(number)
        public[item_id] = public_id
    could = _frames_holding(chosen, set(public.values()))
    chance = {made.number: Fraction(made.size, made.frame_size) for made in chosen}
    seeds = {made.number: made.seed for made in chosen}
    return {
        item_id: (
            union_probability((seeds[number], chance[number]) for number in could[public[item_id]]),
            tuple(numbers),
        )
        for item_id, numbers in holders.items()
    }


def _frames_holding(chosen: Sequence[Draw], public_ids: set[str]) -> dict[str, list[int]]:
    """Public id -> samples whose frame held it: it could have been drawn by each of them."""
    could: dict[str, list[int]] = defaultdict(list)
    for made in chosen:
        if len(chosen) == 1:  # what its only sample drew was in its frame
            return {public_id: [made.number] for public_id in public_ids}
        for public_id in frames.read(made.frame_sha256):
            if public_id in public_ids:
                could[public_id].append(made.number)
    return could


# ---- as rows --------------------------------------------------------------------------------------------------------
def _rows(settled: Mapping[int, Settled], chances: Mapping[int, tuple[Fraction, tuple[int, ...]]]) -> dict[int, Row]:
    titles = _titles(settled.values())
    rows: dict[int, Row] = {}
    for start in range(0, len(settled), CHUNK):
        for item in Item.objects.filter(pk__in=list(settled)[start : start + CHUNK]):
            one, (chance, draws) = settled[item.pk], chances[item.pk]
            title, sha256 = titles.get(one.snapshot_id or 0, ("", ""))
            rows[item.pk] = Row(
                item=item.public_id, url=item.url_key, host=item.host, title=title, content_sha256=sha256,
                outcome=one.outcome, labels=one.labels, how=one.how, n_judgments=one.n_judgments,
                schema_version=one.schema_version, probability=chance, draws=draws,
            )  # fmt: skip
    return rows


def _titles(settled: Iterable[Settled]) -> dict[int, tuple[str, str]]:
    wanted = [one.snapshot_id for one in settled if one.snapshot_id]
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Snapshot.objects.filter(pk__in=wanted[start : start + CHUNK])
        found |= {pk: (title, sha256) for pk, title, sha256 in rows.values_list("pk", "title", "content_hash")}
    return found


def _labels(schema: schemas.Schema) -> dict[str, Any]:
    names = ("key", "revision", "name", "definition", "includes", "excludes", "near_misses", "parent", "severity")
    return {
        "schema_version": schema.number,
        "labels": [_label(label, names) for label in schema.asked],
        "exclusive_groups": [list(group) for group in schema.exclusive_groups],
    }


def _label(label: Label, names: Iterable[str]) -> dict[str, Any]:
    """Examples stand only where there are any: a release from before they were known comes out again as it was."""
    said = {name: getattr(label, name) for name in names}
    return said | {"examples": label.examples} if label.examples else said
