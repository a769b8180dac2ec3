"""Forecasts: wide while little is known, narrow when weeks are alike, and right as often as they say."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from labeling.quality.forecast import FEWEST_WEEKS, weeks_left


def ends(*per_week, remaining=1000, seed=1):
    return weeks_left(per_week, remaining, rng=np.random.default_rng(seed))


def width(found):
    return found.latest - found.earliest


def test_two_weeks_of_work_are_needed():
    assert FEWEST_WEEKS == 2
    assert ends(100) is None
    assert ends(100, 0, 0, 0) is None
    assert ends(100, 100) is not None


def test_the_middle_is_what_division_says():
    assert ends(100, 100, 100, 100).middle == pytest.approx(10, rel=0.03)


def test_the_ends_stand_in_order():
    found = ends(50, 150, 80, 120)
    assert list(found) == sorted(found)
    assert found.earliest < found.middle < found.latest


def test_more_weeks_make_a_narrower_forecast():
    assert width(ends(100, 100)) > width(ends(*[100] * 4)) > width(ends(*[100] * 8))


def test_uneven_weeks_make_a_wider_forecast():
    assert width(ends(20, 180, 20, 180)) > 2 * width(ends(100, 100, 100, 100))


def test_only_the_last_eight_weeks_count():
    assert ends(*[1000] * 50, *[100] * 8) == ends(*[100] * 8)


def test_what_nobody_works_on_is_never_done():
    assert ends(100, 100, *[0] * 8).latest == math.inf


def test_what_takes_more_than_five_years_has_no_end():
    assert ends(1, 1, 1, 1, remaining=1_000_000).earliest == math.inf


def test_less_than_a_week_is_told_in_parts_of_it():
    assert ends(100, 100, 100, 100, remaining=50).middle == pytest.approx(0.5, rel=0.1)


def test_the_same_seed_gives_the_same_forecast():
    assert ends(50, 120, 80, seed=7) == ends(50, 120, 80, seed=7)


@pytest.mark.parametrize(("work", "remaining"), [([100, -1], 10), ([100, 100], 0)])
def test_impossible_questions_are_refused(work, remaining):
    with pytest.raises(ValueError, match="cannot forecast"):
        weeks_left(work, remaining, rng=np.random.default_rng(1))


@pytest.mark.parametrize(("n_weeks", "spread"), [(2, 0.35), (4, 0.1), (8, 0.35)])
def test_nine_in_ten_forecasts_hold(n_weeks, spread):
    """Of 200 teams whose weeks differ so much, the true end lies in the wide fan at least nine times in ten, and in the
    narrow one at least every second time. Refuted only where chance would do it once in 600."""
    rng = np.random.default_rng([n_weeks, round(100 * spread)])
    shape, n = 1 / spread**2, 200
    wide = narrow = 0
    for _ in range(n):
        team = rng.gamma(shape, 100 / shape, size=n_weeks + 60)
        done = team[n_weeks:].cumsum()
        place = int((done >= 1000).argmax())
        truth = place + 1 - (done[place] - 1000) / team[n_weeks + place]
        found = weeks_left(team[:n_weeks], 1000, rng=rng)
        wide += found.earliest <= truth <= found.latest
        narrow += found.early <= truth <= found.late
    assert binom.cdf(wide, n, 0.9) > 1 / 600
    assert binom.cdf(narrow, n, 0.5) > 1 / 600
