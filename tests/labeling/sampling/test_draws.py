"""Draws by permanent random numbers: repeatable, nested, and as likely as they say."""

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from labeling.sampling.draws import (
    decimal_string,
    draw_uniform,
    frame_sha256,
    permanent_number,
    union_probability,
)

FRAME = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(400)]
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def test_u_is_the_first_52_bits_of_sha256_of_seed_and_id():
    digest = hashlib.sha256(b"spring\nabc").hexdigest()
    assert permanent_number("spring", "abc") == int(digest[:13], 16)


def test_a_sample_of_100_lies_within_the_sample_of_300_of_the_same_seed():
    assert set(draw_uniform(FRAME, size=100, seed="a")) < set(draw_uniform(FRAME, size=300, seed="a"))


def test_another_seed_is_another_sample():
    assert draw_uniform(FRAME, size=100, seed="a") != draw_uniform(FRAME, size=100, seed="b")


@given(order=st.permutations(FRAME[:30]), size=st.integers(1, 30), seed=st.text(max_size=8))
def test_the_order_of_the_frame_does_not_matter(order, size, seed):
    assert draw_uniform(order, size=size, seed=seed) == draw_uniform(FRAME[:30], size=size, seed=seed)
    assert frame_sha256(order) == frame_sha256(FRAME[:30])


@given(seed=st.text(max_size=8), sizes=st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_samples_of_one_seed_nest_whatever_their_sizes(seed, sizes):
    small, large = sorted(sizes)
    assert draw_uniform(FRAME[:60], size=large, seed=seed)[:small] == draw_uniform(FRAME[:60], size=small, seed=seed)


def test_every_item_is_drawn_about_n_times_in_N_over_many_seeds():
    """50 items, 2,000 seeds, exact binomial test of each item's count at 1 % after Bonferroni."""
    frame, size, n_seeds = FRAME[:50], 15, 2_000
    counts = dict.fromkeys(frame, 0)
    for seed in range(n_seeds):
        for item in draw_uniform(frame, size=size, seed=str(seed)):
            counts[item] += 1
    smallest = min(binomtest(count, n_seeds, size / len(frame)).pvalue for count in counts.values())
    assert smallest > 0.01 / len(frame)


def test_pairs_are_drawn_together_as_often_as_without_replacement():
    """P(both) = n(n-1) / (N(N-1)): drawing by smallest u is simple random sampling, not N separate lots."""
    frame, size, n_seeds = FRAME[:10], 4, 4_000
    both = sum({frame[0], frame[1]} <= set(draw_uniform(frame, size=size, seed=str(seed))) for seed in range(n_seeds))
    assert binomtest(both, n_seeds, 4 * 3 / (10 * 9)).pvalue > 0.001


@pytest.mark.parametrize("size", [0, -1, 401])
def test_a_size_outside_the_frame_is_refused(size):
    with pytest.raises(ValueError, match="is not in"):
        draw_uniform(FRAME, size=size, seed="a")


def test_samples_of_one_seed_give_the_larger_probability():
    assert union_probability([("a", THIRD), ("a", HALF)]) == HALF


def test_independent_samples_give_the_probability_of_either():
    assert union_probability([("a", THIRD), ("b", HALF)]) == 1 - (1 - THIRD) * (1 - HALF)


def test_an_item_that_was_in_no_frame_has_no_probability():
    assert union_probability([("a", Fraction(0))]) == 0
    assert union_probability([]) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(1), "1"), (Fraction(1, 4), "0.25"), (THIRD, "0.33333333333333333"),
     (Fraction(1, 3_000_000), "0.00000033333333333333333")],
)  # fmt: skip
def test_probabilities_are_written_plainly(value, text):
    assert decimal_string(value) == text
