"""Refitting the consensus: the product's fit beside the bare formulas of the same EM, and one item by itself.

The floor is what the model costs when nothing is checked, named or kept: M-step and E-step as two products each, the
same start, the same stop. It is measured before and after what is compared with it.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import expit, logit

from benchmarks.figures import Clock, Figure, at_most, limited
from labeling.quality.dawid_skene import MOST_STEPS, TOLERANCE, Fit, Votes, fit
from labeling.quality.skills import PSEUDO_COUNTS, item_probabilities

N_LABELS, N_RATERS, EACH = 16, 200, 5
RATIO = 1.1
REFIT_LIMIT = {10_000: 200, 100_000: 1_200}  # milliseconds one core needed when the formulation was chosen
ONE_ITEM_US = 300.0


class Judgments(NamedTuple):
    items: npt.NDArray[np.int64]
    raters: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int8]
    n_items: int


def simulated(n_items: int, rng: np.random.Generator) -> Judgments:
    """Five of 200 raters on each item; labels of 1 % to 20 %, raters who find .6 to .95 and leave alone .9 to .99."""
    truth = rng.random((n_items, N_LABELS)) < np.geomspace(0.01, 0.2, N_LABELS)
    finds, leaves = rng.uniform(0.6, 0.95, (N_RATERS, 1)), rng.uniform(0.9, 0.99, (N_RATERS, 1))
    first = rng.integers(N_RATERS, size=n_items)
    raters = ((first[:, None] + np.arange(EACH) * 37) % N_RATERS).ravel()  # five different ones
    items = np.repeat(np.arange(n_items), EACH)
    p_yes = np.where(truth[items], finds[raters], 1 - leaves[raters])
    return Judgments(items, raters, (rng.random(p_yes.shape) < p_yes).astype(np.int8), n_items)


def refit(judged: Judgments) -> Fit:
    votes = Votes.of(judged.items, judged.raters, judged.verdicts, n_items=judged.n_items, n_raters=N_RATERS)
    return fit(votes)


def bare(judged: Judgments) -> npt.NDArray[np.float64]:
    """The same EM, bare. Returns (n_items, n_labels) P(yes) before any temperature."""
    items, raters, verdicts, n_items = judged
    ones = np.ones(items.size)
    M = csr_array((ones, (items, raters)), shape=(n_items, N_RATERS))
    judgment, label = np.nonzero(verdicts)
    at = items[judgment] * N_LABELS + label, raters[judgment] * N_LABELS + label
    P = csr_array((np.ones(judgment.size), at), shape=(n_items * N_LABELS, N_RATERS * N_LABELS))
    n, y1 = M.sum(axis=0)[:, None], P.sum(axis=0).reshape(N_RATERS, N_LABELS)
    T = P.sum(axis=1).reshape(n_items, N_LABELS) / M.sum(axis=1)[:, None]
    for _ in range(MOST_STEPS):
        t1, t11 = M.T @ T, (P.T @ T.ravel()).reshape(N_RATERS, N_LABELS)
        t0 = n - t1
        t00 = t0 - (y1 - t11)
        se = (t11 + PSEUDO_COUNTS * ((t11.sum(0) + 1) / (t1.sum(0) + 2))) / (t1 + PSEUDO_COUNTS)
        sp = (t00 + PSEUDO_COUNTS * ((t00.sum(0) + 1) / (t0.sum(0) + 2))) / (t0 + PSEUDO_COUNTS)
        yes, no = np.log(se / (1 - sp)), np.log((1 - se) / sp)
        odds = logit((T.sum(0) + 0.5) / (n_items + 1)) + M @ no + (P @ (yes - no).ravel()).reshape(n_items, N_LABELS)
        before, T = T, expit(odds)
        if np.abs(T - before).max() <= TOLERANCE:
            break
    return T


def measure(*sizes: int) -> Iterator[Figure]:
    """For each number of items: the refit, its ratio to the floor, and one item's probabilities from stored skills."""
    for n_items in sizes:
        judged = simulated(n_items, np.random.default_rng(0))
        before = _seconds(bare, judged)
        found: list[Fit] = []
        took = _seconds(lambda given, kept=found: kept.append(refit(given)), judged)
        floor = min(before, _seconds(bare, judged))
        yield limited(f"refit of {n_items:,} items, {N_LABELS} labels", took, REFIT_LIMIT, n_items)
        yield Figure(f"the same EM, bare, {found[0].n_steps} steps", 1000 * floor, "ms")
        yield at_most(f"refit of {n_items:,} items / bare", took / floor, RATIO)
    yield at_most("one item from stored skills", _one_item_us(judged, found[0]), ONE_ITEM_US, "us", digits=0)


def _one_item_us(judged: Judgments, found: Fit, turns: int = 500) -> float:
    weights, raters = found.skills.weights(), judged.raters[:EACH]
    with Clock() as clock:
        for _ in range(turns):
            item_probabilities(judged.verdicts[:EACH], weights.of(raters), found.prior)
    return 1e6 * clock.seconds / turns


def _seconds(what: Callable[[Judgments], object], judged: Judgments, turns: int = 3) -> float:
    """Processor time of the quickest of a few turns, so that waiting for others on the machine does not count."""
    best = float("inf")
    for _ in range(turns):
        began = time.process_time()
        what(judged)
        best = min(best, time.process_time() - began)
    return best
