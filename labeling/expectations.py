"""What a page is expected to cost its next reader, and which labels probably hold on it.

For each label the best estimate there is: what a person decided, else the share of yes among the answers, else what a
model says of the page, else that it does not hold. A page's expected exposure is the largest, over the labels, of
severity times that estimate; it is kept in hundredths, rounded up, so that rounding never lets a page pass a budget and
a new model does not rewrite every page of a pool.

Kept up to date by `consensus` with each answer, after every model, and when the labels or what people would rather not
judge change. Models live in other apps, which say what they know by `estimated_by`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from labeling import jobs, schemas
from labeling.models import Consensus, Desk, Item, LikelyLabel, Project, SchemaVersion, User
from labeling.refusals import Refused
from labeling.tallies import ADJUDICATED

KIND = "expectations"
CHUNK = 5_000
AT_ONCE = 500
LIKELY = 0.5
STEPS = 100  # of one point
FUZZ = 1e-3  # of a step: 2.8 is not 2.81 because 4 * 0.7 is no binary number
NOBODY_KNOWS = 0.5  # everyone who answered was unsure

# (project, growing item ids) -> label keys and (n, k) probabilities, NaN where there is none; None without a model.
Source = Callable[[Project, NDArray[np.int64]], "tuple[Sequence[str], NDArray[Any]] | None"]
_sources: list[Source] = []


def estimated_by(source: Source) -> Source:
    """Register what another app knows of pages. Raises Refused when it cannot be read."""
    if source not in _sources:
        _sources.append(source)
    return source


# ---- which labels are looked at -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Watched:
    """The labels in force that have a severity or that somebody would rather not judge; severity 0 is none."""

    keys: tuple[str, ...]
    severity: NDArray[np.float64]

    def __bool__(self) -> bool:
        return bool(self.keys)


def watched(project: Project) -> Watched:
    """As in the version in force, which may be published in this very transaction."""
    try:
        schema = schemas.read(schemas.newest_id(project))
    except SchemaVersion.DoesNotExist:
        return Watched((), np.zeros(0))
    return _watched(schema, spared_in(project))


def spared_in(project: Project) -> frozenset[str]:
    """The labels somebody here would rather not judge."""
    wishes = Desk.objects.filter(project=project).exclude(opted_out=[]).values_list("opted_out", flat=True)
    return frozenset(key for keys in wishes for key in keys)


def _watched(schema: schemas.Schema, spared: frozenset[str]) -> Watched:
    labels = [label for label in schema.asked if label.severity or label.key in spared]
    return Watched(tuple(label.key for label in labels), np.array([float(label.severity or 0) for label in labels]))


# ---- what is expected of pages --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Expected:
    """Of one page."""

    exposure: float
    likely: frozenset[str]


NOTHING = Expected(0.0, frozenset())


def expected(estimates: NDArray[np.float64], labels: Watched) -> list[Expected]:
    """(n, k) best estimates, a column a watched label -> what is expected of each page."""
    worst = (estimates * labels.severity).max(axis=1, initial=0.0)
    exposures = np.ceil(worst * STEPS - FUZZ) / STEPS
    likely = estimates >= LIKELY
    keys = labels.keys
    return [
        Expected(float(exposure), frozenset(key for key, holds in zip(keys, row, strict=True) if holds))
        for exposure, row in zip(exposures, likely, strict=True)
    ]


def said(label: Mapping[str, Any] | None) -> float | None:
    """The estimate people's answers give for one label of a stored consensus; None when nobody answered it."""
    if label is None:
        return None
    if label["state"] == ADJUDICATED and label["verdict"] != "unsure":
        return float(label["verdict"] == "yes")
    share: float | None = label["probability"]
    return share if share is not None else NOBODY_KNOWS if label["unsure"] else None


def of_items(project: Project, item_ids: Sequence[int], labels: Watched) -> dict[int, Expected]:
    """What is expected of these pages, from the answers and models there are now."""
    if not labels:
        return dict.fromkeys(item_ids, NOTHING)
    items = np.sort(np.asarray(item_ids, dtype=np.int64))
    rows = {int(item): row for row, item in enumerate(items)}
    found = np.full((len(items), len(labels.keys)), np.nan)
    counted = Consensus.objects.filter(item__in=list(item_ids)).values_list("item", "labels")
    for item, stored in counted:
        answers = [said(stored.get(key)) for key in labels.keys]
        found[rows[item]] = [np.nan if answer is None else answer for answer in answers]
    if np.isnan(found).any():
        _fill_from_models(found, project, items, labels)
    return dict(zip(rows, expected(np.nan_to_num(found, nan=0.0), labels), strict=True))


def _fill_from_models(found: NDArray[np.float64], project: Project, items: NDArray[np.int64], labels: Watched) -> None:
    for source in _sources:
        known = source(project, items)
        if known is None:
            continue
        keys, probabilities = known
        for column, key in enumerate(labels.keys):
            if key in keys:
                unknown = np.isnan(found[:, column])
                found[unknown, column] = probabilities[unknown, list(keys).index(key)]


