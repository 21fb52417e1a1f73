"""When in a day entries are made."""

import numpy as np

from clearhouse.sandbox.gl.numbers import Ints
from clearhouse.sandbox.rng import Rng
from clearhouse.sandbox.times import times_of_day

# fmt: off
_OFFICE_HOURS = np.array(
    [0, 0, 0, 0, 0, 0, 2, 20, 60, 95, 100, 85, 50, 80, 95, 90, 75, 45, 12, 4, 1, 0, 0, 0], float
)
# fmt: on
_HOUR = 3_600


def office(rng: Rng, count: int) -> Ints:
    """Seconds after midnight of what people enter."""
    seconds: Ints = rng.permutation(times_of_day(rng.random(count), _OFFICE_HOURS))
    return seconds


def job(rng: Rng, count: int, start_hour: float, entries_a_second: int = 3) -> Ints:
    """Seconds after midnight of what a job enters, one after the other."""
    delay = int(rng.integers(0, 240))
    return int(start_hour * _HOUR) + delay + np.arange(count) // entries_a_second
