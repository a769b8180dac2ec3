"""Numbers into geometry: the interval always drawn, bars from zero; and numbers into words."""

import pytest

from labeling import phrases, plots
from labeling.quality.intervals import Estimate, undefined


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
