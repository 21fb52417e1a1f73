"""Faults of whole days of the BNPL source: bad days as columns, seeded, the same at every attempt.

Those of single records, as text, are in `record_faults`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from clearhouse.sandbox.rng import Entity, sample, stream
from clearhouse.sandbox.simtom.credit import INSTALLMENTS
from clearhouse.sandbox.simtom.purchases import Purchases, first_payment
from clearhouse.sandbox.simtom.record_faults import RECORD_FAULTS
from clearhouse.sandbox.simtom.shifts import SHIFTS

_NEGATIVE_SHARE = 0.05
_RESTATED_SHARE = 0.01
_FAULTS_PER_DAY = 64  # room in the numbering of the random streams

Rng = np.random.Generator


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


# The position of a fault numbers its random stream: add at the end.
DAY_FAULTS: Mapping[str, Callable[[Purchases, Rng], Purchases]] = MappingProxyType(
    {
        "negative_amounts": negative_amounts,
        "half_volume": half_volume,
        "restated": restated,
        **SHIFTS,
    }
)

# Faults of a later pull: from the second whole answer on, the day comes with the other fault.
LATER_FAULTS: Mapping[str, str] = MappingProxyType({"restated_later": "restated"})

ROW_FAULTS = frozenset({*DAY_FAULTS, *LATER_FAULTS, *RECORD_FAULTS})
"""Names of all that can be wrong with the content of a day."""


def apply(kinds: list[str], day: Purchases, *, is_later: bool = False) -> Purchases:
    """The day as it comes with the named faults, one after the other.

    Args:
        kinds: names of row faults; those of single records are not for here.
        day: the day as it should be.
        is_later: whether the day was given whole before.
    """
    names = list(DAY_FAULTS)
    for kind in kinds:
        name = LATER_FAULTS.get(kind, kind)
        if name not in DAY_FAULTS or (kind in LATER_FAULTS and not is_later):
            continue
        number = day.day.toordinal() * _FAULTS_PER_DAY + names.index(name)
        day = DAY_FAULTS[name](day, stream(day.seed, Entity.FAULT, number))
    return day
