import pytest

from labeling.quality.agreement import nominal_alpha
from labeling.quality.cells import Cells
from labeling.quality.intervals import Estimate, undefined
from labeling.quality.readings import items_needed, positives_needed, reading


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.80, 0.92, "reliable"),
        (0.79, 0.95, "tentative"),
        (0.667, 0.75, "tentative"),
        (0.66, 0.80, "revise"),
        (0.10, 0.21, "revise"),
        (0.10, 0.66, "revise"),
        (0.30, 0.90, "cannot tell yet"),
    ],
)
def test_the_lower_end_decides_unless_the_interval_is_too_wide_to_blame_the_guideline(low, high, expected):
    assert reading(Estimate((low + high) / 2, low, high)) == expected


def test_no_interval_no_reading():
    assert reading(undefined("no positive answer yet")) == "cannot tell yet"
    assert reading(Estimate(0.9, None, None, reason="only one page has two answers")) == "cannot tell yet"


@pytest.mark.parametrize(
    ("prevalence", "expected"),
    [
        (0.01, (6507, 4020, 3716, 2429)),
        (0.02, (3281, 2023, 1873, 1222)),
        (0.05, (1347, 825, 768, 499)),
        (0.10, (705, 428, 401, 259)),
        (0.20, (392, 234, 222, 142)),
        (0.50, (246, 144, 139, 88)),
    ],
)
def test_the_planner_gives_the_known_table(prevalence, expected):
    """Closed form for beta-binomial items, alpha .6 and .8 with 2 and 3 judgments, +-0.10."""
    found = [items_needed(alpha, prevalence, n_judgments=n) for alpha in (0.6, 0.8) for n in (2, 3)]
    assert found == pytest.approx(expected, abs=1)


def test_the_positives_needed_hardly_depend_on_how_rare_a_label_is():
    totals = [items_needed(0.6, prevalence) * prevalence for prevalence in (0.001, 0.01, 0.1)]
    assert totals == pytest.approx([68, 68, 68], abs=4)


def test_without_any_positive_the_planner_supposes_a_rare_label():
    cells = Cells.from_rows([(2, 0, 50)])
    assert 60 <= positives_needed(nominal_alpha(cells), cells) <= 75


def test_positives_at_hand_are_taken_off():
    few, more = (Cells.from_rows([(2, 2, n), (2, 1, n), (2, 0, 40 * n)]) for n in (4, 8))
    missing_few, missing_more = (positives_needed(nominal_alpha(cells), cells) for cells in (few, more))
    assert missing_few - missing_more == pytest.approx(6, abs=1)


def test_a_narrow_interval_needs_no_more():
    cells = Cells.from_rows([(2, 2, 400), (2, 1, 90), (2, 0, 4000)])
    assert positives_needed(nominal_alpha(cells), cells) == 0


@pytest.mark.parametrize("rows", [[], [(1, 1, 4)], [(2, 2, 3)], [(5, 2, 1)], [(2, 2, 3), (2, 0, 9)]])
def test_whatever_is_missing_the_planner_names_a_number_above_zero(rows):
    cells = Cells.from_rows(rows)
    alpha = nominal_alpha(cells)
    assert positives_needed(alpha, cells) >= (1 if alpha.value is None else 0)


def test_a_plan_outside_the_possible_is_refused():
    with pytest.raises(ValueError, match="cannot plan"):
        items_needed(1.0, 0.1)
