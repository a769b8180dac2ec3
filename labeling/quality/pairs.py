"""Pairs: who agrees with whom, and what one rater does to the agreement of all."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .cells import MISSING, YES, Floats, Integers, answer_counts, check_verdicts

Words = npt.NDArray[np.uint64]


class PairwiseKappa(NamedTuple):
    kappa: Floats
    n_common: npt.NDArray[np.int64]


def pairwise_kappa(items: Integers, raters: Integers, verdicts: Integers) -> PairwiseKappa:
    """Cohen's kappa of every two raters on the items both judged, pooled over the labels given (one column: one label).

    items, raters: (n_judgments,) indices from 0, each pair at most once. verdicts: (n_judgments, n_labels): 1, 0, -1.
    Returns kappa (n_raters, n_raters), NaN on the diagonal and where undefined (nothing in common, or both raters gave
    one and the same verdict throughout), and n_common (n_raters, n_raters): items with a label both answered.
    Raises ValueError for other shapes or codes, or when a rater judged an item twice.
    Source: Cohen 1960, "A Coefficient of Agreement for Nominal Scales".
    """
    _check_raters(items, raters, verdicts)
    n_raters = int(raters.max()) + 1 if raters.size else 0
    common = np.zeros((n_raters, n_raters))
    answers, both, row_yes = common.copy(), common.copy(), common.copy()
    said, answered = bit_words(verdicts == YES), bit_words(verdicts != MISSING)
    for left, right in judgment_pairs(items):
        pair = raters[left].astype(np.int64) * n_raters + raters[right]
        shared: Words = answered[left] & answered[right]
        left_yes, right_yes = said[left] & shared, said[right] & shared
        asked = count_bits(shared)
        common += _table(pair, asked > 0, n_raters)
        answers += _table(pair, asked, n_raters)
        both += _table(pair, count_bits(left_yes & right_yes), n_raters)
        row_yes += _table(pair, count_bits(left_yes), n_raters) + _table(pair, count_bits(right_yes), n_raters).T
    common, answers, both = (one_way + one_way.T for one_way in (common, answers, both))
    return PairwiseKappa(_kappa_matrix(answers, both, row_yes), common.astype(np.int64))


def pairwise_kappas(items: Integers, raters: Integers, verdicts: Integers) -> PairwiseKappa:
    """Cohen's kappa of every two raters for each label by itself; the pairs of judgments are listed once for all.

    Arguments, errors and source as for `pairwise_kappa`. Returns kappa and n_common, both (n_labels, n_raters,
    n_raters): n_common counts the items on which both answered that label.
    """
    _check_raters(items, raters, verdicts)
    n_raters = int(raters.max()) + 1 if raters.size else 0
    shape = (verdicts.shape[1], n_raters, n_raters)
    kappa, n_common = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    batches = list(judgment_pairs(items))
    if not batches:
        return PairwiseKappa(kappa, n_common)
    left, right = (np.concatenate(rows) for rows in zip(*batches, strict=True))
    four_pair = 4 * (raters[left].astype(np.int64) * n_raters + raters[right])
    for label, verdict in enumerate(np.ascontiguousarray(verdicts.T)):
        of_left, of_right = verdict[left], verdict[right]
        code = four_pair + (2 * of_left + of_right)
        if verdict.min() == MISSING:
            code = code[(of_left != MISSING) & (of_right != MISSING)]
        table = np.bincount(code, minlength=4 * n_raters**2).reshape(n_raters, n_raters, 4)
        _, _, yes_no, both = np.moveaxis(table + table.transpose(1, 0, 2)[:, :, [0, 2, 1, 3]], 2, 0)
        common = table.sum(axis=2)
        n_common[label] = common + common.T
        kappa[label] = _kappa_matrix(n_common[label].astype(np.float64), both.astype(np.float64), (both + yes_no) * 1.0)
    return PairwiseKappa(kappa, n_common)


def kappa_of_tables(tables: Integers) -> Floats:
    """Cohen's kappa of tables of two raters.

    tables: (n_pairs, 4): answers in which both say yes, only the first, only the second, neither. Returns (n_pairs,),
    NaN where undefined: no answer in common, or both gave one and the same verdict throughout. Raises ValueError for
    another shape. Source: Cohen 1960, "A Coefficient of Agreement for Nominal Scales".
    """
    if tables.ndim != 2 or tables.shape[1] != 4:
        raise ValueError(f"{tables.shape} is not (n_pairs, 4)")
    both, only_left, only_right, neither = tables.astype(np.float64).T
    return _kappa(both + only_left + only_right + neither, both, both + only_left, both + only_right)


def alpha_without(items: Integers, raters: Integers, verdicts: Integers) -> Floats:
    """Krippendorff's alpha of every label if one rater's judgments were left out.

    items, raters: (n_judgments,) indices from 0, each pair at most once. verdicts: (n_judgments, n_labels): 1, 0, -1.
    Returns (n_raters, n_labels), NaN where alpha is undefined without that rater; the largest rise over the alpha of
    all names the person to talk to. Raises ValueError as `pairwise_kappa` does.
    """
    _check_raters(items, raters, verdicts)
    n, k = answer_counts(items, verdicts)
    n_raters = int(raters.max()) + 1 if raters.size else 0
    alphas = np.full((n_raters, verdicts.shape[1]), np.nan)
    for label, verdict in enumerate(verdicts.T):
        item_n, item_k = n[:, label], k[:, label]
        all_terms = _alpha_terms(item_n, item_k)
        rest = _alpha_terms(item_n[items] - (verdict != MISSING), item_k[items] - (verdict == YES))
        n_answers, n_yes, disagreement = (
            whole.sum() - np.bincount(raters, weights=whole[items] - left, minlength=n_raters)
            for whole, left in zip(all_terms, rest, strict=True)
        )
        expected = n_yes * (n_answers - n_yes)
        np.divide((n_answers - 1) * disagreement, expected, out=alphas[:, label], where=expected > 0)
    return 1 - alphas


def judgment_pairs(items: Integers) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Every pair of judgments of the same item once, in batches of (left, right) row indices."""
    order = np.argsort(items, kind="stable").astype(np.int64)
    sorted_items = items[order]
    for distance in range(1, items.size):
        same = sorted_items[distance:] == sorted_items[:-distance]
        if not same.any():
            return
        yield order[:-distance][same], order[distance:][same]


