"""The next release, computed and not yet stored: its rows, its version, and what it changes; or why it cannot be."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.utils import timezone

from labeling import frames, released, samples, schemas, settling
from labeling.consistent import one_snapshot
from labeling.models import Draw, GoldRelease, Project, SchemaVersion, Selection, Snapshot
from labeling.refusals import Refused, Unacceptable
from labeling.release_format import (
    BUMPS,
    Change,
    Files,
    Row,
    bump_between,
    change_between,
    content_files,
    content_sha256,
    row_hashes,
)
from labeling.sampling.draws import union_probability

FIRST = (1, 0, 0)
AUTO = "auto"
MAX_NOTES = 10_000
NOTHING_CHANGED = "Nothing changed since version {version}: every page, label and word is the same."
NO_SAMPLE = "Draw a sample first: a release holds only pages that were drawn by chance."


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be frozen. `samples` are numbers of draws, None for all."""

    samples: list[int] | None = None
    bump: str = AUTO
    notes: str = ""
    accepted_by: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that could be stored: its content, version, and what it differs in from the one before."""

    project: Project
    parent: GoldRelease | None
    version: tuple[int, int, int]
    created: datetime
    content: Files
    change: Change | None
    probabilities: Mapping[int, tuple[str, Fraction]]  # item id -> row hash and probability
    wanted: Request

    @property
    def version_text(self) -> str:
        return ".".join(str(part) for part in self.version)


# ---- what could be frozen -------------------------------------------------------------------------------------------
def prepare(project: Project, wanted: Request) -> Candidate:
    """The next release, computed and not stored. Raises Refused while anything in it is open, or nothing changed."""
    if wanted.bump not in (AUTO, *BUMPS):
        detail = f"Choose one of auto, {', '.join(BUMPS)}."
        raise Unacceptable(detail, [{"pointer": "/bump", "detail": detail}])
    if len(wanted.notes) > MAX_NOTES:
        detail = f"Notes are at most {MAX_NOTES:,} characters."
        raise Unacceptable(detail, [{"pointer": "/notes", "detail": detail}])
    # Databases round their clocks to milliseconds: what was answered just now is to be in.
    created = timezone.now() + timedelta(milliseconds=1)
    with one_snapshot():
        chosen = samples.chosen_draws(project, wanted.samples)
        if not chosen:
            raise Refused(NO_SAMPLE)
        parent = released.latest(project)
        content, probabilities = content_of(project, chosen, wanted.accepted_by or {}, as_of=created)
        before = released.content(parent) if parent else None
    if before is None or parent is None:
        return Candidate(project, None, FIRST, created, content, None, probabilities, wanted)
    if content_sha256(before) == content_sha256(content):
        raise Refused(NOTHING_CHANGED.format(version=parent.version))
    version = next_version(parent, needed=bump_between(before, content), wanted=wanted.bump)
    change = change_between(row_hashes(before["rows.sha256"]), row_hashes(content["rows.sha256"]))
    return Candidate(project, parent, version, created, content, change, probabilities, wanted)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the next release can be frozen: its version, or the sentence that says what is missing."""

    version: str
    sentence: str
    progress: samples.Progress
    change: Change | None = None


def standing(project: Project) -> Standing:
    """How things stand for a release of all samples. Answers are read once the counts say that none is missing."""
    chosen = samples.chosen_draws(project, None)
    so_far = samples.progress(project, chosen)
    if not chosen:
        return Standing("", NO_SAMPLE, so_far)
    if so_far.n_waiting or so_far.n_disputed:
        return Standing("", waiting_sentence(so_far.n_waiting, so_far.n_disputed, so_far.n_items), so_far)
    try:
        candidate = prepare(project, Request())
    except Refused as refused:
        return Standing("", refused.sentence, so_far)
    return Standing(candidate.version_text, "Every page drawn is settled.", so_far, candidate.change)


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


def content_of(
    project: Project,
    chosen: Sequence[Draw],
    accepted_by: Mapping[str, str],
    *,
    as_of: datetime,
    withdrawn: Collection[str] | None = None,
) -> tuple[Files, dict[int, tuple[str, Fraction]]]:
    """The content files as of a moment, and per item its row hash and probability. Raises Refused while any waits."""
    schema = _schema_at(project, as_of)
    rules = settling.checked_rules(accepted_by, keys=schema.keys)
    chances = _chances(chosen)
    settled = list(settling.settle(project, sorted(chances), schema=schema, rules=rules, as_of=as_of,
                                   withdrawn=withdrawn))  # fmt: skip
    _refuse_open(settled)
    titles = _titles(settled)
    rows = [_row(one, *chances[one.item.pk], titles.get(one.snapshot_id or 0, ("", ""))) for one in settled]
    files = content_files(
        rows,
        labels=_labels(schema),
        guideline=schema.guideline,
        draws={made.number: made.record for made in chosen},
    )
    hashes = row_hashes(files["rows.sha256"])
    return files, {one.item.pk: (hashes[one.item.public_id], chances[one.item.pk][0]) for one in settled}


def _schema_at(project: Project, moment: datetime) -> schemas.Schema:
    published = SchemaVersion.objects.filter(project=project, published_at__lte=moment).order_by("-number")
    newest = published.values_list("pk", flat=True).first()
    if newest is None:
        raise Refused("This project asks no label yet; publish a version with labels first.")
    return schemas.by_id(newest)


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


def _refuse_open(settled: Sequence[settling.Settled]) -> None:
    answers = sum(one.waits_for == settling.ANSWER for one in settled)
    decisions = sum(one.waits_for == settling.DECISION for one in settled)
    if answers or decisions:
        raise Refused(waiting_sentence(answers, decisions, len(settled)), waiting=answers, undecided=decisions)


def waiting_sentence(answers: int, decisions: int, total: int) -> str:
    """What blocks a freeze, and what to do about it."""
    n, wait = answers + decisions, "waits" if answers + decisions == 1 else "wait"
    pages = "1 page" if total == 1 else f"{total:,} pages"
    what = "an answer or a decision" if answers and decisions else "an answer" if answers else "a decision"
    step = "annotate them" if answers and not decisions else "adjudicate them" if decisions and not answers else (
        f"annotate {answers:,} and adjudicate {decisions:,}"
    )  # fmt: skip
    return f"{n:,} of {pages} still {wait} for {what}; {step}, then freeze again."


def _titles(settled: Sequence[settling.Settled]) -> dict[int, tuple[str, str]]:
    wanted = [one.snapshot_id for one in settled if one.snapshot_id]
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), settling.CHUNK):
        rows = Snapshot.objects.filter(pk__in=wanted[start : start + settling.CHUNK])
        found |= {pk: (title, sha256) for pk, title, sha256 in rows.values_list("pk", "title", "content_hash")}
    return found


def _row(one: settling.Settled, chance: Fraction, draws: tuple[int, ...], material: tuple[str, str]) -> Row:
    item = one.item
    return Row(
        item=item.public_id, url=item.url_key, host=item.host, title=material[0], content_sha256=material[1],
        outcome=one.outcome, labels=one.labels, how=one.how, n_judgments=one.n_judgments,
        schema_version=one.schema_version, probability=chance, draws=draws,
    )  # fmt: skip


def _labels(schema: schemas.Schema) -> dict[str, Any]:
    names = ("key", "revision", "name", "definition", "includes", "excludes", "near_misses", "parent", "severity")
    return {
        "schema_version": schema.number,
        "labels": [{name: getattr(label, name) for name in names} for label in schema.asked],
        "exclusive_groups": [list(group) for group in schema.exclusive_groups],
    }
