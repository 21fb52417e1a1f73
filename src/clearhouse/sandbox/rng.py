"""Counter-based random numbers: the same (seed, entity, number) gives the same draws, always.

Nothing here remembers what was drawn before, so a day made alone, or last, or on another machine
is the same day.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_NUMBER_BITS = 48
_WORD = (1 << 64) - 1


class Entity(IntEnum):
    """What is drawn. The values are part of every world: add at the end, never renumber."""

    CATALOGUE = 1
    COHORT = 2
    PURCHASES = 3
    VOLUME = 4
    NOISE = 5
    FAULT = 6
    LIVE = 7
    RECORD_FAULT = 8
    LATE = 9
    HOSTILE = 10


def stream(seed: int, entity: Entity, number: int) -> np.random.Generator:
    """The random numbers of one entity of one world.

    Args:
        seed: the world; any integer, taken modulo 2**64.
        entity: what is drawn.
        number: which of them, for instance a day's ordinal; taken modulo 2**48.
    """
    low = (int(entity) << _NUMBER_BITS) | (number & ((1 << _NUMBER_BITS) - 1))
    key = np.array([seed & _WORD, low], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def sample(size: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A mask of exactly that share of the rows, rounded, and at least one if there are any."""
    chosen = max(1, round(size * share))
    picked: NDArray[np.bool_] = rng.permutation(size) < chosen
    return picked
