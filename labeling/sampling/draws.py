"""Drawing by chance with permanent random numbers, so that anyone can draw again from the seed and the frame's ids.

Every item has one number u for a seed: the first 52 bits of SHA-256 over the seed, a line end, and the item's id. The
uniform design takes the n items with the smallest u. As u is as good as random, that is simple random sampling without
replacement, and every item of a frame of N is drawn with probability n/N. With the same seed and frame a smaller sample
is contained in every larger one.
"""

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

U_BITS = 52


def permanent_number(seed: str, item_id: str) -> int:
    """The item's random number u for this seed, as an integer in [0, 2**52).

    Source: Ohlsson (1995), "Coordination of samples using permanent random numbers".
    """
    digest = hashlib.sha256(f"{seed}\n{item_id}".encode()).digest()
    return int.from_bytes(digest[:7]) >> (56 - U_BITS)


def arm_seed(project_slug: str) -> str:
    """The seed of a project's random arm, the standing sample its learner is measured on.

    Its line end is in no seed of an evaluation sample, so that arm and samples are independent of each other.
    """
    return f"random arm\n{project_slug}"


def draw_uniform(item_ids: Sequence[str], *, size: int, seed: str) -> list[str]:
    """The `size` ids with the smallest u, smallest first (equal u: by id). The order of `item_ids` does not matter.

    item_ids: N distinct ids. Each is drawn with probability size/N.
    Raises ValueError when size is not in 1..N.
    """
    if not 1 <= size <= len(item_ids):
        raise ValueError(f"size {size} is not in 1..{len(item_ids)}")
    return heapq.nsmallest(size, item_ids, key=lambda item_id: (permanent_number(seed, item_id), item_id))


def frame_bytes(item_ids: Iterable[str]) -> bytes:
    """The frame as it is hashed and kept: the ids in order, one a line."""
    return "".join(f"{item_id}\n" for item_id in sorted(item_ids)).encode()


def frame_sha256(item_ids: Iterable[str]) -> str:
    """Hex SHA-256 of the frame. Equal frames have equal hashes whatever the order of their ids."""
    return hashlib.sha256(frame_bytes(item_ids)).hexdigest()


def union_probability(chances: Iterable[tuple[str, Fraction]]) -> Fraction:
    """The probability that at least one of several samples holds an item.

    chances: (seed, probability) per sample, 0 where the item was not in the frame. Samples of one seed share a frame
    and are nested, so their union is the largest; samples of different seeds are independent.
    Returns an exact fraction in [0, 1]; 0 for no samples.
    """
    by_seed: dict[str, Fraction] = {}
    for seed, chance in chances:
        by_seed[seed] = max(chance, by_seed.get(seed, Fraction(0)))
    missed = Fraction(1)
    for chance in by_seed.values():
        missed *= 1 - chance
    return 1 - missed


def decimal_string(value: Fraction, *, digits: int = 17) -> str:
    """A fraction as a plain decimal with that many significant digits: the same text in every language."""
    context = Context(prec=digits, rounding=ROUND_HALF_EVEN)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return format(quotient.normalize(context), "f")
