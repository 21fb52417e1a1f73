"""The fiscal periods of a ledger: all their entries, numbered, and what is recorded in them.

A period is made at once and kept. What it settles of earlier periods is drawn again from those, so
that any period can be made alone.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow as pa

from clearhouse.core.fiscal import PERIODS
from clearhouse.sandbox.gl import (
    capital,
    costs,
    depletion,
    hedges,
    income_tax,
    jib,
    levies,
    opening,
    owners,
    period_end,
    revenue,
    unclaimed,
)
from clearhouse.sandbox.gl.closing import closing, results
from clearhouse.sandbox.gl.columns import ENTRIES_A_PERIOD, Numbered, rows_of, with_ids
from clearhouse.sandbox.gl.entries import NONE, Draft, Entries, assemble
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.planting import REACH, planted
from clearhouse.sandbox.gl.world import Month, World
from clearhouse.sandbox.rng import Rng

PREPARER, APPROVER = 101, 201
"""The first of those who enter, and of those who approve."""
_PREPARERS, _APPROVERS = 24, 9


@lru_cache(maxsize=3)
def recorded(world: World, number: int) -> pa.Table:
    """All lines recorded on the days of a month: of its own period and, late, of those before."""
    month = world.month(number)
    back = REACH if world.faults else 1
    sources = [_numbered(world, each) for each in range(max(0, number - back), number + 1)]
    if number and world.is_year_end(world.month(number - 1)):
        sources.append(_closing(world, number - 1))
    _results(world, number)  # while the period is at hand: the year's close needs it
    found = []
    for source in sources:
        first, last = source.draft.between(month.first, month.last)
        if first < last:
            found.append(rows_of(world, source, first, last))
    return with_ids(_merged(found))


def _merged(tables: list[pa.Table]) -> pa.Table:
    """The rows of tables that are in order of recording, in that order; of equal ones the first.

    Most rows are of one table and come after all rows of the others: they are not copied.
    """
    *others, longest = sorted(tables, key=len)
    if not others:
        return longest.combine_chunks()
    last = max(int(_moments(table)[-1]) for table in others)
    cut = int(np.searchsorted(_moments(longest), last, "right"))
    first = pa.concat_tables([*others, longest.slice(0, cut)]).combine_chunks()
    order = pa.array(np.argsort(_moments(first), kind="stable"))
    return pa.concat_tables([first.take(order), longest.slice(cut)])


def _moments(table: pa.Table) -> Ints:
    moments: Ints = table["created_timestamp"].cast(pa.int64()).to_numpy()
    return moments


@lru_cache(maxsize=5)
def draft_of(world: World, number: int) -> Draft:
    """The entries of a fiscal period, with the faults that are put into them."""
    if not world.faults:
        return _whole(world, number)
    sound = replace(world, faults=())
    return planted(world, number, lambda each: _whole(sound, each))


@lru_cache(maxsize=5)
def _whole(world: World, number: int) -> Draft:
    """The entries of a period of a ledger without faults."""
    tax = income_tax.all_of(world, world.month(number), lambda each: _income(world, each))
    draft = assemble([*_before_tax(world, number), *tax])
    return _signed(draft, world.rng(Entity.CLOCK, number * 64 + 63))


def _signed(draft: Draft, rng: Rng) -> Draft:
    """Entries with those who prepared and who approved them."""
    count = len(draft.entries["recorded"])
    users = {
        "user": PREPARER + rng.integers(0, _PREPARERS, count),
        "approver": APPROVER + rng.integers(0, _APPROVERS, count),
    }
    return replace(draft, entries={**draft.entries, **users})


def _numbered(world: World, number: int) -> Numbered:
    draft, month = draft_of(world, number), world.month(number)
    return Numbered(draft, month.period, month.ordinal, _reversed_numbers(world, draft))


def _closing(world: World, number: int) -> Numbered:
    """The closing entries of the year that ends with a month: in period 13, if there is one."""
    month = world.month(number)
    first = max(0, number + 1 - PERIODS)
    year = np.stack([_results(world, each) for each in range(first, number + 1)])
    draft = closing(world, month, year.sum(axis=0))
    draft = _signed(draft, world.rng(Entity.CLOCK, number * 64 + 58))
    reverses = np.full(len(draft.entries["tag"]), NONE)
    last = world.calendar.year(month.period.year)[-1]
    if last.is_adjustment:
        return Numbered(draft, last, month.ordinal + 1, reverses)
    before = int(draft_of(world, number).entries["number"].max())
    return Numbered(draft, month.period, month.ordinal, reverses, before)


@lru_cache(maxsize=64)
def _results(world: World, number: int) -> Ints:
    return results(world, draft_of(world, number))


@lru_cache(maxsize=64)
def _income_parts(world: World, number: int) -> tuple[int, int]:
    """The income before tax of a period: recorded up to its last day, and after it."""
    return income_tax.income_of(_before_tax(world, number), world.month(number).last)


def _income(world: World, number: int) -> int:
    """The income before tax that is recorded in a month: of its period, and late of the last."""
    late = _income_parts(world, number - 1)[1] if number else 0
    return _income_parts(world, number)[0] + late


@lru_cache(maxsize=2)
def _before_tax(world: World, number: int) -> list[Entries]:
    return list(_entries(world, world.month(number)))


def _entries(world: World, month: Month) -> Iterable[Entries]:
    """The entries of a period, but for income tax."""
    if month.number == 0:
        yield from opening.opening(world, month)
    for module in (
        *(revenue, owners, unclaimed, costs, jib),
        *(capital, levies, depletion, hedges, period_end),
    ):
        yield from module.all_of(world, month)


def _reversed_numbers(world: World, draft: Draft) -> Ints:
    """Of each entry, the number in the whole ledger of the one that it reverses; -1 for none."""
    of_month, of_tag = (draft.entries[name] for name in ("reverses_month", "reverses_tag"))
    numbers = np.full(len(of_tag), NONE)
    for number in np.unique(of_month[of_month >= 0]).tolist():
        entries = draft_of(world, number).entries
        tag = entries["tag"]
        order = np.argsort(tag)
        at = of_month == number
        row = order[np.searchsorted(tag[order], of_tag[at])]
        numbers[at] = world.month(number).ordinal * ENTRIES_A_PERIOD + entries["number"][row]
    return numbers
