"""Anchoring: rates in both halves by hand, what cannot be told, and intervals that hold what was planted."""

import numpy as np
import pytest
from scipy.special import expit, logit

from labeling.quality.anchoring import NO, NOTHING, UNSURE, YES, Answers, clustered_rate, measure


def answers(rows) -> Answers:
    """Each row: person, page, shown, suggested, said, what others say; one label."""
    columns = list(zip(*rows, strict=True))
    persons, items = (np.array(column, dtype=np.int64) for column in columns[:2])
    codes = [np.array(column, dtype=np.int8)[:, None] for column in columns[3:]]
    return Answers(persons, items, np.array(columns[2], dtype=bool), *codes)


def half(*, shown: bool, accepted: int, refused: int, suggested: int = YES) -> list[tuple]:
    """Answers on pages where the suggestion is wrong, by three people in turn."""
    right = NO if suggested == YES else YES
    said = [suggested] * accepted + [right] * refused
    return [(place % 3, place, shown, suggested, verdict, right) for place, verdict in enumerate(said)]


# ---- the rates ------------------------------------------------------------------------------------------------------
def test_of_ten_wrong_suggestions_shown_six_were_accepted_and_of_twenty_hidden_two_said():
    found = measure(answers(half(shown=True, accepted=6, refused=4) + half(shown=False, accepted=2, refused=18)))
    assert (found.accepted.shown.value, found.accepted.shown.n) == (0.6, 10)
    assert (found.accepted.hidden.value, found.accepted.hidden.n) == (0.1, 20)
    assert found.accepted.shift.value == pytest.approx(0.5) and found.accepted.shift.n == 30


def test_a_wrong_yes_and_a_wrong_no_are_told_apart():
    rows = half(shown=True, accepted=9, refused=3) + half(shown=True, accepted=3, refused=9, suggested=NO)
    found = measure(answers(rows))
    assert (found.accepted_yes.shown.value, found.accepted_no.shown.value) == (0.75, 0.25)
    assert (found.yes_after_yes.shown.value, found.yes_after_no.shown.value) == (0.75, 0.75)


def test_unsure_accepts_nothing_and_what_was_not_asked_or_said_does_not_count():
    rows = [(place % 3, place, True, YES, UNSURE, NO) for place in range(12)]
    rows += [(0, 50, True, NOTHING, YES, NO), (1, 51, True, YES, NOTHING, NO), (2, 52, True, YES, YES, NOTHING)]
    found = measure(answers(rows))
    assert (found.accepted.shown.value, found.accepted.shown.n) == (0.0, 12)
    assert found.yes_after_yes.shown.n == 13  # needs nobody else's answer


def test_a_right_suggestion_is_no_part_of_it():
    rows = [(place % 3, place, True, YES, YES, YES) for place in range(30)]
    found = measure(answers(rows))
    assert found.accepted.shown.n == 0 and found.yes_after_yes.shown.value == 1.0


def test_labels_are_pooled_or_looked_at_one_by_one():
    one = answers(half(shown=True, accepted=10, refused=0))
    other = answers(half(shown=True, accepted=0, refused=10))
    both = Answers(
        one.persons, one.items, one.shown, *(np.hstack([getattr(one, part), getattr(other, part)])
                                             for part in ("suggested", "verdicts", "reference")),
    )  # fmt: skip
    assert [measure(both, label=label).accepted.shown.value for label in (0, 1, None)] == [1.0, 0.0, 0.5]


# ---- what cannot be told --------------------------------------------------------------------------------------------
def test_too_few_answers_say_how_many_are_missing():
    found = measure(answers(half(shown=True, accepted=4, refused=2) + half(shown=False, accepted=4, refused=20)))
    assert found.accepted.shown.value is None
    assert found.accepted.shown.reason == "cannot tell yet: 4 more such answers are needed"
    assert found.accepted.hidden.value is not None
    assert found.accepted.shift.value is None and "cannot tell yet" in found.accepted.shift.reason


def test_one_person_is_no_team():
    found = clustered_rate(np.ones(50, dtype=bool), persons=np.zeros(50, dtype=np.int64), items=np.arange(50))
    assert found.value is None and found.reason == "cannot tell yet: they come from one person or one page"


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        Answers(np.arange(2), np.arange(2), np.ones(2, bool), *(np.zeros((2, k), np.int8) for k in (1, 1, 2)))


# ---- intervals ------------------------------------------------------------------------------------------------------
def test_answers_that_belong_together_count_for_less():
    outcome = np.repeat([True, False], 50)
    alone = clustered_rate(outcome, persons=np.arange(100) % 10, items=np.arange(100))
    by_person = clustered_rate(outcome, persons=np.arange(100) // 10, items=np.arange(100))
    assert by_person.low < alone.low < 0.5 < alone.high < by_person.high


def test_an_interval_stays_in_its_range_and_around_its_value():
    for accepted in (0, 12):
        found = measure(answers(half(shown=True, accepted=accepted, refused=12 - accepted)
                                + half(shown=False, accepted=0, refused=12))).accepted  # fmt: skip
        for one in (found.shown, found.hidden, found.shift):
            assert -1 <= one.low <= one.value <= one.high <= 1


def simulated(rng, *, n_people: int, n_pages: int, without: float, lift: float, spread: float) -> Answers:
    """Three people to a page; people differ in how easily they follow, pages in how well they mislead."""
    person = np.concatenate([rng.choice(n_people, 3, replace=False) for _ in range(n_pages)])
    page = np.repeat(np.arange(n_pages), 3)
    bent = spread * (rng.normal(size=n_people)[person] + rng.normal(size=n_pages)[page])
    shown = rng.random(len(page)) < 0.5
    right = (rng.random((n_pages, 3)) < 0.3).astype(np.int8)
    wrong = rng.random((n_pages, 3)) < 0.3
    suggested = np.where(wrong, 1 - right, right).astype(np.int8)[page]
    chance = expit(logit(np.where(shown, without + lift, without)) + bent)
    follows = rng.random(suggested.shape) < chance[:, None]
    said = np.where(follows, suggested, right[page]).astype(np.int8)
    return Answers(person, page, shown, suggested, said, right[page])


def planted(without: float, lift: float, spread: float) -> tuple[float, float]:
    """The rates over all people and pages there could be."""
    bent = spread * np.sqrt(2) * np.random.default_rng(0).normal(size=200_000)
    return float(expit(logit(without + lift) + bent).mean()), float(expit(logit(without) + bent).mean())


@pytest.mark.parametrize(
    ("team", "without", "lift", "spread"),
    [
        ({"n_people": 8, "n_pages": 200}, 0.15, 0.25, 0.0),
        ({"n_people": 8, "n_pages": 150}, 0.15, 0.25, 0.7),
        ({"n_people": 20, "n_pages": 120}, 0.05, 0.1, 0.6),
        ({"n_people": 12, "n_pages": 60}, 0.2, 0.0, 1.0),
    ],
)
def test_intervals_hold_what_was_planted_as_often_as_they_say(team, without, lift, spread):
    rng, shown, hidden, shift, runs = np.random.default_rng(1), 0, 0, 0, 150
    high, low = planted(without, lift, spread)
    for _ in range(runs):
        found = measure(simulated(rng, without=without, lift=lift, spread=spread, **team)).accepted
        shown += found.shown.low <= high <= found.shown.high
        hidden += found.hidden.low <= low <= found.hidden.high
        shift += found.shift.low <= high - low <= found.shift.high
    assert min(shown, hidden) >= 0.89 * runs  # 92 to 99 in 100 over many runs
    assert shift >= 0.94 * runs
