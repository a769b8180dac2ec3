import numpy as np
import pytest

from labeling.quality.cells import Cells, cells_from_counts, cells_of


def rows(cells):
    return list(zip(cells.n.tolist(), cells.k.tolist(), cells.count.tolist(), strict=True))


def test_items_with_the_same_answers_share_a_cell():
    n, k = np.array([3, 3, 2, 3]), np.array([[1], [1], [2], [0]])
    assert rows(cells_from_counts(n, k)[0]) == [(2, 2, 1), (3, 0, 1), (3, 1, 2)]


def test_a_missing_verdict_is_missing_for_that_label_only():
    items = np.array([0, 0, 1, 1])
    verdicts = np.array([[1, 1], [-1, 0], [0, 0], [0, 1]])
    first, second = cells_of(items, verdicts)
    assert rows(first) == [(1, 1, 1), (2, 0, 1)]
    assert rows(second) == [(2, 1, 2)]


def test_an_empty_set_is_a_judgment_and_an_unanswered_one_is_not():
    none_of_them, unanswered = np.array([[0, 0]]), np.array([[-1, -1]])
    assert cells_of(np.array([0]), none_of_them)[0].n_items == 1
    assert cells_of(np.array([0]), unanswered)[0].n_items == 0


def test_the_order_of_judgments_does_not_matter():
    rng = np.random.default_rng(1)
    items, verdicts = rng.integers(0, 40, 200), rng.integers(-1, 2, (200, 3))
    order = rng.permutation(200)
    assert [rows(c) for c in cells_of(items, verdicts)] == [rows(c) for c in cells_of(items[order], verdicts[order])]


def test_rows_of_two_weeks_add_up():
    assert rows(Cells.from_rows([(2, 1, 4), (3, 0, 1), (2, 1, 6)])) == [(2, 1, 10), (3, 0, 1)]


def test_no_judgment_makes_empty_cells():
    empty = cells_of(np.zeros(0, dtype=int), np.zeros((0, 2), dtype=int))
    assert [cells.n_items for cells in empty] == [0, 0]
    assert Cells.from_rows([]).n_answers == 0


@pytest.mark.parametrize("row", [(2, 3, 1), (0, 0, 1), (2, -1, 1), (2, 1, -1)])
def test_impossible_cells_are_refused(row):
    with pytest.raises(ValueError, match="every cell needs"):
        Cells.from_rows([row])


@pytest.mark.parametrize(
    ("items", "verdicts", "sentence"),
    [
        ([0, 1], [[1]], "does not match"),
        ([-1], [[1]], "indices from 0"),
        ([0], [[2]], "verdicts are 1"),
    ],
)
def test_malformed_judgments_are_refused(items, verdicts, sentence):
    with pytest.raises(ValueError, match=sentence):
        cells_of(np.array(items), np.array(verdicts))
