"""The opening entries: what the operator begins with, and what it owes for it."""

import numpy as np

from clearhouse.sandbox.gl import chart
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.numbers import Ints
from clearhouse.sandbox.gl.period_end import debt_at, premium_cents
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.unclaimed import suspended
from clearhouse.sandbox.gl.world import Month, World

_CASH_CENTS, _CASH_A_WELL_CENTS = 2_500_000_000, 25_000_000
_WELL_COST_PERCENT = 42  # of what drilling it costs today, for a well that is bought
_PARTS_PERCENT = {chart.PROVED_LEASEHOLD: 18, chart.INTANGIBLE: 57, chart.TANGIBLE: 25}
_OWED_TO_VENDOR_CENTS = 3_500_000
_NIGHT_SECONDS = 30


def property_cost(world: World) -> Ints:
    """What the operator paid for the producing wells, by basin, in cents."""
    wells = world.properties
    basin = wells.basin[: wells.opened]
    own = world.decks.cost[wells.lease[: wells.opened], 0]
    cost = np.array([each.well_cost for each in BASINS])[basin] * _WELL_COST_PERCENT
    total = np.zeros(len(BASINS), dtype=np.int64)
    np.add.at(total, basin, cost * (own // 10_000) // 10_000)
    return total


def opening(world: World, month: Month) -> list[Entries]:
    """The opening entries, on the day on which the books are opened."""
    return [
        _position(world, month),
        _payables(world, month),
        _suspense(world, month),
        _retirement(world, month),
    ]


def _entries(count: int, text: str, month: Month, order: int) -> Entries:
    words = ("opening", "MANUAL", "ADJ", f"Opening balance: {text}")
    return Entries(count, words, month.first, _NIGHT_SECONDS * order + np.arange(count))


def _position(world: World, month: Month) -> Entries:
    """Cash, prepaid insurance, properties by basin and debt, against capital."""
    entries = _entries(1, "cash, properties, debt and capital", month, 1)
    cash = _CASH_CENTS + _CASH_A_WELL_CENTS * world.properties.opened
    prepaid = premium_cents(world) * (13 - month.period.number)
    given = {chart.CASH: cash, chart.PREPAIDS: prepaid}
    cost = int(property_cost(world).sum())
    for account, percent in _PARTS_PERCENT.items():
        given[account] = cost * percent // 100
    given[chart.DEBT] = -debt_at(world, 0)
    given[chart.CAPITAL] = -sum(given.values())
    for account, amount in given.items():
        entries.add(account, amount)
    return entries


def _payables(world: World, month: Month) -> Entries:
    """What was owed to vendors of the acquired properties, part of the price of tangible wells."""
    count = world.parties.vendors
    entries = _entries(count, "owed to a vendor", month, 2)
    amount = vendors_owed(world)
    entries.add(chart.TANGIBLE, amount)
    entries.add(
        chart.VENDORS,
        -amount,
        party=world.parties.number("vendor", np.arange(count)),
        document_kind=of_kind("OPN"),
        document=np.arange(count) + 1,
        due=month.first + 20,
    )
    return entries


def vendors_owed(world: World) -> Ints:
    """What each vendor is owed at the opening, in cents."""
    return _OWED_TO_VENDOR_CENTS + 77_777 * (np.arange(world.parties.vendors) % 17)


def _suspense(world: World, month: Month) -> Entries:
    """Revenue of owners who can't be found, which the seller of the properties handed over."""
    found = suspended(world)
    entries = _entries(len(found.owner), "revenue of an owner not found", month, 5)
    entries.add(chart.CASH, found.amount)
    entries.add(
        chart.SUSPENSE,
        -found.amount,
        party=world.parties.number("owner", found.owner),
        document_kind=of_kind("OPN"),
        document=found.owner,
    )
    return entries


def _retirement(world: World, month: Month) -> Entries:
    """The obligation to plug each well, by basin."""
    wells = world.properties
    entries = _entries(len(BASINS), "asset retirement obligations", month, 10)
    well = np.arange(wells.opened)
    basin, amount = wells.basin[: wells.opened], wells.retirement_cents[: wells.opened]
    entries.add(chart.RETIREMENT_COST, amount, basin, well=well)
    entries.add(
        chart.RETIREMENT,
        -amount,
        basin,
        well=well,
        document_kind=of_kind("ARO"),
        document=well + 1,
    )
    return entries
