from itertools import combinations

import numpy as np
import pytest

from labeling.quality.label_pairs import label_swaps, most_swapped

from .published import homepages


def swaps_by_hand(items, verdicts, a, b):
    def swapped(x, y):
        return x[a] == 1 and x[b] == 0 and y[a] == 0 and y[b] == 1

    pairs = [(verdicts[i], verdicts[j]) for i, j in combinations(range(len(items)), 2) if items[i] == items[j]]
    return sum(swapped(x, y) or swapped(y, x) for x, y in pairs)


@pytest.mark.parametrize("seed", range(3))
def test_swaps_are_what_counting_by_hand_finds(seed):
    rng = np.random.default_rng(seed)
    items, verdicts = rng.integers(0, 12, 40), rng.integers(-1, 2, (40, 4))
    found = label_swaps(items, verdicts)
    for a, b in combinations(range(4), 2):
        assert found[a, b] == found[b, a] == swaps_by_hand(items, verdicts, a, b)
    assert not np.diag(found).any()


def test_the_pair_people_mix_up_comes_first_with_the_pages_to_look_at():
    items = np.array([0, 0, 1, 1, 2, 2, 2, 3, 3])
    a, b, c, nothing = [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]
    verdicts = np.array([a, b, c, c, a, b, b, a, nothing])
    (pair,) = most_swapped(items, verdicts)
    assert (pair.left, pair.right, pair.swaps, pair.examples) == (0, 1, 3, (2, 0))
    assert pair.share.value == pytest.approx(2 / 3) and pair.share.n == 3  # page 3 is about A alone: no swap


def test_unsure_is_no_swap():
    assert most_swapped(np.array([0, 0]), np.array([[1, 0], [-1, 1]])) == []


def test_no_judgment_no_pair():
    assert most_swapped(np.zeros(0, dtype=int), np.zeros((0, 3), dtype=int)) == []


def test_the_most_swapped_topics_of_real_home_pages_come_in_order():
    items, _, _, verdicts, _ = homepages()
    found = most_swapped(items, verdicts, most=5)
    swaps = [pair.swaps for pair in found]
    assert len(found) == 5 and swaps == sorted(swaps, reverse=True)
    best = found[0]
    assert best.swaps == swaps_by_hand(items, verdicts, best.left, best.right)
    assert 0 < best.share.low < best.share.value < best.share.high < 1
