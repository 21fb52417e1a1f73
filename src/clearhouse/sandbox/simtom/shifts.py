"""Faults that no single record shows: each is as it should be, and the day as a whole is not.

They are what a gate over a day's statistics is for. The volume is changed relative to what is asked
for, as the kinds of days differ in the `day_type` pattern (5,500, 3,300 and 9,000 records on mean).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from clearhouse.sandbox.rng import sample
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.credit import HIGH
from clearhouse.sandbox.simtom.purchases import SPEEDS, Purchases, of_day

Rng = np.random.Generator

_WEEKDAY_TO_WEEKEND = 5_500 / 3_300
_WEEKDAY_TO_HOLIDAY = 5_500 / 9_000
_DRIFTED_SHARE = 0.5
_DRIFTED_PERCENT = 30
_SATURDAY = 5


def weekend_shift(day: Purchases, rng: Rng) -> Purchases:
    """A weekend sells like a weekday, or a weekday like a weekend: the calendar is off."""
    if day.day.weekday() < _SATURDAY:
        return day.rows(sample(len(day), 1 / _WEEKDAY_TO_WEEKEND, rng))
    count = round(len(day) * _WEEKDAY_TO_WEEKEND)
    return of_day(day.seed, day.day, count, tuple(GeneratorConfig.model_validate({}).peak_hours))


def flat_holiday(day: Purchases, rng: Rng) -> Purchases:
    """The rush of a holiday is missing: as many records as on a weekday."""
    return day.rows(sample(len(day), _WEEKDAY_TO_HOLIDAY, rng))


def drifted_risk(day: Purchases, rng: Rng) -> Purchases:
    """Half of the purchases are high-risk ones, with scores 0.30 higher; the volume is healthy."""
    hit = sample(len(day), _DRIFTED_SHARE, rng)
    raised = np.minimum(day.risk_percent + _DRIFTED_PERCENT, 99)
    return replace(
        day,
        scenario=np.where(hit, HIGH, day.scenario),
        risk_percent=np.where(hit, raised, day.risk_percent),
        speed=np.where(hit, len(SPEEDS) - 1, day.speed),
    )


SHIFTS: Mapping[str, Callable[[Purchases, Rng], Purchases]] = MappingProxyType(
    {
        "weekend_shift": weekend_shift,
        "flat_holiday": flat_holiday,
        "drifted_risk": drifted_risk,
    }
)
