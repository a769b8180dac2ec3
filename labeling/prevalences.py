"""On how many of all pages each label holds, from pages drawn by chance: never from those that a model chose."""

import numpy as np

from labeling.models import Project, Selection, Stream
from labeling.quality.cells import MISSING, NO, YES, Integers
from labeling.quality.intervals import Estimate
from labeling.quality.prevalence import prevalences
from labeling.votes import Votes

BY_CHANCE = (Stream.RANDOM, Stream.GOLD)
EVEN = 0.5


def of(project: Project, votes: Votes, truth: Integers) -> tuple[Estimate, ...]:
    """Of each label of `votes`; truth: (n_items, n_labels), what people decided.

    Each draw is a sample of its own, and so is the random arm, whose pages were all drawn with one chance.
    """
    row = {int(item): place for place, item in enumerate(votes.item_ids)}
    drawn = Selection.objects.filter(item__project=project, stream__in=BY_CHANCE).order_by("pk")
    rows, weights, samples = [], [], []
    for item, draw, probability in drawn.values_list("item", "draw", "probability").iterator(chunk_size=5_000):
        if item in row:
            rows.append(row[item])
            samples.append(draw or 0)
            weights.append(1 / probability if draw and probability else 1.0)
    holds = _holds(votes, truth)
    return prevalences(holds[rows], np.array(weights), np.array(samples, dtype=np.int64))


def _holds(votes: Votes, truth: Integers) -> np.ndarray:
    """(n_items, n_labels): 1 or 0 as decided or as most say, one half where as many say both; -1: nobody answered."""
    n, yes = votes.counts()
    most = np.where(2 * yes == n, EVEN, 2 * yes > n)
    said = np.where(n > 0, most, MISSING)
    found: np.ndarray = np.where(truth == YES, 1.0, np.where(truth == NO, 0.0, said)).astype(np.float64)
    return found
