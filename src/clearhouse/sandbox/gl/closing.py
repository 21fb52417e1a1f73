"""The close of a year: revenue and expense to the income summary, and that to retained earnings."""

import numpy as np

from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import Draft, Entries, assemble
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.world import Month, World

CLOSING_DAY = 10
"""Business day of the next year on which a year is closed: after its last late posting."""


def results(world: World, draft: Draft) -> Ints:
    """Revenue and expense of a period: the balance by account that is closed, and by well.

    The last column is of what belongs to no well.
    """
    closed = _closed()
    row = np.full(10_000, -1)
    row[closed] = np.arange(len(closed))
    balance = np.zeros((len(closed), len(world.properties) + 1), dtype=np.int64)
    at = row[draft.lines["account"]]
    kept = at >= 0
    np.add.at(balance, (at[kept], draft.lines["well"][kept]), draft.lines["amount"][kept])
    return balance


def _closed() -> list[int]:
    return [each.code for each in chart.accounts().values() if each.is_closed_at_year_end]


def closing(world: World, month: Month, balance: Ints) -> Draft:
    """The closing entries of the year that ends with a month, an entry an account, well by well.

    Args:
        world: the ledger's.
        month: the last one of the year.
        balance: the sum of `results` of the year's periods.
    """
    closed = _closed()
    rng = world.rng(Entity.CLOCK, month.number * 64 + 59)
    recorded = world.month(month.number + 1).business_day(CLOSING_DAY)
    entries = Entries(
        len(closed) + 1,
        ("closing", "CLOSE", "ADJ", "Close of the year"),
        recorded,
        clock.job(rng, len(closed) + 1, 20, entries_a_second=1),
        posted=month.last,
        dated=month.last,
    )
    account, well = np.nonzero(balance)
    well_or_none = np.where(well == len(world.properties), -1, well)
    entries.add(np.array(closed)[account], -balance[account, well], account, well=well_or_none)
    of_account = balance.sum(axis=1)
    result = of_account.sum()
    entries.add(chart.INCOME_SUMMARY, np.append(of_account, -result))
    entries.add(chart.RETAINED_EARNINGS, np.array([result]), np.array([len(closed)]))
    return assemble([entries])
