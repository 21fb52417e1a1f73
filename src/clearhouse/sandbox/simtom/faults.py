"""Row faults of the BNPL source: bad days, seeded, the same at every attempt."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.rng import Entity, stream
from clearhouse.sandbox.simtom.credit import INSTALLMENTS
from clearhouse.sandbox.simtom.purchases import Purchases, first_payment

_NEGATIVE_SHARE = 0.05
_RESTATED_SHARE = 0.01
_FAULTS_PER_DAY = 64  # room in the numbering of the random streams

Rng = np.random.Generator


def negative_amounts(day: Purchases, rng: Rng) -> Purchases:
    """5 % of the amounts, at least one, with a minus sign; nothing else of the record changes."""
    hit = _sample(len(day), _NEGATIVE_SHARE, rng)
    return replace(day, amount_cents=np.where(hit, -day.amount_cents, day.amount_cents))


def half_volume(day: Purchases, rng: Rng) -> Purchases:
    """Half of the records are missing; those that are there are as they should be."""
    return day.rows(_sample(len(day), 0.5, rng))


def restated(day: Purchases, rng: Rng) -> Purchases:
    """1 % of the records, at least one, come with a lower amount under the same id and time."""
    hit = _sample(len(day), _RESTATED_SHARE, rng)
    lower = (day.amount_cents * rng.uniform(0.5, 0.95, len(day))).astype(np.int64)
    amount = np.where(hit, lower, day.amount_cents)
    payments = np.array(INSTALLMENTS)[day.installments]
    return replace(day, amount_cents=amount, first_payment_cents=first_payment(amount, payments))


# The position of a fault numbers its random stream: add at the end.
ROW_FAULTS: Mapping[str, Callable[[Purchases, Rng], Purchases]] = MappingProxyType(
    {
        "negative_amounts": negative_amounts,
        "half_volume": half_volume,
        "restated": restated,
    }
)


def apply(kinds: list[str], day: Purchases) -> Purchases:
    """The day as it comes with the named faults, one after the other."""
    names = list(ROW_FAULTS)
    for kind in kinds:
        number = day.day.toordinal() * _FAULTS_PER_DAY + names.index(kind)
        day = ROW_FAULTS[kind](day, stream(day.seed, Entity.FAULT, number))
    return day


def _sample(size: int, share: float, rng: Rng) -> NDArray[np.bool_]:
    """A mask of exactly that share of the rows, rounded, and at least one if there are any."""
    chosen = max(1, round(size * share))
    picked: NDArray[np.bool_] = rng.permutation(size) < chosen
    return picked
