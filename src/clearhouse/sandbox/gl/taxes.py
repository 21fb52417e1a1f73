"""Production taxes by state, product and date: a share of the value, and an amount a unit.

A rate is in force from its first production month until that of the next one. Of rates that depend
on the well (its age, its depth), the usual one stands here. Pennsylvania has an impact fee instead.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.gl.places import STATES

OIL, GAS, NGL = 0, 1, 2
PRODUCTS = ("OIL", "GAS", "NGL")


@dataclass(frozen=True)
class Rate:
    """One rate.

    Attributes:
        value_ppm: millionths of the value at the well.
        unit_micro: millionths of a dollar for each bbl, mcf or gallon.
    """

    state: str
    product: int
    since: dt.date
    value_ppm: int
    unit_micro: int = 0


_EVER = dt.date(1900, 1, 1)

RATES = (
    Rate("TX", OIL, _EVER, 46_000, 6_250),
    Rate("TX", GAS, _EVER, 75_000, 667),
    Rate("TX", NGL, _EVER, 75_000),
    Rate("NM", OIL, _EVER, 70_900),  # severance 3.75, school 3.15, conservation 0.19
    Rate("NM", GAS, _EVER, 79_400),
    Rate("NM", NGL, _EVER, 79_400),
    Rate("ND", OIL, _EVER, 100_000),
    Rate("ND", GAS, _EVER, 0, 70_500),  # reset each July
    Rate("CO", OIL, _EVER, 50_000),
    Rate("CO", GAS, _EVER, 50_000),
    Rate("CO", NGL, _EVER, 50_000),
    Rate("OK", OIL, _EVER, 70_950),  # with the excise
    Rate("OK", GAS, _EVER, 70_950),
    Rate("OK", NGL, _EVER, 70_950),
    Rate("LA", OIL, _EVER, 125_000),
    Rate("LA", OIL, dt.date(2025, 7, 1), 65_000),
    Rate("LA", GAS, _EVER, 0, 98_500),
    Rate("LA", GAS, dt.date(2025, 7, 1), 0, 105_200),
    # Severance 6 and conservation 0.05, which was confirmed for 2016 to 2020 only.
    Rate("WY", OIL, _EVER, 60_500),
    Rate("WY", GAS, _EVER, 60_500),
    Rate("WY", NGL, _EVER, 60_500),
    # By the unit: 10 cents a barrel and 2.5 cents an mcf (Ohio Revised Code 5749.02), from general
    # knowledge: no page was checked. Its cost recovery assessment, by the well, is left out.
    Rate("OH", OIL, _EVER, 0, 100_000),
    Rate("OH", GAS, _EVER, 0, 25_000),
)

IMPACT_FEE_CENTS = {"PA": 104_000}
"""What a producing well owes a month where there is a fee and no tax on value."""

AD_VALOREM_PPM = {"TX": 21_000, "CO": 48_000, "LA": 9_000, "NM": 12_000, "WY": 65_000}
"""Property tax on producing wells, accrued as millionths of the operator's revenue; in Wyoming the
counties' tax on gross products, typically 6 to 7 %. Ohio's, by appraisal, is left out: no rate was
found."""


@cache
def rates_at(month: dt.date) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rates in force for a production month: value_ppm and unit_micro by state and product."""
    value, unit = np.zeros((2, len(STATES), len(PRODUCTS)), dtype=np.int64)
    for rate in sorted(RATES, key=lambda rate: rate.since):
        if rate.since <= month:
            at = STATES.index(rate.state), rate.product
            value[at], unit[at] = rate.value_ppm, rate.unit_micro
    return value, unit
