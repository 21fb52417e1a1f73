"""How many records simtom's own calendar gives a day."""

import datetime as dt
import math

from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.simtom.calendar import (
    NOISE_SIGMA,
    WEEKDAY_FACTORS,
    event_factor,
    season_factor,
)
from clearhouse.sandbox.simtom.config import Entity


def formula(seed: int, day: dt.date, base: int) -> int:
    """Number of records of a day, for a base volume in records a day."""
    noise = math.exp(
        NOISE_SIGMA * float(stream(seed, Entity.VOLUME, day.toordinal()).standard_normal())
    )
    expected = base * WEEKDAY_FACTORS[day.weekday()] * season_factor(day) * event_factor(day)
    return max(1, int(expected * noise))
