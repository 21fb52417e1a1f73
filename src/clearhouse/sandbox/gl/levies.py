"""Property taxes and fees of producing wells: accrued monthly, paid every third month."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import cut
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.numbers import Entity, Ints, rounded, sums
from clearhouse.sandbox.gl.places import STATES
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.sales import sales
from clearhouse.sandbox.gl.taxes import AD_VALOREM_PPM, IMPACT_FEE_CENTS
from clearhouse.sandbox.gl.world import Month, World

_PAID_EVERY, _DAY = 3, 8


@lru_cache(maxsize=8)
def _owed(world: World, number: int) -> tuple[Ints, Ints]:
    """Of each well, the property tax on a month's revenue and the fee: the operator's part."""
    wells = world.properties
    sold = sales(world, number)
    own = cut(sold.value, world.decks.revenue[wells.lease[sold.well]])[:, 0]
    ppm = np.array([AD_VALOREM_PPM.get(state, 0) for state in STATES])[wells.state]
    tax = rounded(sums(sold.well, own, len(wells)) * ppm, 1_000_000)
    fee = np.array([IMPACT_FEE_CENTS.get(state, 0) for state in STATES])[wells.state]
    charged = np.where(production(world, number).well_days > 0, fee, 0)
    return tax, cut(charged, world.decks.cost[wells.lease])[:, 0]


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """The accruals of a month, and every third month the payment of those before."""
    rng = world.rng(Entity.CLOCK, month.number * 64 + 61)
    for account, amount, text in zip(
        (chart.AD_VALOREM_TAX, chart.FEES),
        _owed(world, month.number),
        ("Ad valorem tax accrued", "Impact fee accrued"),
        strict=True,
    ):
        well = np.flatnonzero(amount)
        words = ("recurring", "TAX", "ACCR", text)
        entries = Entries(len(well), words, month.last, clock.job(rng, len(well), 19))
        entries.add(account, amount[well], well=well)
        entries.add(chart.AD_VALOREM_PAYABLE, -amount[well], well=well)
        yield entries
    if month.number % _PAID_EVERY == 0 and month.number:
        yield _paid(world, month)


def _paid(world: World, month: Month) -> Entries:
    """What was accrued in the three months before, to each state."""
    before = range(month.number - _PAID_EVERY, month.number)
    owed = np.stack([np.add(*_owed(world, number)) for number in before]).sum(axis=0)
    by_state = sums(world.properties.state, owed, len(STATES))
    rng = world.rng(Entity.CLOCK, month.number * 64 + 62)
    entries = Entries(
        len(STATES),
        ("standard", "TAX", "PAY", "Property tax and fees paid"),
        month.business_day(_DAY),
        clock.office(rng, len(STATES)),
    )
    entries.add(chart.AD_VALOREM_PAYABLE, by_state)
    entries.add(
        chart.CASH,
        -by_state,
        document_kind=of_kind("WIRE"),
        document=month.number * 100 + np.arange(len(STATES)),
    )
    return entries
