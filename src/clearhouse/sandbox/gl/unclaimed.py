"""Unclaimed property: owners who can't be found, and what a state's law does with their money.

The operator took over suspended revenue with the properties that it bought. When its owner has not
been heard of for the time of dormancy, it becomes unclaimed property; what has become so goes to
the state once a year. Three years of dormancy and a report in July are usual; both differ by state,
and were not confirmed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.decks import PARTNERS
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.world import Month, World

_FIRST_OWNER, _MOST_OWNERS = PARTNERS, 88
"""Numbers of owners that no deck names today."""
_OWNERS, _FEWEST_OWNERS = 72, 12  # at scale 1
_DORMANCY_MONTHS = 36
_USUAL_CENTS, _SPREAD = 85_000, 0.9
_DORMANT_DAY, _REPORT_MONTH, _REPORT_DAY = 12, 7, 0


@dataclass(frozen=True)
class Suspended:
    """What was suspended when the books were opened, a row an owner.

    Attributes:
        owner: its number among owners. amount: cents.
        dormant_in: number of the month in which the time of dormancy ends, from 1.
    """

    owner: Ints
    amount: Ints
    dormant_in: Ints


@lru_cache(maxsize=8)
def suspended(world: World) -> Suspended:
    """Owners who can't be found: as many fall due in one month as in another."""
    count = min(max(_FEWEST_OWNERS, round(_OWNERS * world.scale)), _MOST_OWNERS)
    rng = world.rng(Entity.UNCLAIMED, 0)
    at = np.arange(count)
    amount = _USUAL_CENTS * np.exp(_SPREAD * rng.standard_normal(count))
    return Suspended(
        owner=_FIRST_OWNER + at,
        amount=np.rint(amount).astype(np.int64),
        dormant_in=1 + at * _DORMANCY_MONTHS // count,
    )


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """What becomes unclaimed in a month, and once a year its remittance to the state."""
    yield _escheated(world, month)
    if month.production.month == _REPORT_MONTH:
        yield _remitted(world, month)


def _escheated(world: World, month: Month) -> Entries:
    found = suspended(world)
    row = np.flatnonzero(found.dormant_in == month.number)
    rng = world.rng(Entity.UNCLAIMED, month.number * 2 + 1)
    entries = Entries(
        len(row),
        ("standard", "REV", "ADJ", "Suspense of an owner not found: unclaimed property"),
        month.business_day(_DORMANT_DAY),
        clock.office(rng, len(row)),
    )
    party, amount = world.parties.number("owner", found.owner[row]), found.amount[row]
    for account, signed, kind, document in (
        (chart.SUSPENSE, amount, "OPN", found.owner[row]),
        (chart.UNCLAIMED, -amount, "ESC", found.dormant_in[row]),
    ):
        entries.add(account, signed, party=party, document_kind=of_kind(kind), document=document)
    return entries


def _remitted(world: World, month: Month) -> Entries:
    """What became unclaimed since the report of the year before."""
    found = suspended(world)
    row = np.flatnonzero(
        (month.number - 12 <= found.dormant_in) & (found.dormant_in < month.number)
    )
    rng = world.rng(Entity.UNCLAIMED, month.number * 2 + 2)
    entries = Entries(
        1,
        ("standard", "REV", "PAY", "Unclaimed property remitted to the state"),
        month.business_day(_REPORT_DAY),
        clock.office(rng, 1),
    )
    entries.add(
        chart.UNCLAIMED,
        found.amount[row],
        np.zeros(len(row), dtype=np.int64),
        party=world.parties.number("owner", found.owner[row]),
        document_kind=of_kind("ESC"),
        document=found.dormant_in[row],
    )
    total = found.amount[row].sum()
    entries.add(chart.CASH, -total, document_kind=of_kind("WIRE"), document=month.number * 100 + 50)
    return entries