def bit_words(flags: npt.NDArray[np.bool_]) -> Words:
    """Rows of flags as rows of 64-bit words, so that a whole answer is compared at once: (n, ceil(n_labels / 64))."""
    n_rows, n_labels = flags.shape
    octets = np.zeros((n_rows, 8 * max(math.ceil(n_labels / 64), 1)), dtype=np.uint8)
    octets[:, : math.ceil(n_labels / 8)] = np.packbits(flags, axis=1)
    return octets.view(np.uint64)


def count_bits(words: Words) -> npt.NDArray[np.int64]:
    """Flags set in each row of words: (n,)."""
    flags: npt.NDArray[np.int64] = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return flags


def _check_raters(items: Integers, raters: Integers, verdicts: Integers) -> None:
    check_verdicts(items, verdicts)
    if raters.shape != items.shape:
        raise ValueError(f"raters {raters.shape} does not match items {items.shape}")
    if not raters.size:
        return
    if raters.min() < 0:
        raise ValueError("raters are indices from 0")
    answers = np.sort(items.astype(np.int64) * (int(raters.max()) + 1) + raters)
    if np.any(answers[1:] == answers[:-1]):
        raise ValueError("a rater has two judgments of one item: keep the latest revision only")


def _table(pair: npt.NDArray[np.int64], weight: npt.NDArray[Any], n_raters: int) -> Floats:
    """Weights added up by pair code (row rater * n_raters + column rater): (n_raters, n_raters)."""
    summed = np.bincount(pair, weights=weight, minlength=n_raters**2)
    return summed.reshape(n_raters, n_raters).astype(np.float64)


def _kappa_matrix(answers: Floats, both: Floats, row_yes: Floats) -> Floats:
    """Of every row with every column; undefined on the diagonal."""
    kappa = _kappa(answers, both, row_yes, row_yes.T)
    np.fill_diagonal(kappa, np.nan)
    return kappa


def _kappa(answers: Floats, both: Floats, left_yes: Floats, right_yes: Floats) -> Floats:
    """Elementwise: answers in common, those in which both say yes, the left one, the right one."""
    asked = np.maximum(answers, 1)
    observed = (answers - left_yes - right_yes + 2 * both) / asked
    chance = (left_yes * right_yes + (answers - left_yes) * (answers - right_yes)) / asked**2
    kappa = np.full(answers.shape, np.nan)
    np.divide(observed - chance, 1 - chance, out=kappa, where=(answers > 0) & (chance < 1))
    return kappa


def _alpha_terms(n: npt.NDArray[np.int64], k: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """What each item adds to the answers, the yes answers and the disagreement of alpha: nothing below two answers."""
    pairable = (n >= 2).astype(np.float64)
    return pairable * n, pairable * k, pairable * k * (n - k) / np.maximum(n - 1, 1)
