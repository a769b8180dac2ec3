"""What is known about a model: examples per label, and how well it ranks pages drawn by chance that it had not seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.dataset import Dataset
from active_learning.learner.calibration import held_out_decisions
from active_learning.learner.estimator import NO, YES
from active_learning.learner.learn import Learnt
from active_learning.learner.precision import LEVEL, MIN_POSITIVES, Precision, precisions
from labeling.quality.intervals import Estimate, EstimateDict, undefined

MIN_RANDOM = 60  # random pages before a curve is drawn
ACTIVE, RANDOM = "active", "random"


def metrics(data: Dataset, learnt: Learnt, *, seed: int) -> dict[str, Any]:
    """Everything a manager reads about a run, JSON-able. Undefined is null with its reason."""
    model = learnt.model
    points = curve(data, learnt, seed=seed)
    measured = points[0]
    n_yes, n_no = data.count(YES), data.count(NO)
    return {
        "n_random": data.n_random,
        "macro_ap": measured["macro_ap"],
        "curve": points,
        "labels": {
            label: {
                "n_yes": int(n_yes[k]),
                "n_no": int(n_no[k]),
                "fitted": bool(model.fitted[k]),
                "threshold": float(model.thresholds[k]),
                "average_precision": measured["per_label"][label],
                "notes": list(model.note(label)),
            }
            for k, label in enumerate(data.labels)
        },
    }


def curve(data: Dataset, learnt: Learnt, *, seed: int) -> list[dict[str, Any]]:
    """One point for each arm, the run's own first; both are measured on the same pages, those drawn by chance.

    active: learnt from all answered pages, however they came. random: learnt from the random pages alone.
    Only pages drawn by chance are measured on: pages that a model picked do not show what it does on the others.
    """
    fair = data.fair
    if fair.all() or not fair.any():
        return [_point(data, learnt.held_out[fair], arm=RANDOM, n_labels=data.n_random, seed=seed)]
    points = [_point(data, learnt.held_out[fair], arm=ACTIVE, n_labels=len(fair), seed=seed)]
    if data.n_random >= MIN_RANDOM:
        alone = held_out_decisions(data.X[fair], data.targets[fair], data.clusters[fair], seed=seed)
        points.append(_point(data, alone, arm=RANDOM, n_labels=data.n_random, seed=seed))
    return points


def too_few(n_random: int) -> str:
    are = "is" if n_random == 1 else "are"
    return f"The first curve appears after {MIN_RANDOM} random pages; {n_random} {are} answered."


def _point(data: Dataset, held_out: NDArray[Any], *, arm: str, n_labels: int, seed: int) -> dict[str, Any]:
    fair = data.fair
    if data.n_random < MIN_RANDOM:
        unknown = undefined(f"Measured once {MIN_RANDOM} random pages are answered.", n=data.n_random).as_dict()
        return {
            "n_labels": n_labels,
            "arm": arm,
            "macro_ap": undefined(too_few(data.n_random), n=data.n_random).as_dict(),
            "per_label": dict.fromkeys(data.labels, unknown),
        }
    found = precisions(held_out, data.targets[fair], data.clusters[fair], rng=np.random.default_rng(seed))
    n_yes = (data.targets[fair] == YES).sum(axis=0)
    return {
        "n_labels": n_labels,
        "arm": arm,
        "macro_ap": _estimate(found.macro, data.n_random, "No label has enough random pages with it yet."),
        "per_label": {
            label: _estimate(found.per_label[k], data.n_random, _rare(int(n_yes[k])))
            for k, label in enumerate(data.labels)
        },
    }


def _rare(n_yes: int) -> str:
    if n_yes >= MIN_POSITIVES:
        return "Too few pages of other sites have this label to measure it on the rest."
    pages = "1 random page has" if n_yes == 1 else f"{n_yes} random pages have"
    return f"{pages} this label; {MIN_POSITIVES} are needed."


def _estimate(found: Precision | None, n: int, reason: str) -> EstimateDict:
    if found is None:
        return undefined(reason, n=n).as_dict()
    return Estimate(found.value, found.low, found.high, LEVEL, found.n).as_dict()
