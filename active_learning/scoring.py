"""The whole pool scored by one run, shard by shard; what a killed worker wrote is kept and not scored again."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from numpy.typing import NDArray

from active_learning import pages
from active_learning.learner.features import featurise
from active_learning.learner.model import LinearModel
from active_learning.models import ScoreShard, TrainingRun
from labeling import jobs, scores
from labeling.models import Item
from labeling.refusals import Refused

FITTED_SHARE = 0.2  # of the job's progress, before the first page is scored


class Scored(NamedTuple):
    """items: (n,) int64, growing; log_odds: (n, n_labels) float32."""

    items: NDArray[np.int64]
    log_odds: NDArray[np.float32]


def folder() -> Path:
    return Path(settings.BLOB_DIR) / "scores"


def score_pool(claim: jobs.Claim, run: TrainingRun, model: LinearModel) -> None:
    """Score every active page that this run has not scored yet. Each shard is on the disk before its row is."""
    number, last_item = _keep_whole_shards(claim, run)
    left = Item.objects.filter(project=run.project, pk__gt=last_item).active()
    parts = _counted(claim, score(left, model), n_done=run.n_scored, n_total=run.n_scored + left.count())
    for place, shard in enumerate(in_shards(parts, settings.SCORE_SHARD_ITEMS), start=number):
        _write(claim, run, model, place, shard)


def _counted(claim: jobs.Claim, parts: Iterable[Scored], *, n_done: int, n_total: int) -> Iterator[Scored]:
    """The parts, saying on the job how far they reach."""
    for part in parts:
        yield part
        n_done += len(part.items)
        share = FITTED_SHARE + (1 - FITTED_SHARE) * n_done / max(n_total, n_done)
        claim.progress(share, f"Scored {n_done:,} of {max(n_total, n_done):,} pages")


def in_shards(parts: Iterable[Scored], n_items: int) -> Iterator[Scored]:
    """The same rows in the same order, n_items at a time, and at last what is left."""
    held: list[Scored] = []
    room = n_items
    for part in parts:
        start = 0
        while len(part.items) - start >= room:
            yield _joined([*held, _cut(part, start, start + room)])
            held, start, room = [], start + room, n_items
        held.append(_cut(part, start, len(part.items)))
        room -= len(part.items) - start
    if room < n_items:
        yield _joined(held)


def _cut(part: Scored, start: int, stop: int) -> Scored:
    return Scored(part.items[start:stop], part.log_odds[start:stop])


def _joined(parts: Sequence[Scored]) -> Scored:
    return Scored(np.concatenate([part.items for part in parts]), np.concatenate([part.log_odds for part in parts]))


def score(items: QuerySet[Item], model: LinearModel) -> Iterator[Scored]:
    """Calibrated log-odds of the items by growing id, in pieces; nothing of a piece is kept when it was taken."""
    slopes, offsets = np.float32(model.slopes), np.float32(model.offsets)
    for rows in pages.stream(items, model.recipe):
        decisions = model.decision(featurise([page for _, page in rows], model.recipe))
        ids = np.fromiter((pk for pk, _ in rows), dtype=np.int64, count=len(rows))
        yield Scored(ids, np.asarray(slopes * decisions + offsets, dtype=np.float32))


def _write(claim: jobs.Claim, run: TrainingRun, model: LinearModel, number: int, shard: Scored) -> None:
    """Write the shard of this number: its file first, then its row."""
    items = shard.items
    digest = scores.write(folder(), columns=model.labels, items=items, log_odds=shard.log_odds)
    with transaction.atomic():
        claim.guard()
        ScoreShard.objects.create(
            run=run, number=number, sha256=digest, first_item=items[0], last_item=items[-1], n_items=len(items)
        )
        TrainingRun.objects.filter(pk=run.pk).update(n_scored=F("n_scored") + len(items))


def _keep_whole_shards(claim: jobs.Claim, run: TrainingRun) -> tuple[int, int]:
    """Number of the next shard and the last item scored. A shard whose file is damaged goes, and all after it."""
    number, last_item, n_scored = 1, 0, 0
    for shard in run.shards.order_by("number"):
        try:
            scores.verify(folder(), shard.sha256)
        except scores.DamagedShard:
            break
        number, last_item, n_scored = shard.number + 1, shard.last_item, n_scored + shard.n_items
    with transaction.atomic():
        claim.guard()
        run.shards.filter(number__gte=number).delete()
        TrainingRun.objects.filter(pk=run.pk).update(n_scored=n_scored)
    run.n_scored = n_scored
    return number, last_item


# ---- reading --------------------------------------------------------------------------------------------------------
def log_odds_of(run: TrainingRun, items: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(n, len(run.labels)) log-odds of these items, growing, and (n,) which of them the run has scored.

    Raises Refused when a shard is gone or damaged.
    """
    found = np.full((len(items), len(run.labels)), np.nan, dtype=np.float32)
    scored = np.zeros(len(items), dtype=bool)
    inside_range = {"first_item__lte": items[-1], "last_item__gte": items[0]} if len(items) else {}
    for stored in run.shards.filter(**inside_range).order_by("number"):
        inside = slice(*np.searchsorted(items, [stored.first_item, stored.last_item + 1]))
        try:
            shard = scores.read(folder(), stored.sha256)
        except scores.DamagedShard as damaged:
            raise Refused(str(damaged)) from None
        rows = shard.rows_of(items[inside])
        scored[inside] = rows >= 0
        found[inside][rows >= 0] = shard.log_odds[rows[rows >= 0]]
    return found, scored