# ---- keeping it -----------------------------------------------------------------------------------------------------
def follow(
    item_id: int, *, project: Project, schema: schemas.Schema, before: Mapping[str, Any] | None,
    now: Mapping[str, Any], anyone_spared: bool,
) -> None:  # fmt: skip
    """Answers to one page were counted again; the caller holds its lock. No query when no watched label changed."""
    labels = _watched(schema, spared_in(project) if anyone_spared else frozenset())
    unchanged = before is not None and all(said(before.get(key)) == said(now.get(key)) for key in labels.keys)
    if labels and not unchanged:
        with suppress(Refused):  # a model's file that is gone keeps nobody from answering
            _write(differing(project, [item_id], labels))


def recompute(project: Project, item_ids: Sequence[int], *, labels: Watched | None = None) -> int:
    """Bring these pages up to date. Returns how many were not.

    Without `labels`, where none is watched, nothing is looked at: when the last one went, all pages were brought up to
    date.
    """
    if labels is None and not (labels := watched(project)):
        return 0
    stale = list(differing(project, item_ids, labels))
    if stale:
        with transaction.atomic():  # looked at once more under their locks: an answer may have come meanwhile
            list(Item.objects.filter(pk__in=stale).order_by("pk").select_for_update(no_key=True).values_list("pk"))
            _write(differing(project, stale, labels))
    return len(stale)


def differing(project: Project, item_ids: Sequence[int], labels: Watched) -> dict[int, tuple[Expected, Expected]]:
    """Of these pages those whose stored expectation is another than the right one: stored, right."""
    kept = _stored(item_ids)
    right = of_items(project, item_ids, labels)
    return {item: (kept[item], right[item]) for item in kept if kept[item] != right[item]}


def _stored(item_ids: Sequence[int]) -> dict[int, Expected]:
    likely: dict[int, set[str]] = {}
    for item, key in LikelyLabel.objects.filter(item__in=item_ids).values_list("item", "label"):
        likely.setdefault(item, set()).add(key)
    exposures = Item.objects.filter(pk__in=item_ids).values_list("pk", "expected_exposure")
    return {item: Expected(exposure, frozenset(likely.get(item, ()))) for item, exposure in exposures}


def _write(changes: Mapping[int, tuple[Expected, Expected]]) -> None:
    """One UPDATE for each exposure: there are few hundredths below 4."""
    by_exposure: dict[float, list[int]] = {}
    gone: dict[str, list[int]] = {}
    fresh = []
    for item, (stored, right) in changes.items():
        if stored.exposure != right.exposure:
            by_exposure.setdefault(right.exposure, []).append(item)
        for key in stored.likely - right.likely:
            gone.setdefault(key, []).append(item)
        fresh += [LikelyLabel(item_id=item, label=key) for key in sorted(right.likely - stored.likely)]
    for exposure, items in by_exposure.items():
        Item.objects.filter(pk__in=items).update(expected_exposure=exposure)
    for key, items in gone.items():
        LikelyLabel.objects.filter(item__in=items, label=key).delete()
    if fresh:
        LikelyLabel.objects.bulk_create(fresh, ignore_conflicts=True)


# ---- a whole project ------------------------------------------------------------------------------------------------
def chunks(project: Project) -> Iterator[list[int]]:
    """The ids of all its pages, a chunk at a time."""
    ids = Item.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)
    last = 0
    while chunk := list(ids.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1]


def recompute_all(project: Project, *, told: Callable[[int], None] | None = None) -> int:
    """Bring every page up to date; running it twice changes nothing. `told` hears how many were looked at."""
    labels, n_seen, n_stale = watched(project), 0, 0
    for chunk in chunks(project):
        n_stale += recompute(project, chunk, labels=labels)
        n_seen += len(chunk)
        if told is not None:
            told(n_seen)
    return n_stale


def recompute_soon(project: Project, *, by: User | None) -> None:
    """What is looked at changed: at once while the pages are few, else as a job."""
    ids = list(Item.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
    if len(ids) > AT_ONCE:
        jobs.enqueue(KIND, project=project, by=by, exclusive=f"{KIND}:{project.pk}")
    else:
        recompute(project, ids)


def after_publishing(project: Project, *, by: User | None) -> None:
    """Another severity, a label more or less: every page may be expected to cost something else."""
    versions = SchemaVersion.objects.filter(project=project).order_by("-number").values_list("pk", flat=True)[:2]
    now, *earlier = [_watched(schemas.read(version), spared_in(project)) for version in versions]
    before = earlier[0] if earlier else Watched((), np.zeros(0))
    if (now.keys, now.severity.tolist()) != (before.keys, before.severity.tolist()):
        recompute_soon(project, by=by)


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: every page of the project."""
    total = Item.objects.filter(project=claim.project).count()

    def told(n_seen: int) -> None:
        claim.progress(n_seen / max(total, n_seen), f"{n_seen:,} of {total:,} pages looked at")

    return {"items": total, "changed": recompute_all(claim.project, told=told)}
