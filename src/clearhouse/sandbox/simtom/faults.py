"""Faults of whole days of simtom, on the columns: seeded, the same at every attempt.

Some are visible in single records. Of a shift, each record is as it should be and the day as a
whole is not: it is what a gate over a day's statistics is for. Shifts change the volume relative to
what is asked for, as the kinds of days differ in the `day_type` pattern (5,500, 3,300 and 9,000
records on average). The faults of single records, as text, are in `record_faults`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from clearhouse.sandbox import day_faults
from clearhouse.sandbox.rng import Rng, sample
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.credit import HIGH, INSTALLMENTS
from clearhouse.sandbox.simtom.purchases import SPEEDS, Purchases, first_payment, of_day
from clearhouse.sandbox.simtom.record_faults import RECORD_FAULTS

_NEGATIVE_SHARE = 0.05
_RESTATED_SHARE = 0.01
_WEEKDAY_TO_WEEKEND = 5_500 / 3_300
_WEEKDAY_TO_HOLIDAY = 5_500 / 9_000
_DRIFTED_SHARE = 0.5
_DRIFTED_PERCENT = 30
_SATURDAY = 5


def negative_amounts(day: Purchases, rng: Rng) -> Purchases:
    """5 % of the amounts, at least one, with a minus sign; nothing else of the record changes."""
    hit = sample(len(day), _NEGATIVE_SHARE, rng)
    return replace(day, amount_cents=np.where(hit, -day.amount_cents, day.amount_cents))


def half_volume(day: Purchases, rng: Rng) -> Purchases:
    """Half of the records are missing; those that are there are as they should be."""
    return day.rows(sample(len(day), 0.5, rng))


def restated(day: Purchases, rng: Rng) -> Purchases:
    """1 % of the records, at least one, come with a lower amount under the same id and time."""
    hit = sample(len(day), _RESTATED_SHARE, rng)
    lower = (day.amount_cents * rng.uniform(0.5, 0.95, len(day))).astype(np.int64)
    amount = np.where(hit, lower, day.amount_cents)
    payments = np.array(INSTALLMENTS)[day.installments]
    return replace(day, amount_cents=amount, first_payment_cents=first_payment(amount, payments))


def weekend_shift(day: Purchases, rng: Rng) -> Purchases:
    """A weekend has the volume of a weekday, or a weekday that of a weekend."""
    if day.day.weekday() < _SATURDAY:
        return day.rows(sample(len(day), 1 / _WEEKDAY_TO_WEEKEND, rng))
    count = round(len(day) * _WEEKDAY_TO_WEEKEND)
    return of_day(day.seed, day.day, count, tuple(GeneratorConfig.model_validate({}).peak_hours))


def flat_holiday(day: Purchases, rng: Rng) -> Purchases:
    """A holiday has the volume of a weekday."""
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


# The position of a fault numbers its random stream: add at the end.
DAY_FAULTS: Mapping[str, Callable[[Purchases, Rng], Purchases]] = MappingProxyType(
    {
        "negative_amounts": negative_amounts,
        "half_volume": half_volume,
        "restated": restated,
        "weekend_shift": weekend_shift,
        "flat_holiday": flat_holiday,
        "drifted_risk": drifted_risk,
    }
)

# From the second whole answer on, the day comes with the other fault.
LATER_FAULTS: Mapping[str, str] = MappingProxyType({"restated_later": "restated"})

ROW_FAULTS = frozenset({*DAY_FAULTS, *LATER_FAULTS, *RECORD_FAULTS})
"""Names of all faults of the records of a day."""


def apply(kinds: list[str], day: Purchases) -> Purchases:
    """The day as it comes with the named faults, in the order in which they are given."""
    return day_faults.apply(DAY_FAULTS, kinds, day, day.seed, day.day)
