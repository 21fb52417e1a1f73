"""The general ledger of an operator: a function of seed, opening day, scale and calendar.

A fiscal period is made at once and kept. What a period settles of earlier ones is drawn again from
those, so that any period can be made alone; a day is a slice of what was recorded in its period.
"""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pyarrow as pa

from clearhouse.core.fiscal import PERIODS, Calendar
from clearhouse.sandbox.gl import (
    capital,
    costs,
    depletion,
    jib,
    levies,
    opening,
    owners,
    period_end,
    revenue,
)
from clearhouse.sandbox.gl.closing import closing
from clearhouse.sandbox.gl.columns import ENTRIES_A_PERIOD, Numbered, rows_of, with_ids
from clearhouse.sandbox.gl.entries import NONE, Draft, Entries, assemble
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.schema import LINE_SCHEMA
from clearhouse.sandbox.gl.world import EPOCH, Month, World

_FIRST_PREPARER, _PREPARERS, _FIRST_APPROVER, _APPROVERS = 101, 24, 201, 9


class Ledger:
    """The ledger of an operator.

    Args:
        seed: of all that is drawn.
        opened_on: the first day; before it there is nothing.
        scale: size; 1 is some 200 wells and 330,000 lines a year.
        calendar: the fiscal calendar.
    """

    def __init__(
        self,
        seed: int = 42,
        opened_on: dt.date = dt.date(2024, 1, 1),
        scale: float = 1.0,
        calendar: Calendar = Calendar(),  # noqa: B008  (frozen)
    ) -> None:
        self._world = World(seed, opened_on, scale, calendar)

    def lines(self, first: dt.date, last: dt.date) -> pa.Table:
        """The lines recorded from first to last, both included, in order of `gl_entry_id`."""
        found = []
        for month in self._world.months_between(first, last):
            table = _recorded(self._world, month.number)
            days = table["recorded_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
            start = np.searchsorted(days, first.toordinal() - EPOCH, "left")
            end = np.searchsorted(days, last.toordinal() - EPOCH, "right")
            found.append(table.slice(start, end - start))
        return pa.concat_tables(found) if found else LINE_SCHEMA.empty_table()


@lru_cache(maxsize=3)
def _recorded(world: World, number: int) -> pa.Table:
    """All lines recorded on the days of a month: of its own period and, late, of the one before."""
    month = world.month(number)
    sources = [_numbered(world, each) for each in (number - 1, number) if each >= 0]
    if number and world.is_year_end(world.month(number - 1)):
        sources.append(_closing(world, number - 1))
    found = []
    for source in sources:
        first, last = source.draft.between(month.first, month.last)
        if first < last:
            found.append(rows_of(world, source, first, last))
    table = pa.concat_tables(found).combine_chunks()
    if len(found) > 1:
        moments = table["created_timestamp"].cast(pa.int64()).to_numpy()
        table = table.take(pa.array(np.argsort(moments, kind="stable")))
    return with_ids(table)


@lru_cache(maxsize=16)
def _draft(world: World, number: int) -> Draft:
    """The entries of a fiscal period."""
    month = world.month(number)
    draft = assemble(list(_entries(world, month)))
    entries = draft.entries
    rng = world.rng(Entity.CLOCK, number * 64 + 63)
    count = len(entries["recorded"])
    entries["user"] = _FIRST_PREPARER + rng.integers(0, _PREPARERS, count)
    entries["approver"] = _FIRST_APPROVER + rng.integers(0, _APPROVERS, count)
    return draft


def _numbered(world: World, number: int) -> Numbered:
    draft, month = _draft(world, number), world.month(number)
    return Numbered(draft, month.period, month.ordinal, _reversed_numbers(world, draft))


def _closing(world: World, number: int) -> Numbered:
    """The closing entries of the year that ends with a month: in period 13, if there is one."""
    month = world.month(number)
    first = max(0, number + 1 - PERIODS)
    year = [_draft(world, each) for each in range(first, number + 1)]
    draft = closing(world, month, year)
    reverses = np.full(len(draft.entries["tag"]), NONE)
    last = world.calendar.year(month.period.year)[-1]
    if last.is_adjustment:
        return Numbered(draft, last, month.ordinal + 1, reverses)
    before = len(year[-1].entries["tag"])
    return Numbered(draft, month.period, month.ordinal, reverses, before)


def _entries(world: World, month: Month) -> Iterable[Entries]:
    if month.number == 0:
        yield from opening.opening(world, month)
    for module in (revenue, owners, costs, jib, capital, levies, depletion, period_end):
        yield from module.all_of(world, month)


def _reversed_numbers(world: World, draft: Draft) -> Ints:
    """Of each entry, the number in the whole ledger of the one that it reverses; -1 for none."""
    of_month, of_tag = (draft.entries[name] for name in ("reverses_month", "reverses_tag"))
    numbers = np.full(len(of_tag), NONE)
    for number in np.unique(of_month[of_month >= 0]).tolist():
        tag = _draft(world, number).entries["tag"]
        order = np.argsort(tag)
        at = of_month == number
        row = order[np.searchsorted(tag[order], of_tag[at])]
        numbers[at] = world.month(number).ordinal * ENTRIES_A_PERIOD + row + 1
    return numbers
