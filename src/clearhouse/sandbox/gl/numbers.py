"""What the ledger draws, each from its own random stream."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Entity(IntEnum):
    """What is drawn. The numbers of `SharedEntity` are left out."""

    WELLS = 20
    DECKS = 21
    VOLUMES = 22
    SALES = 23
    RECEIPTS = 24
    OWNERS = 25
    INVOICES = 26
    PROJECTS = 27
    PROJECT_INVOICES = 28
    PARTNERS = 29
    ACCRUALS = 30
    PERIOD_END = 31
    CLOCK = 32
    TICKET = 33
    LABELLED_FAULT = 34
    NETTING = 35
    UNCLAIMED = 36
    ACCRUED_CAPITAL = 37
    HEDGES = 38


def rounded(numerator: Ints, divisor: int) -> Ints:
    """The quotient of integers to the nearest integer, halves away from zero."""
    half: Ints = (np.abs(numerator) * 2 + divisor) // (2 * divisor)
    return half * np.sign(numerator)


def sums(index: Ints, amounts: Ints, size: int) -> Ints:
    """The exact sum of the amounts of each index below size."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, index, amounts)
    return total
