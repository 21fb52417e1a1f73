"""What is drawn. The values are part of the data of every seed: add only, never renumber."""

from enum import IntEnum


class Entity(IntEnum):
    """Entities of a retailer; the shared ones are in `sandbox.rng`."""

    CATALOGUE = 1
    VOLUME = 2
    SALES = 3
    RETURNS = 4
    LATE = 5
