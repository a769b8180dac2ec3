"""How well scores rank the pages of a label: average precision, with an interval that knows that sites repeat."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from active_learning.learner.estimator import NO, YES

MIN_POSITIVES = 5  # with fewer, one page more or less moves the number by a fifth
REPLICATES = 400
LEVEL = 0.95


class Precision(NamedTuple):
    """value, low, high in [0, 1]; n: pages behind it; n_yes: those with the label."""

    value: float
    low: float
    high: float
    n: int
    n_yes: int


class Precisions(NamedTuple):
    """per_label: one entry a label, None where fewer than MIN_POSITIVES pages carry it. macro: their mean, or None."""

    per_label: list[Precision | None]
    macro: Precision | None


def precisions(
    decisions: NDArray[Any], targets: NDArray[np.int8], clusters: NDArray[Any], *, rng: np.random.Generator
) -> Precisions:
    """Average precision of each label and its mean over labels, on pages that the scorer had not seen.

    decisions: (n_pages, n_labels), NaN = not scored; targets: (n_pages, n_labels) of 1, 0 and -1 = not asked.
    clusters: (n_pages,) registrable domains: the interval (percentiles of 400 bootstrap replicates) draws whole
    clusters, since pages of one site are no independent evidence. Raises ValueError when the shapes do not match.
    """
    if decisions.shape != targets.shape or len(clusters) != len(targets):
        raise ValueError(f"decisions {decisions.shape}, targets {targets.shape}, {len(clusters)} clusters do not match")
    weights = _replicates(clusters, rng)
    columns = [_one_label(decisions[:, k], targets[:, k], weights) for k in range(targets.shape[1])]
    per_label = [None if column is None else _summary(*column) for column in columns]
    known = [column for column in columns if column is not None]
    if not known:
        return Precisions(per_label, None)
    values = np.stack([values for values, _, _ in known])
    with_label = int((targets == YES).any(axis=1).sum())
    return Precisions(per_label, _summary(_mean_over_labels(values), len(targets), with_label))


def average_precision(decisions: NDArray[Any], yes: NDArray[np.bool_], weights: NDArray[Any]) -> NDArray[np.float64]:
    """(n_replicates,) mean, over the pages with the label, of the precision down to that page; NaN without such a page.

    decisions: (n_pages,); weights: (n_replicates, n_pages), how often each page counts. Equal scores share a rank.
    Source: the sum of precision times the step in recall, as in Manning, Raghavan, Schuetze (2008), section 8.4.
    """
    order = np.argsort(-decisions, kind="stable")
    ranked, counted = decisions[order], weights[:, order].astype(np.float64)
    hits = counted * yes[order]
    last_of_tie = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    hits_so_far, seen_so_far = (np.cumsum(part, axis=1)[:, last_of_tie] for part in (hits, counted))
    steps = np.diff(hits_so_far, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(seen_so_far > 0, hits_so_far / seen_so_far, 0.0)
        return np.asarray((steps * precision).sum(axis=1) / hits_so_far[:, -1], dtype=np.float64)


def _replicates(clusters: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
    """(1 + REPLICATES, n_pages): the pages as they are, then how often each is drawn with its cluster."""
    names, cluster_of_page = np.unique(clusters, return_inverse=True)
    if not len(names):
        return np.ones((1, 0), dtype=np.int64)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPLICATES)
    return np.concatenate([np.ones((1, len(clusters)), dtype=np.int64), drawn[:, cluster_of_page]])


def _one_label(
    decisions: NDArray[Any], answers: NDArray[np.int8], weights: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int, int] | None:
    usable = np.isin(answers, (YES, NO)) & ~np.isnan(decisions)
    yes = answers[usable] == YES
    if yes.sum() < MIN_POSITIVES:
        return None
    return average_precision(decisions[usable], yes, weights[:, usable]), int(usable.sum()), int(yes.sum())


def _mean_over_labels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_replicates,) mean of the labels that a replicate drew at all."""
    there = ~np.isnan(values)
    return np.asarray(np.where(there, values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1), dtype=np.float64)


def _summary(values: NDArray[np.float64], n: int, n_yes: int) -> Precision:
    low, high = np.nanquantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Precision(float(values[0]), float(low), float(high), n, n_yes)
