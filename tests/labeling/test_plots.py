"""Numbers into geometry: the interval always drawn, bars from zero, a forecast only after two weeks."""

from datetime import date, timedelta

import numpy as np
import pytest

from labeling import phrases, plots
from labeling.quality.intervals import Estimate, undefined

MONDAY = date(2026, 9, 7)


def test_the_scale_reaches_from_the_lowest_interval_end_to_one():
    forest = plots.Forest.of([Estimate(0.1, -0.07, 0.2), Estimate(0.9, 0.8, 1.0)])
    assert (forest.scale.low, forest.scale.high) == (pytest.approx(-0.1), 1.0)
    assert float(forest.zero) == pytest.approx(100 * 0.1 / 1.1, abs=0.1)


def test_zero_is_always_on_the_scale():
    assert plots.Forest.of([Estimate(0.9, 0.8, 1.0)]).zero == "0.0"


@pytest.mark.parametrize("found", [undefined("no page has two answers"), Estimate(0.5, None, None, reason="one page")])
def test_without_an_interval_there_is_no_point(found):
    assert plots.Forest.of([found]).interval(found) is None


def test_bars_share_one_scale_and_start_at_zero():
    drawn = plots.minis([[10, 0, 0], [5, 20, 0]])
    heights = [[float(bar.height) for bar in row] for row in drawn]
    assert heights[1][1] == 2 * heights[0][0]
    assert heights[0][1] == 0
    assert all(float(bar.y) + float(bar.height) == pytest.approx(plots.MINI_HEIGHT) for row in drawn for bar in row)


def test_weeks_without_work_are_weeks_too():
    weeks = plots.by_week({MONDAY: 3, MONDAY + timedelta(days=15): 4})
    assert weeks == [(MONDAY, 3), (MONDAY + timedelta(days=7), 3), (MONDAY + timedelta(days=14), 7)]


def burn_up(*per_week, goal):
    totals = np.cumsum(per_week).tolist()
    weeks = [(MONDAY + timedelta(days=7 * place), total) for place, total in enumerate(totals)]
    return plots.burn_up(weeks, goal=goal, rng=np.random.default_rng(1))


def test_there_is_no_forecast_before_two_whole_weeks_of_work():
    assert burn_up(50, 50, goal=1000).finish is None


def test_steady_work_is_forecast_without_doubt():
    plot = burn_up(100, 100, 100, 100, goal=1000)
    assert plot.finish_from == plot.finish == plot.finish_to == MONDAY + timedelta(days=7 * 10)


def test_uneven_work_gives_a_wide_fan():
    plot = burn_up(200, 10, 150, 20, 90, goal=2000)
    assert plot.finish_from < plot.finish < plot.finish_to


def test_finished_work_has_no_forecast():
    assert burn_up(100, 100, 100, goal=300).finish is None


@pytest.mark.parametrize(
    ("kappa", "field"),
    [(-0.3, "h0"), (0.05, "h0"), (0.09, "h1"), (0.35, "h2"), (0.43, "h3"), (0.51, "h4"), (0.9, "h5")],
)
def test_darker_fields_are_higher_kappas(kappa, field):
    assert plots.heat_class(kappa) == field


@pytest.mark.parametrize(("value", "text"), [(0.153, "0.15"), (-0.02, "−0.02"), (-0.001, "0.00"), (1, "1.00")])
def test_numbers_have_a_true_minus_and_no_negative_zero(value, text):
    assert phrases.number(value) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Estimate(0.15, 0.1, 0.21, n=562), "0.15 (0.10 to 0.21)"),
        (undefined("no page has two answers", n=8), "too few (n 8)"),
        (undefined("no positive answer yet", n=500), "no positive answer yet"),
        (Estimate(1.0, None, None, n=1, reason="only one page"), "1.00, no interval yet"),
    ],
)
def test_undefined_reads_as_words(found, text):
    assert phrases.estimate(found) == text
