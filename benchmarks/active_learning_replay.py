"""Replay labelling on real URLs: how much sooner does a strategy get there than drawing at random?

    python -m benchmarks.active_learning_replay FILE [--strategies label_margin_div_rand random] [--seeds 0 1 2]

FILE is a CSV (plain or gzip) with the columns url, group (registrable domain) and labels (joined by |), as in
tests/active_learning/data/SOURCE.md. The labels answer in place of people. Pages are parted by group: a pool to choose
from and a test set to measure on. Each run starts with the same random labels as every other strategy of its seed, and
all draw their random share by the same permanent random numbers.
Prints one JSON object; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from active_learning.learner.estimator import NOT_ASKED
from active_learning.learner.features import Page, featurise
from active_learning.learner.learn import learn
from active_learning.learner.model import LinearModel
from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies.contract import CachedClassifier
from active_learning.strategies.diversity import fit_components
from active_learning.strategies.mixing import compose
from active_learning.strategies.names import DEFAULT_STRATEGY, STRATEGY_NAMES
from active_learning.strategies.random_arm import Mask, extension
from active_learning.strategies.registry import strategy_named


class Urls(NamedTuple):
    X: sparse.csr_matrix
    targets: NDArray[np.int8]
    clusters: NDArray[Any]
    labels: tuple[str, ...]

    def rows(self, which: NDArray[Any]) -> Urls:
        return Urls(self.X[which], self.targets[which], self.clusters[which], self.labels)


def read(path: Path) -> Urls:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = list(csv.DictReader(content.decode("utf-8").splitlines()))
    named = [set(row["labels"].split("|")) - {""} for row in rows]
    labels = tuple(sorted(set().union(*named)))
    targets = np.array([[label in names for label in labels] for names in named], dtype=np.int8)
    parts = [row["url"].partition("/") for row in rows]
    pages = [Page(host, row["group"], slash + path) for row, (host, slash, path) in zip(rows, parts, strict=True)]
    return Urls(featurise(pages), targets, np.array([row["group"] for row in rows]), labels)


class Asked(NamedTuple):
    """The state of a replay, (n_pool,) each: permanent random numbers, what chance drew so far, what was asked."""

    u: NDArray[np.int64]
    drawn: Mask
    asked: Mask

    def start(self, n_labels: int) -> None:
        self.drawn[self.u < n_labels] = self.asked[self.u < n_labels] = True


def split(urls: Urls, n_pool: int, n_test: int, rng: np.random.Generator) -> tuple[Urls, Urls]:
    """A pool and a test set that share no registrable domain, with the file's own proportion of labels."""
    _, cluster_of_row = np.unique(urls.clusters, return_inverse=True)
    in_test = (rng.random(cluster_of_row.max() + 1) < n_test / (n_pool + n_test))[cluster_of_row]
    pool, test = (rng.permutation(np.flatnonzero(side)) for side in (~in_test, in_test))
    return urls.rows(np.sort(pool[:n_pool])), urls.rows(np.sort(test[:n_test]))


def measure(model: LinearModel, test: Urls) -> dict[str, float]:
    """Macro average precision and macro-F1 at the fitted line; a label without a model has its base rate and 0."""
    from sklearn.metrics import average_precision_score, f1_score

    decisions = model.decision(test.X)
    seen = np.flatnonzero(test.targets.sum(axis=0) > 0)
    precisions, f1s = [], []
    for k in seen:
        scores = np.nan_to_num(decisions[:, k])
        precisions.append(average_precision_score(test.targets[:, k], scores))
        f1s.append(f1_score(test.targets[:, k], scores > 0, zero_division=0))
    return {"macro_ap": float(np.mean(precisions)), "macro_f1": float(np.mean(f1s))}


