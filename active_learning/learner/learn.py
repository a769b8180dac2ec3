"""Rows and answers in, a calibrated model out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.calibration import fit_sigmoid, held_out_decisions
from active_learning.learner.estimator import DEFAULT_SETTINGS, NOT_ASKED, FitSettings, Targets, fit_weights
from active_learning.learner.features import DEFAULT_RECIPE, Recipe
from active_learning.learner.model import LinearModel
from active_learning.learner.thresholds import FALLBACK, f1_threshold


class Learnt(NamedTuple):
    """A model, and what it says of each row it was fitted on, by weights fitted without that row's cluster."""

    model: LinearModel
    held_out: NDArray[np.float32]  # (n_rows, n_labels) decisions, NaN where there are none


def learn(
    X: sparse.csr_matrix,
    targets: Targets,
    *,
    labels: Sequence[str],
    clusters: NDArray[Any],
    seed: int,
    recipe: Recipe = DEFAULT_RECIPE,
    fair: NDArray[np.bool_] | None = None,
    settings: FitSettings = DEFAULT_SETTINGS,
) -> LinearModel:
    """Fit every label that has enough answers, then its sigmoid and threshold on clusters held out from the fit.

    X: (n_rows, recipe.n_columns) from `featurise`; targets: (n_rows, n_labels) of 1, 0 and -1 = not asked.
    clusters: (n_rows,) registrable domains. fair: (n_rows,) True for rows drawn by chance; given, only these set
    calibration and thresholds, since rows a model picked do not show how often a label occurs. None: all rows do.
    What could not be fitted says so in the model's notes. Raises ValueError when the shapes do not match.
    """
    return learn_and_hold_out(
        X, targets, labels=labels, clusters=clusters, seed=seed, recipe=recipe, fair=fair, settings=settings
    ).model


def learn_and_hold_out(
    X: sparse.csr_matrix,
    targets: Targets,
    *,
    labels: Sequence[str],
    clusters: NDArray[Any],
    seed: int,
    recipe: Recipe = DEFAULT_RECIPE,
    fair: NDArray[np.bool_] | None = None,
    settings: FitSettings = DEFAULT_SETTINGS,
) -> Learnt:
    """The same, with the held-out decisions, so that whoever measures the model need not fit it again."""
    if targets.shape != (X.shape[0], len(labels)) or len(clusters) != X.shape[0]:
        raise ValueError(
            f"{X.shape[0]} rows, targets {targets.shape}, {len(labels)} labels, {len(clusters)} clusters do not match"
        )
    fitted = fit_weights(X, targets, seed=seed, settings=settings)
    held_out = held_out_decisions(X, targets, clusters, seed=seed, settings=settings)
    judged = targets if fair is None else np.where(fair[:, None], targets, np.int8(NOT_ASKED))
    notes: dict[str, list[str]] = {label: [] for label in labels}
    slopes, offsets, thresholds = np.ones(len(labels)), np.zeros(len(labels)), np.full(len(labels), FALLBACK)
    for k, label in enumerate(labels):
        if k in fitted.refusals:
            notes[label].append(fitted.refusals[k])
            continue
        sigmoid = fit_sigmoid(held_out[:, k], judged[:, k])
        threshold = None if sigmoid is None else f1_threshold(sigmoid.p(held_out[:, k]), judged[:, k])
        if sigmoid is None:
            notes[label].append("Not calibrated, too few judged pages: its probabilities rank pages but are not rates.")
        else:
            slopes[k], offsets[k] = sigmoid
        if threshold is None:
            notes[label].append(f"Threshold {FALLBACK}: too few pages with this label to choose one.")
        else:
            thresholds[k] = threshold
    model = LinearModel(
        tuple(labels), fitted.weights, fitted.intercepts, slopes, offsets, thresholds, recipe=recipe, notes=notes
    )
    return Learnt(model, held_out)
