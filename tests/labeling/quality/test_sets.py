import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import jaccard_distance as nltk_jaccard
from nltk.metrics.distance import masi_distance as nltk_masi

from labeling.quality.sets import complete_sets, jaccard_distance, masi_distance, set_alpha

from .published import (
    FLEISS_1971,
    HAYES_KRIPPENDORFF_2007,
    KRIPPENDORFF_B,
    KRIPPENDORFF_C,
    homepages,
    long_form,
    one_hot,
)

NLTK_DISTANCES = {"masi": nltk_masi, "jaccard": nltk_jaccard}


def sizes(left, right):
    return tuple(np.array([float(len(x))]) for x in (left & right, left, right))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"A"}, {"A"}, 0),
        ({"A"}, {"A", "B"}, 1 - 1 / 2 * 2 / 3),
        ({"A", "B"}, {"B", "C"}, 1 - 1 / 3 * 1 / 3),
        ({"A"}, {"B"}, 1),
        (set(), {"A"}, 1),
        (set(), set(), 0),
    ],
)
def test_masi_distance_follows_passonneau(left, right, expected):
    """Passonneau (2006): 1 - Jaccard x monotonicity; two empty sets are the same answer."""
    assert masi_distance(*sizes(left, right)) == pytest.approx(expected)


def test_jaccard_distance_is_the_share_of_the_union_not_shared():
    assert jaccard_distance(*sizes({"A", "B"}, {"B", "C"})) == pytest.approx(2 / 3)
    assert jaccard_distance(*sizes(set(), set())) == 0


@pytest.mark.parametrize(
    ("data", "expected"), [(KRIPPENDORFF_B, 0.692), (KRIPPENDORFF_C, 0.743), (HAYES_KRIPPENDORFF_2007, 0.477)]
)
def test_sets_of_one_label_are_krippendorffs_nominal_examples(data, expected):
    """Krippendorff (2011), data B and C: alpha = 0.692 and 0.743. Hayes & Krippendorff (2007), table 1: 0.477."""
    items, _, values = long_form(data)
    for distance in ("masi", "jaccard"):
        alpha = set_alpha(items, one_hot(values) == 1, distance=distance)
        assert alpha.value == pytest.approx(expected, abs=5e-4)


def test_sets_of_one_label_give_fleiss_kappa_up_to_the_small_sample_factor():
    """Fleiss (1971): kappa = 0.430 for 30 patients, 6 raters, 5 diagnoses."""
    items, _, values = long_form(["".join(column) for column in zip(*FLEISS_1971, strict=True)])
    alpha = set_alpha(items, one_hot(values) == 1)
    assert 1 - (1 - alpha.value) * items.size / (items.size - 1) == pytest.approx(0.430, abs=5e-4)


@pytest.mark.parametrize("distance", ["masi", "jaccard"])
@pytest.mark.parametrize("seed", range(3))
def test_set_alpha_equals_another_implementation(seed, distance):
    rng = np.random.default_rng(seed)
    items, sets = np.repeat(np.arange(30), 3), rng.random((90, 4)) < 0.4
    sets[:, 0] |= ~sets.any(axis=1)  # the other implementation divides by zero on two empty sets
    raters, kept = np.tile(np.arange(3), 30), rng.random(90) < 0.8
    items, sets, raters = items[kept], sets[kept], raters[kept]
    labels = [frozenset(np.flatnonzero(row)) for row in sets]
    triples = list(zip(raters, items, labels, strict=True))
    expected = AnnotationTask(triples, distance=NLTK_DISTANCES[distance]).alpha()
    assert set_alpha(items, sets, distance=distance).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n_labels", [1, 8, 63, 64, 65, 130])
def test_any_number_of_labels_fits(n_labels):
    rng = np.random.default_rng(n_labels)
    items, sets = np.repeat(np.arange(12), 2), rng.random((24, n_labels)) < 0.5
    apart = np.array([[set_distance(a, b) for b in sets] for a in sets])
    observed = sum(2 * apart[2 * i, 2 * i + 1] for i in range(12))
    expected = 1 - 23 * observed / apart.sum()
    assert set_alpha(items, sets, distance="jaccard").value == pytest.approx(expected, abs=1e-12)


def test_pages_judged_once_do_not_count():
    items, sets = np.array([0, 0, 1, 1, 1, 5]), np.eye(6, dtype=bool)
    sets[1] = sets[0]
    assert set_alpha(items, sets) == set_alpha(items[:5], sets[:5])


