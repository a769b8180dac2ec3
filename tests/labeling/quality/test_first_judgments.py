import numpy as np
import pytest

from labeling.quality.agreement import nominal_alpha
from labeling.quality.cells import cells_of
from labeling.quality.first_judgments import first_judgments


def test_the_first_two_of_each_page_by_time():
    items, at = np.array([1, 0, 1, 1, 0]), np.array([30, 5, 10, 20, 6])
    assert first_judgments(items, at).tolist() == [False, True, True, True, True]


def test_at_the_same_moment_the_order_of_the_rows_decides():
    assert first_judgments(np.zeros(3, dtype=int), np.array([7, 7, 7])).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("p_pages", "true_alpha", "on_everything"),
    [([0, 1, 0.5], 2 / 3, 0.62), ([0.1, 0.9], 0.64, 0.68)],
    ids=["some pages are hard", "people slip"],
)
def test_more_judgments_of_contested_pages_spoil_alpha_but_not_on_the_first_two(p_pages, true_alpha, on_everything):
    rng = np.random.default_rng(1)
    answers = (rng.random((20_000, 5)) < rng.choice(p_pages, 20_000)[:, None]).astype(int)
    contested = answers[:, :1] != answers[:, 1:2]
    items, at = np.nonzero((np.arange(5) < 2) | contested)
    verdicts = answers[items, at][:, None]
    first = first_judgments(items, at)
    everything, fair = (
        nominal_alpha(cells_of(items[rows], verdicts[rows])[0]) for rows in (np.ones_like(first), first)
    )
    assert fair.low < true_alpha < fair.high
    assert everything.value == pytest.approx(on_everything, abs=0.02)
    assert not everything.low < true_alpha < everything.high


def test_no_judgment_and_shapes_that_do_not_match():
    assert first_judgments(np.zeros(0, dtype=int), np.zeros(0)).shape == (0,)
    with pytest.raises(ValueError, match="do not match"):
        first_judgments(np.zeros(2, dtype=int), np.zeros(3))
