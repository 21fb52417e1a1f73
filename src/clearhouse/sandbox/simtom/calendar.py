"""simtom's calendar: what it makes of a base volume on each day.

Volume of a day = base x weekday x week of month x month x event x log-normal noise, of which at
least one record is left. Facts of the public simtom; both its stand-in and what is expected of a
real one are made from them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from clearhouse.sandbox.times import nth_weekday

WEEKDAY_FACTORS = (1.15, 1.10, 1.05, 1.10, 1.25, 0.85, 0.70)
"""Monday first."""
NOISE_SIGMA = 0.1
_WEEK_OF_MONTH = (1.15, 0.95, 1.10, 0.90)
_MONTH = (0.75, 0.85, 0.95, 1.0, 1.0, 1.05, 1.05, 1.05, 1.0, 1.05, 1.10, 1.20)


def season_factor(day: dt.date) -> float:
    """What week of month and month make of a day."""
    week = min((day.day - 1) // 7, len(_WEEK_OF_MONTH) - 1)
    return _WEEK_OF_MONTH[week] * _MONTH[day.month - 1]


def event_factor(day: dt.date) -> float:
    """What simtom's events make of a day.

    Of several events the one that lowers the volume most counts; where none lowers it, the one
    that raises it most. They are not multiplied.
    """
    factors = [factor for first, last, factor in _periods(day.year) if first <= day <= last]
    if day in special_days(day.year):
        factors.append(special_days(day.year)[day])
    return min(factors) if min(factors, default=1.0) < 1 else max(factors, default=1.0)


@cache
def special_days(year: int) -> Mapping[dt.date, float]:
    """The days that simtom names, with their factors."""
    thanksgiving = nth_weekday(year, 11, weekday=3, nth=4)
    return MappingProxyType(
        {
            dt.date(year, 1, 1): 0.2,
            dt.date(year, 2, 14): 1.15,
            _mothers_day(year): 1.2,
            nth_weekday(year, 6, weekday=0, nth=3): 1.1,  # Father's Day, a Monday in simtom too
            dt.date(year, 7, 4): 0.8,
            nth_weekday(year, 9, weekday=0, nth=1): 1.05,
            dt.date(year, 10, 31): 1.05,
            thanksgiving: 0.2,
            thanksgiving + dt.timedelta(days=1): 1.6,  # Black Friday
            thanksgiving + dt.timedelta(days=4): 1.4,  # Cyber Monday
            dt.date(year, 12, 24): 0.3,
            dt.date(year, 12, 25): 0.1,
            dt.date(year, 12, 31): 0.4,
        }
    )


@cache
def _periods(year: int) -> Sequence[tuple[dt.date, dt.date, float]]:
    """First day, last day and factor of the periods that simtom names."""
    thanksgiving, mothers_day = nth_weekday(year, 11, weekday=3, nth=4), _mothers_day(year)
    day = dt.timedelta(days=1)
    return (
        (dt.date(year, 2, 11), dt.date(year, 2, 15), 1.1),
        (mothers_day - 3 * day, mothers_day + day, 1.15),
        (dt.date(year, 8, 15), dt.date(year, 9, 15), 1.2),  # back to school
        (thanksgiving - day, thanksgiving + 4 * day, 1.3),
        (dt.date(year, 12, 1), dt.date(year, 12, 23), 1.2),
        (dt.date(year, 12, 20), dt.date(year, 12, 31), 0.5),
    )


def _mothers_day(year: int) -> dt.date:
    """The second Monday of May: simtom's calendar has it a day after the Sunday of others."""
    return nth_weekday(year, 5, weekday=0, nth=2)
