"""When people shop: sales of a day = usual x weekday x month x event x log-normal noise."""

import datetime as dt
import math

from clearhouse.sandbox.retail.retailer import Entity, Retailer
from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.times import nth_weekday

OPENED = dt.date(2018, 1, 1)
"""Before this day, no retailer has sold anything."""

_BY_MONTH = (0.85, 0.88, 0.95, 0.97, 1.0, 1.0, 0.98, 1.0, 0.97, 1.0, 1.15, 1.25)
_NOISE_SIGMA = 0.08


_AFTER_THANKSGIVING = {0: 0.3, 1: 2.2, 2: 1.7, 3: 1.5, 4: 1.9}  # Black Friday to Cyber Monday
# fmt: off
_EVENTS = {
    (1, 1): 0.4, (2, 13): 1.3, (2, 14): 1.2, (7, 4): 0.6,
    (12, 24): 0.7, (12, 25): 0.2, (12, 26): 1.3, (12, 31): 0.6,
}
# fmt: on


def event_factor(day: dt.date) -> float:
    """What holidays and sales make of a day."""
    thanksgiving = nth_weekday(day.year, 11, weekday=3, nth=4)
    after = (day - thanksgiving).days
    if after in _AFTER_THANKSGIVING:
        return _AFTER_THANKSGIVING[after]
    if day.month == 12 and 10 <= day.day <= 23:
        return 1.35
    return _EVENTS.get((day.month, day.day), 1.0)


def sales_of(retailer: Retailer, seed: int, day: dt.date, scale: float) -> int:
    """The number of sales of a day; 0 where the retailer is closed."""
    if day < OPENED or retailer.is_closed(day):
        return 0
    noise = float(stream(seed, Entity.VOLUME, day.toordinal()).standard_normal())
    usual = retailer.sales_a_day * scale * retailer.by_weekday[day.weekday()]
    expected = usual * _BY_MONTH[day.month - 1] * event_factor(day)
    return max(1, round(expected * math.exp(_NOISE_SIGMA * noise)))
