"""Consensus of adult2 (Get-Another-Label: 11,040 sites, 825 workers, 333 sites rated by an expert) beside the expert.

The judgments are not shipped: TOUCHSTONE_REPLAY_DATA names the folder with adult2_judgments.csv.gz and adult2_gold.csv.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from labeling.quality.calibration import fit_temperature, log_loss
from labeling.quality.dawid_skene import Votes, fit

GRADES = {"G": 0, "P": 1, "R": 2, "X": 3}


def at_least(grades):
    """P or worse, R or worse, X: (n, 3)."""
    return (np.array([GRADES[grade] for grade in grades])[:, None] >= [1, 2, 3]).astype(int)


@pytest.fixture(scope="module")
def adult2():
    """Votes, the rows of the sites that the expert rated, and the expert's ratings."""
    folder = Path(os.environ.get("TOUCHSTONE_REPLAY_DATA", ""))
    if not (folder / "adult2_judgments.csv.gz").is_file():
        pytest.skip("TOUCHSTONE_REPLAY_DATA names no folder with adult2_judgments.csv.gz; it is not shipped")
    with gzip.open(folder / "adult2_judgments.csv.gz", "rt") as lines:
        said = {(row["i"], row["w"]): row["label"] for row in csv.DictReader(lines) if row["label"] in GRADES}
    with (folder / "adult2_gold.csv").open() as lines:
        expert = {row["i"]: row["label"] for row in csv.DictReader(lines) if row["label"] in GRADES}
    sites, items = np.unique([site for site, _ in said], return_inverse=True)
    workers, raters = np.unique([worker for _, worker in said], return_inverse=True)
    votes = Votes.of(items, raters, at_least(said.values()), n_items=sites.size, n_raters=workers.size)
    rated = np.flatnonzero(np.isin(sites, list(expert)))
    return votes, rated, at_least(expert[site] for site in sites[rated])


def exact(log_odds, truth):
    return ((log_odds > 0) == truth).all(axis=1).mean()


@pytest.mark.parametrize(("pseudo_counts", "expected"), [(1e-3, 0.742), (20, 0.778), (1e6, 0.799)])
def test_shrinkage_comes_nearer_to_the_expert(adult2, pseudo_counts, expected):
    """Hardly any: the model of 1979; very many: only the label has error rates. A majority has .751."""
    votes, rated, truth = adult2
    assert exact(fit(votes, pseudo_counts=pseudo_counts).log_odds[rated], truth) == pytest.approx(expected, abs=2e-3)


def test_a_temperature_fitted_on_the_expert_halves_the_log_loss(adult2):
    votes, rated, truth = adult2
    found = fit(votes, pseudo_counts=20)
    warm = fit_temperature(found.log_odds[rated], truth).value
    raw, cooled = (log_loss(found.p(t)[rated], truth).value for t in (1.0, warm))
    assert cooled < raw / 2