def replay(pool: Urls, test: Urls, strategy: str, arguments: argparse.Namespace, seed: int) -> list[dict[str, float]]:
    """Learning curve of one strategy: a measurement after every batch."""
    start_rng, rng = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    n_pool = pool.X.shape[0]
    so_far = Asked(start_rng.permutation(n_pool), np.zeros(n_pool, dtype=bool), np.zeros(n_pool, dtype=bool))
    so_far.start(arguments.start)
    components = fit_components(pool.X, start_rng)
    curve = []
    while True:
        rows = np.flatnonzero(so_far.asked)
        model = learn(pool.X[rows], pool.targets[rows], labels=pool.labels, clusters=pool.clusters[rows], seed=seed)
        curve.append({"n_labels": len(rows), **measure(model, test)})
        if len(rows) >= arguments.labels:
            return curve
        picks = choose(pool, model, so_far, strategy, arguments, components, rng)
        if not picks:
            raise SystemExit(f"{strategy} found nothing more to ask at {len(rows)} labels; give a larger --pool")
        so_far.asked[picks] = True


def choose(
    pool: Urls,
    model: LinearModel,
    so_far: Asked,
    strategy: str,
    arguments: argparse.Namespace,
    components: NDArray[np.float32],
    rng: np.random.Generator,
) -> list[int]:
    decisions = model.decision(pool.X)
    classifier = CachedClassifier(
        model.probabilities(decisions),
        decisions,
        labels=pool.labels,
        positives=(np.where(so_far.asked[:, None], pool.targets, NOT_ASKED) == 1).sum(axis=0),
        thresholds=model.thresholds,
        components=components,
    )
    chosen = strategy_named(strategy)
    n_new = chosen.n_by_chance(arguments.batch, chosen.random_share, rng)
    joined = extension(so_far.u, drawn=so_far.drawn, asked=so_far.asked, n_new=n_new)
    so_far.drawn[joined] = True
    picks = compose(
        chosen,
        classifier,
        pool.X,
        arguments.batch,
        rng=rng,
        drawn=joined[~so_far.asked[joined]],
        candidates=~so_far.asked,
        limits=BatchLimits(domains=pool.clusters),
    )
    return [pick.index for pick in picks]


def labels_needed(curve: list[dict[str, float]], measure_name: str, goal: float) -> float | None:
    """Labels after which the curve first reaches the goal, by straight lines between batches; None if it never does."""
    before = None
    for point in curve:
        if point[measure_name] >= goal:
            if before is None:
                return point["n_labels"]
            part = (goal - before[measure_name]) / (point[measure_name] - before[measure_name])
            return before["n_labels"] + part * (point["n_labels"] - before["n_labels"])
        before = point
    return None


def mean_curve(curves: list[list[dict[str, float]]]) -> list[dict[str, float]]:
    return [
        {key: float(np.mean([point[key] for point in points])) for key in points[0]}
        for points in zip(*curves, strict=True)
    ]


def report(curves: dict[str, list[list[dict[str, float]]]]) -> dict[str, Any]:
    """Last point of each strategy, and the share of labels saved to reach what random has at the end."""
    means = {strategy: mean_curve(runs) for strategy, runs in curves.items()}
    answer: dict[str, Any] = {strategy: {"end": curve[-1], "curve": curve} for strategy, curve in means.items()}
    if "random" in means:
        for strategy, curve in means.items():
            for name in ("macro_ap", "macro_f1"):
                needed = labels_needed(curve, name, means["random"][-1][name])
                saved = None if needed is None else 1 - needed / means["random"][-1]["n_labels"]
                answer[strategy][f"labels_saved_{name}"] = saved
    return answer


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--strategies", nargs="+", choices=STRATEGY_NAMES, default=[DEFAULT_STRATEGY, "random"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--pool", type=int, default=20_000)
    parser.add_argument("--test", type=int, default=10_000)
    parser.add_argument("--start", type=int, default=100)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--labels", type=int, default=1_500)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    urls = read(arguments.file)
    curves: dict[str, list[list[dict[str, float]]]] = {strategy: [] for strategy in arguments.strategies}
    for seed in arguments.seeds:
        pool, test = split(urls, arguments.pool, arguments.test, np.random.default_rng([seed, 0]))
        for strategy in arguments.strategies:
            began = time.perf_counter()
            curves[strategy].append(replay(pool, test, strategy, arguments, seed))
            end = curves[strategy][-1][-1]
            print(
                f"seed {seed} {strategy}: macro-AP {end['macro_ap']:.3f}, macro-F1 {end['macro_f1']:.3f}, "
                f"{time.perf_counter() - began:.0f} s",
                file=sys.stderr,
            )
    print(json.dumps(report(curves), indent=2))


if __name__ == "__main__":
    main()
