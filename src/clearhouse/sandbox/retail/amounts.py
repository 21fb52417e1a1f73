"""Shares of amounts, in cents."""

import numpy as np
from numpy.typing import NDArray


def percent(cents: NDArray[np.int64], percents: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """So many percent of amounts, in cents, halves up; of a negative amount, the same negative."""
    size = (2 * np.abs(cents) * percents + 100) // 200
    return np.where(cents < 0, -size, size)
