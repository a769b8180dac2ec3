"""Real URLs with the names of the UT1 lists they stand on; see data/SOURCE.md."""

import csv
import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

from active_learning.learner.features import Page

SLICE = Path(__file__).parent / "data" / "ut1_slice.csv.gz"


class RealUrls(NamedTuple):
    pages: list[Page]
    clusters: np.ndarray  # registrable domain of each page
    labels: tuple[str, ...]
    targets: np.ndarray  # (n_pages, n_labels) of 1 and 0


def read_urls(path: Path = SLICE) -> RealUrls:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = [row["labels"].split("|") for row in rows]
    labels = tuple(sorted({label for names in named for label in names}))
    targets = np.array([[label in names for label in labels] for names in named], dtype=np.int8)
    clusters = np.array([row["group"] for row in rows])
    return RealUrls([page_of(row["url"], row["group"]) for row in rows], clusters, labels, targets)


def page_of(url: str, registrable_domain: str) -> Page:
    host, slash, path = url.partition("/")
    return Page(host, registrable_domain, slash + path)


def split_by_cluster(clusters: np.ndarray, share: float, *, seed: int) -> np.ndarray:
    """(n_pages,) True for about this share of pages; no registrable domain is on both sides."""
    names, cluster_of_page = np.unique(clusters, return_inverse=True)
    return (np.random.default_rng(seed).random(len(names)) < share)[cluster_of_page]
