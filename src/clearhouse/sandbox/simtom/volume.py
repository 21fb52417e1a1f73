"""How many records simtom's own calendar gives a day.

base x weekday x week of month x month x event x log-normal noise of 0.1, as the public simtom
computes it. The days from 20 to 31 December are an event; of two events that lower a day's volume,
the stronger one counts.
"""

import datetime as dt
import math

from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.simtom.config import Entity

_WEEKDAY = (1.15, 1.10, 1.05, 1.10, 1.25, 0.85, 0.70)  # Monday first
_WEEK_OF_MONTH = (1.15, 0.95, 1.10, 0.90)
_MONTH = (0.75, 0.85, 0.95, 1.0, 1.0, 1.05, 1.05, 1.05, 1.0, 1.05, 1.10, 1.20)
_NOISE_SIGMA = 0.1
_THURSDAY = 3
_DECEMBER, _YEAR_END_FIRST_DAY = 12, 20
_YEAR_END = 0.5


def _event(day: dt.date) -> float:
    if (day.month, day.day) == (1, 1):
        return 0.2
    if (day.month, day.day) == (12, 25):
        return 0.1
    if day.month == _DECEMBER and day.day >= _YEAR_END_FIRST_DAY:
        return _YEAR_END
    return _thanksgiving_week(day.year).get(day, 1.0)


def _thanksgiving_week(year: int) -> dict[dt.date, float]:
    first = dt.date(year, 11, 1)
    thanksgiving = first + dt.timedelta(days=(_THURSDAY - first.weekday()) % 7 + 21)
    return {
        thanksgiving: 0.2,
        thanksgiving + dt.timedelta(days=1): 1.6,  # Black Friday
        thanksgiving + dt.timedelta(days=4): 1.4,  # Cyber Monday
    }


def formula(seed: int, day: dt.date, base: int) -> int:
    """Number of records of a day, for a base volume in records a day."""
    noise = math.exp(
        _NOISE_SIGMA * float(stream(seed, Entity.VOLUME, day.toordinal()).standard_normal())
    )
    week = min((day.day - 1) // 7, len(_WEEK_OF_MONTH) - 1)
    calendar = _WEEKDAY[day.weekday()] * _WEEK_OF_MONTH[week] * _MONTH[day.month - 1]
    return round(base * calendar * _event(day) * noise)
