from datetime import date

from labeling.quality.agreement import nominal_alpha, prevalence
from labeling.quality.cells import Cells
from labeling.quality.contrast import change
from labeling.quality.trend import by_week

FIRST, SECOND, THIRD = date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 26)
ROWS = [(THIRD, 2, 0, 9), (FIRST, 2, 2, 40), (FIRST, 2, 1, 30), (SECOND, 2, 2, 60), (FIRST, 2, 0, 100),
        (SECOND, 2, 1, 10), (SECOND, 2, 0, 100), (FIRST, 2, 1, 10)]  # fmt: skip


def test_each_week_stands_alone_and_in_order():
    weeks = by_week(ROWS)
    assert [week.monday for week in weeks] == [FIRST, SECOND, THIRD]
    assert weeks[0].estimate == nominal_alpha(Cells.from_rows([(2, 2, 40), (2, 1, 40), (2, 0, 100)]))


def test_a_week_without_a_yes_says_so():
    assert by_week(ROWS)[2].estimate.reason == "no positive answer yet"
    assert by_week(ROWS)[2].estimate.value is None


def test_other_numbers_have_a_trend_too():
    assert by_week(ROWS, measure=prevalence)[1].estimate.value == 65 / 170
    assert by_week([]) == []


def test_two_weeks_compare_by_the_interval_of_their_difference():
    before, after = (week.estimate for week in by_week(ROWS)[:2])
    found = change(before, after)
    assert found.low > 0  # agreement rose for certain
    assert found.value == after.value - before.value
