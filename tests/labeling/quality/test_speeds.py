"""Times of answers in bins: the median is that of the times, to within the width of a bin."""

import numpy as np
import pytest

from labeling.quality.speeds import bin_of, median_seconds


def binned(seconds) -> dict[int, int]:
    places, counts = np.unique([bin_of(one) for one in seconds], return_counts=True)
    return dict(zip(places.tolist(), counts.tolist(), strict=True))


def test_the_median_is_read_from_the_bins_to_within_three_percent():
    seconds = np.random.default_rng(1).lognormal(2.5, 0.8, size=501)
    found = median_seconds(binned(seconds))
    assert found.value == pytest.approx(np.median(seconds), rel=0.03) and found.n == 501
    assert found.low < np.median(seconds) < found.high


def test_the_interval_covers_the_true_median_as_often_as_it_says():
    rng = np.random.default_rng(2)
    runs = [median_seconds(binned(rng.lognormal(2.0, 1.0, size=60))) for _ in range(200)]
    assert 0.92 <= np.mean([run.low <= np.exp(2.0) <= run.high for run in runs]) <= 1.0


def test_three_times_have_a_median_and_no_interval():
    found = median_seconds(binned([4.0, 5.0, 60.0]))
    assert found.value == pytest.approx(5.0, rel=0.03) and found.low is None and "only 3 pages" in found.reason


def test_no_time_is_undefined():
    assert median_seconds({}).value is None


def test_no_time_at_all_and_half_a_day_have_a_bin_too():
    assert bin_of(0.0) == 0 and bin_of(50_000.0) == bin_of(7_200.0)
    with pytest.raises(ValueError, match="not a time"):
        bin_of(float("nan"))
