"""The random arm: pages drawn by chance over a whole frame, whatever a strategy asks beside them.

Every page of the frame has one permanent random number u, and the arm is the n pages with the smallest u: each n of the
N pages were equally likely to be those, although a strategy has asked about some of them and goes on asking. Drawing
from what a strategy left over would be no sample of the frame: the pages it likes are gone from there. How large n gets
depends a little on what was asked, which moves a rate by a few hundredths of its standard error at most.
Source: Ohlsson (1995), "Coordination of samples using permanent random numbers".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def extension(u: NDArray[Any], *, drawn: Mask, asked: Mask, n_new: int) -> NDArray[np.int64]:
    """Rows that join the arm, by growing u: the next ones, until n_new of them were never asked.

    u: (n_frame,) permanent numbers; equal ones in the order of the rows. drawn: (n_frame,) True for rows drawn before.
    asked: (n_frame,) True where an answer exists or is waited for: such a row joins at its turn and costs nobody work.
    Asked rows that follow the last new one directly join too. Stopping always at a new row would give new rows more
    than their share of the arm. Source: Haldane (1945), 'On a method of estimating frequencies' (inverse sampling).
    """
    in_turn = np.argsort(u, kind="stable")
    in_turn = in_turn[~drawn[in_turn]]
    n_new_so_far = np.cumsum(~asked[in_turn])
    return in_turn[n_new_so_far <= n_new] if n_new else in_turn[:0]


def standing(u: NDArray[Any], *, drawn: Mask) -> Mask:
    """(n_frame,) True for the arm: every row whose u is below that of the first row that was not drawn.

    Pages that come into a frame later have their own u. Until they are drawn, the arm is what lies below the first of
    them, which is again a simple random sample of the frame as it is now.
    """
    undrawn = u[~drawn]
    return drawn.copy() if not len(undrawn) else drawn & (u < undrawn.min())


def counted(*, answered: Mask, new: Mask) -> Mask:
    """(n_arm,) True for the answered rows of the arm that count now; all of them once every row is answered.

    answered, new: (n_arm,), the rows by growing u; new: the row was not asked before it was drawn.
    A row that was asked before has its answer at once while new ones wait for theirs in a queue of random order, so
    counting all answers would tip the arm towards what a strategy asked. Rows asked before therefore count at the rate
    at which the new ones are answered, with one answer granted: a single page nobody answers holds up nothing.
    """
    rate = (int(answered[new].sum()) + 1) / (int(new.sum()) + 1)
    before = np.flatnonzero(answered & ~new)
    kept: Mask = answered & new
    kept[before[: round(rate * int((~new).sum()))]] = True
    return kept