def test_undefined_cases_say_why():
    nothing = np.zeros((4, 3), dtype=bool)
    assert set_alpha(np.arange(4), nothing).reason == "no page has two answers"
    assert set_alpha(np.array([0, 0, 1, 1]), nothing).reason == "every answer is the same set of labels"
    assert set_alpha(np.zeros(0, dtype=int), nothing[:0]).reason == "no page has two answers"
    assert set_alpha(np.array([0, 0]), np.eye(2, dtype=bool)).low is None


def test_a_few_pages_give_a_value_without_an_interval():
    items, sets = np.repeat(np.arange(4), 2), np.tile(np.eye(4, dtype=bool), (2, 1))
    alpha = set_alpha(items, sets)
    assert alpha.value is not None and (alpha.low, alpha.high) == (None, None)
    assert alpha.reason == "only 4 pages have two answers: an interval needs 5"


@given(st.integers(0, 10_000), st.integers(5, 12), st.sampled_from(["masi", "jaccard"]))
def test_no_interval_leaves_what_is_possible(seed, n_pages, distance):
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 4, n_pages)
    items = np.repeat(np.arange(n_pages), n)
    alpha = set_alpha(items, rng.random((items.size, 3)) < 0.3, distance=distance)
    if alpha.low is not None:
        assert -1 <= alpha.low <= alpha.value + 1e-12 <= alpha.high + 2e-12 <= 1 + 4e-12


def test_perfect_agreement_on_few_pages_is_not_certainty():
    items, sets = np.repeat(np.arange(10), 2), np.repeat(np.eye(10, dtype=bool), 2, axis=0)
    alpha = set_alpha(items, sets)
    assert (alpha.value, alpha.high) == (1, 1)
    assert 0.5 < alpha.low < 0.9


def test_the_interval_agrees_with_resampled_pages():
    items, _, _, verdicts, _ = homepages()
    order = np.argsort(items, kind="stable")
    by_page = (verdicts[order] == 1).reshape(562, 3, 14)
    rng = np.random.default_rng(5)
    draws = [set_alpha(np.repeat(np.arange(562), 3), by_page[pick(rng)].reshape(-1, 14)).value for _ in range(80)]
    alpha = set_alpha(items, verdicts == 1)
    assert (alpha.high - alpha.low) / (2 * 1.96) == pytest.approx(np.std(draws), rel=0.25)


def test_an_unsure_label_leaves_the_whole_set_unknown():
    items, sets = complete_sets(np.array([0, 0, 1]), np.array([[1, 0], [1, -1], [0, 0]]))
    assert items.tolist() == [0, 1]
    assert sets.tolist() == [[True, False], [False, False]]


def test_an_unknown_distance_is_named():
    with pytest.raises(ValueError, match="'dice'"):
        set_alpha(np.array([0, 0]), np.eye(2, dtype=bool), distance="dice")


def test_set_alpha_of_a_large_real_set():
    """CrowdTruth open-domain relation extraction, 60,980 judgments: MASI alpha .4437 (SE .0041), Jaccard .4705."""
    folder = os.environ.get("TOUCHSTONE_AGREEMENT_DATA")
    if not folder:
        pytest.skip("TOUCHSTONE_AGREEMENT_DATA does not name a folder with crowdtruth_odre_judgments.csv.gz")
    with gzip.open(Path(folder) / "crowdtruth_odre_judgments.csv.gz", "rt") as lines:
        rows = [(int(row["i"]), [int(label) for label in row["labels"].split()]) for row in csv.DictReader(lines)]
    items, sets = np.array([item for item, _ in rows]), np.zeros((len(rows), 18), dtype=bool)
    for row, (_, labels) in enumerate(rows):
        sets[row, labels] = True
    masi = set_alpha(items, sets)
    assert masi.value == pytest.approx(0.4437, abs=5e-5)
    assert (masi.high - masi.low) / (2 * 1.96) == pytest.approx(0.0041, abs=1e-4)
    assert set_alpha(items, sets, distance="jaccard").value == pytest.approx(0.4705, abs=5e-5)


def pick(rng):
    return rng.integers(0, 562, 562)


def set_distance(left, right):
    union = (left | right).sum()
    return 1 - (left & right).sum() / union if union else 0.0
