"""What the wells produce in a month, and what of it is sold. Volumes are in thousandths."""

import calendar
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.sandbox.gl.numbers import Entity, Floats, Ints
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.projects import starts
from clearhouse.sandbox.gl.world import World

_LEASE_USE = 0.03  # of the gas: burnt on the lease or flared
_SHRINK_A_GALLON = 0.045  # of the gas, for each gallon an mcf that is taken out
_GALLONS_A_BARREL, _MCF_A_BARREL = 42, 6


@dataclass(frozen=True)
class Production:
    """A month of all wells; 0 for those that don't produce.

    Attributes:
        well_days: thousandths of days on production.
        oil, gas: produced, in thousandths of bbl and mcf.
        sold: volumes sold by product: bbl of oil, mcf of dry gas, gallons of liquids.
        boe: thousandths of barrels of oil equivalent sold.
    """

    well_days: Ints
    oil: Ints
    gas: Ints
    sold: Ints
    boe: Ints


@lru_cache(maxsize=64)
def production(world: World, number: int) -> Production:
    """The production of a month."""
    wells = world.properties
    month = world.month(number)
    rng = world.rng(Entity.VOLUMES, number)
    noise = np.exp(0.07 * rng.standard_normal((2, len(wells))))
    uptime = 1 - 0.5 * rng.random(len(wells)) ** 8
    began = starts(world)
    age = wells.age + np.maximum(number - began, 0)
    left = (1 + wells.curve * wells.decline * age) ** (-1 / wells.curve)
    producing = (began <= number) & ~wells.dry
    days = np.where(producing, _open_days(world, number, month.production) * uptime, 0.0)
    oil, gas = (
        _milli(rate * left * days * each)
        for rate, each in zip((wells.oil_bbl, wells.gas_mcf), noise, strict=True)
    )
    gallons = np.array([each.ngl_gal for each in BASINS])[wells.basin]
    saleable = gas * (1 - _LEASE_USE)
    sold = np.stack(
        [
            oil,
            _milli(saleable * (1 - _SHRINK_A_GALLON * gallons) / 1_000),
            _milli(saleable * gallons / 1_000),
        ]
    )
    return Production(
        well_days=_milli(days),
        oil=oil,
        gas=gas,
        sold=sold,
        boe=sold[0] + sold[1] // _MCF_A_BARREL + sold[2] // _GALLONS_A_BARREL,
    )


def _milli(amount: Floats) -> Ints:
    return np.rint(amount * 1_000).astype(np.int64)


def _open_days(world: World, number: int, month: dt.date) -> int:
    """Days of the production month; in the first one, those since the opening."""
    days = calendar.monthrange(month.year, month.month)[1]
    if number:
        return days
    before = world.opened_on.toordinal() - month.toordinal()
    return min(days, max(1, days - before))
