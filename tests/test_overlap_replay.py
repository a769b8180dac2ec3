"""The replay of adaptive overlap and the refit benchmark still run, and count what they say they count.

Real judgments are not shipped; TOUCHSTONE_REPLAY_DATA names their folder (see benchmarks/overlap_replay.py).
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import overlap_replay, refitting
from benchmarks.overlap_replay import Cold, Judged, Row, Shape, WithHistory, collect, quality, saving, shuffled

CROWD = Shape(
    5, {"stop at .30": Row(stop=0.3, spec=(99, 0, 0)), "spend 3": Row(spend=3.0)}, {"cold, votes": Row(stop=0.3)}
)


def crowd(rng, *, n_items=80, n_raters=12, each=9):
    """Every item judged by nine of twelve people who find .75 of two labels and leave alone .9."""
    truth = rng.random((n_items, 2)) < (0.4, 0.2)
    raters = np.argsort(rng.random((n_items, n_raters)), axis=1)[:, :each].ravel()
    items = np.repeat(np.arange(n_items), each)
    verdicts = rng.random((items.size, 2)) < np.where(truth[items], 0.75, 0.1)
    return Judged(items, raters, verdicts.astype(np.int8), np.zeros(items.size, dtype=int))


def test_turns_are_shuffled_within_items():
    judged = shuffled(crowd(np.random.default_rng(0)), np.random.default_rng(1))
    assert all(sorted(judged.rank[judged.items == item]) == list(range(9)) for item in (0, 40, 79))
    assert not (judged.raters[:9] == crowd(np.random.default_rng(0)).raters[:9]).all()


def test_saving_is_measured_against_fixed_overlap_of_the_same_quality():
    """Quality .75 lies halfway between 2 and 3 fixed judgments: two judgments save a fifth of 2.5."""
    fixed = np.repeat(np.array([[0.5], [0.7], [0.8]]), 3, axis=1)
    assert saving(2.0, np.full(3, 0.75), fixed) == pytest.approx(np.full(3, 0.2))


def test_fixed_overlap_is_credited_with_its_best_and_a_better_policy_is_compared_with_that():
    fixed = np.repeat(np.array([[0.5], [0.8], [0.7]]), 3, axis=1)
    assert saving(2.0, np.full(3, 0.8), fixed) == pytest.approx(np.zeros(3))
    assert saving(1.5, np.full(3, 0.9), fixed) == pytest.approx(np.full(3, 0.25))  # of the two that are best


def test_quality_is_micro_macro_and_exact():
    said, truth = np.array([[1, 0], [1, 1]], dtype=bool), np.array([[1, 0], [0, 1]], dtype=bool)
    assert quality(said, truth) == pytest.approx([0.8, (2 / 3 + 1) / 2, 0.5])


def test_a_policy_collects_two_of_everything_and_keeps_to_budget_and_maximum():
    judged = shuffled(crowd(np.random.default_rng(0)), np.random.default_rng(1))
    history = WithHistory(judged, 5, np.random.default_rng(2))
    by_budget = collect(judged, history, 5, stop=None, spend=3.0)
    by_stop = collect(judged, history, 5, stop=0.2, spend=None)
    assert by_budget.sum() == 240
    assert {2, 5} <= set(by_stop) <= {2, 3, 4, 5}


def test_without_history_it_counts_only_what_has_been_collected():
    judged = shuffled(crowd(np.random.default_rng(0)), np.random.default_rng(1))
    other = judged._replace(verdicts=np.where((judged.rank < 2)[:, None], judged.verdicts, 1 - judged.verdicts))
    two = np.full(80, 2)
    assert Cold(judged, is_known=False).log_odds(two) == pytest.approx(Cold(other, is_known=False).log_odds(two))


def test_the_report_says_what_was_missed(monkeypatch):
    monkeypatch.setitem(overlap_replay.QUOTED, "crowd", "stop at .30")
    runs = [overlap_replay.replay(crowd(np.random.default_rng(9)), CROWD, seed) for seed in range(3)]
    report = overlap_replay.report("crowd", runs, CROWD)
    assert "/ 99 missed" in report
    assert "forecast after two judgments, stop at .30" in report


def test_files_are_read_and_missing_ones_named(tmp_path, capsys):
    with gzip.open(tmp_path / "adult3_judgments.csv.gz", "wt", newline="") as lines:
        csv.writer(lines).writerows(
            [("i", "w", "label"), (0, 7, "G"), (0, 7, "X"), (0, 9, "R"), (5, 7, "B"), (5, 9, "X")]
        )
    judged = overlap_replay.read(tmp_path, "adult3")
    assert judged.items.tolist() == [0, 0, 1]
    assert judged.verdicts.tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 1]]
    with pytest.raises(SystemExit):
        overlap_replay.main([str(tmp_path), "--set", "crowdtruth"])
    assert "crowdtruth_odre_judgments.csv.gz is not there" in capsys.readouterr().err


def test_on_real_sites_adaptive_overlap_saves_a_sixth_and_more():
    given = os.environ.get("TOUCHSTONE_REPLAY_DATA")
    if not given or not (Path(given) / "adult3_judgments.csv.gz").exists():
        pytest.skip("TOUCHSTONE_REPLAY_DATA names no folder with adult3_judgments.csv.gz; it is not shipped")
    shape = overlap_replay.SHAPES["adult3"]._replace(cold={})
    judged = overlap_replay.read(Path(given), "adult3")
    runs = [overlap_replay.replay(judged, shape, seed) for seed in range(3)]
    assert np.mean([run.outcomes["stop at .30"].saving for run in runs], axis=0).min() > 0.15


def test_the_refit_benchmark_and_its_floor_do_the_same_work():
    judged = refitting.simulated(300, np.random.default_rng(0))
    assert np.abs(refitting.bare(judged) - refitting.refit(judged).p(1.0)).mean() < 0.01
    said = {figure.what: figure.value for figure in refitting.measure(300)}
    assert said["refit of 300 items / bare"] > 0
    assert said["one item from stored skills"] > 0
