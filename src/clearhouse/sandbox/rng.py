"""Counter-based random numbers: the same (seed, entity, number) always gives the same draws.

No state is kept between draws. So a day made alone, or last, or on another machine is the same day.
"""

import hashlib
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_NUMBER_BITS = 48
_WORD = (1 << 64) - 1

Rng = np.random.Generator


class SharedEntity(IntEnum):
    """What the shared modules draw. A source numbers its own entities and leaves these out."""

    DAY_FAULT = 6
    RECORD_FAULT = 8
    HOSTILE = 10


def stream(seed: int, entity: int, number: int) -> Rng:
    """The random numbers of one entity.

    Args:
        seed: of the source; any integer, taken modulo 2**64.
        entity: what is drawn; below 2**16.
        number: which of them, for instance a day's ordinal; taken modulo 2**48.
    """
    low = (int(entity) << _NUMBER_BITS) | (number & ((1 << _NUMBER_BITS) - 1))
    key = np.array([seed & _WORD, low], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def seed_of(seed: int, source: str) -> int:
    """The seed of one of several sources that are served under one seed.

    Without it, two sources that number their entities alike would draw the same numbers.
    """
    digest = hashlib.sha256(f"{seed}|{source}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def sample(size: int, share: float, rng: Rng) -> NDArray[np.bool_]:
    """A mask of exactly that share of the rows, rounded, and at least one if there are any."""
    chosen = max(1, round(size * share))
    picked: NDArray[np.bool_] = rng.permutation(size) < chosen
    return picked


def pick(shares: Sequence[float], u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices with the given shares, from uniform draws of any shape."""
    return np.searchsorted(np.cumsum(shares)[:-1], u, side="right")
