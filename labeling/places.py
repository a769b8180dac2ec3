"""Where a person stands in the queue: a hint that spares them the pages they are done with, and an order of their own.

The queue has one order for everyone (`Assignment.position`). Somebody who has answered its first 20,000 pages while
others still wait for a second answer would make every look pass over them all; so the place behind them is remembered
on their desk. It is never believed for long: pages that come back behind it (a lease that ran out, a page passed on)
are found when nothing is left ahead, when the place is forgotten, or when pages are queued or moved.
"""

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from labeling.models import Desk

BELIEVED_FOR = timedelta(minutes=10)
MOVED_EVERY = 16  # looks, on average: each answer moves the place by a page, which costs a look next to nothing
PRIME = 2**31 - 1
FRONT = -(2**63)


def remembered(desk: Desk, *, epoch: int) -> int:
    """Where this person's last looks ended, if that can still be believed; else the front."""
    if desk.cursor is None or desk.cursor_at is None or desk.cursor_epoch != epoch:
        return FRONT
    return desk.cursor if timezone.now() - desk.cursor_at < BELIEVED_FOR else FRONT


def is_to_move(start: int) -> bool:
    """Whether this look should also find out where the next ones may start."""
    return start == FRONT or secrets.randbelow(MOVED_EVERY) == 0


def remember(desk: Desk, position: int, *, epoch: int) -> int:
    """Nothing before `position` is for this person now. `epoch`: as it was before the look, for a later one is news."""
    Desk.objects.filter(pk=desk.pk).update(cursor=position, cursor_epoch=epoch, cursor_at=timezone.now())
    return position


def factor_of(desk: Desk, *, turn: int) -> int:
    """Makes a shuffle of this person alone: each slot's fixed random number times this, modulo PRIME.

    Every factor that is no multiple of the prime puts the same pages in another order (Lehmer 1949). `turn` is another
    after each answer: in one order for ever, the pages that come last in it would never be chosen while others follow,
    and hold this person's place in the queue where they stand.
    """
    digest = hashlib.sha256(f"{desk.project_id}.{desk.user_id}.{turn}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % (PRIME - 1) + 1
