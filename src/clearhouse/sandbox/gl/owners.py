"""What owners of revenue get: cheques for a month's sales in the next one, suspense and release.

An owner's title may be in doubt for some months: what is due then waits in suspense, and is paid
with the first cheques after the doubt is gone. A partner whose bills are netted gets what is left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.decks import PARTNER_SLOTS, PARTNERS
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.jib import netted
from clearhouse.sandbox.gl.numbers import Entity, Ints, Mask, sums
from clearhouse.sandbox.gl.sales import due
from clearhouse.sandbox.gl.world import Month, World

_IN_DOUBT_SHARE = 0.12  # of the owners in a block of months: has one spell of doubt
_BLOCK, _LAST_START, _LONGEST = 12, 7, 4  # months: a spell ends within its block
_RUN_OWNERS = 300
_SUSPENSE_DAY, _FUNDING_DAY, _FIRST_RUN_DAY, _RUN_DAYS = 3, 4, 5, 3


@dataclass(frozen=True)
class _Doubt:
    """Of each owner, from which month of sales to which one the title is in doubt."""

    first: Ints
    last: Ints


@lru_cache(maxsize=4)
def _doubt(world: World, block: int) -> _Doubt:
    rng = world.rng(Entity.OWNERS, block)
    count = world.decks.owners
    u = rng.random((3, count))
    # A partner's title is not in doubt: it is party to the agreement.
    doubtful = (u[0] < _IN_DOUBT_SHARE) & (np.arange(count) >= PARTNERS)
    # In every block there is one at least.
    lease = np.array([block % world.properties.leases])
    doubtful[world.decks.owners_at(lease, lease * 0 + block * _BLOCK)[0, PARTNER_SLOTS]] = True
    first = block * _BLOCK + (u[1] * (_LAST_START + 1)).astype(np.int64)
    length = 1 + (u[2] * _LONGEST).astype(np.int64)
    return _Doubt(np.where(doubtful, first, 0), np.where(doubtful, first + length - 1, -1))


def _suspended(world: World, number: int) -> Mask:
    doubt = _doubt(world, number // _BLOCK)
    return (doubt.first <= number) & (number <= doubt.last)


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """Every entry of a month by which owners are paid, or not yet."""
    if month.number == 0:
        return
    number = month.number - 1
    amount, waits = due(world, number), _suspended(world, number)
    yield _into_suspense(world, month, np.where(waits, amount, 0))
    released, owner_waited = _out_of_suspense(world, month)
    yield released
    paid = np.where(waits, 0, amount)
    paid[:PARTNERS] -= netted(world, month.number)
    yield from _cheques(world, month, paid, owner_waited)


def _entries(
    world: World, month: Month, words: tuple[str, str, str, str], count: int, day: int
) -> Entries:
    rng = world.rng(Entity.CLOCK, month.number * 64 + 10 + day)
    return Entries(count, words, month.business_day(day), clock.job(rng, count, 9.5))


def _into_suspense(world: World, month: Month, amount: Ints) -> Entries:
    owner = np.flatnonzero(amount)
    words = ("standard", "REV", "ADJ", "Owner's title in doubt: into suspense")
    entries = _entries(world, month, words, len(owner), _SUSPENSE_DAY)
    party = world.parties.number("owner", owner)
    for account, kind, sign in ((chart.OWNERS, "REV", 1), (chart.SUSPENSE, "SUS", -1)):
        entries.add(
            account,
            sign * amount[owner],
            party=party,
            document_kind=of_kind(kind),
            document=month.number,
        )
    return entries


def _out_of_suspense(world: World, month: Month) -> tuple[Entries, Ints]:
    """Entries that release what waited, and the sum of it by owner."""
    number = month.number - 1
    doubt = _doubt(world, max(number - 1, 0) // _BLOCK)
    owner = np.flatnonzero(doubt.last == number - 1) if number else np.array([], dtype=np.int64)
    words = ("standard", "REV", "ADJ", "Owner's title cleared: out of suspense")
    entries = _entries(world, month, words, len(owner), _SUSPENSE_DAY + 1)
    party = world.parties.number("owner", owner)
    total = np.zeros(len(owner), dtype=np.int64)
    for before in range(max(0, number - _LONGEST), number):
        waited = np.where(doubt.first[owner] <= before, due(world, before)[owner], 0)
        entries.add(
            chart.SUSPENSE,
            waited,
            party=party,
            document_kind=of_kind("SUS"),
            document=before + 1,
        )
        total += waited
    entries.add(
        chart.OWNERS,
        -total,
        party=party,
        document_kind=of_kind("REL"),
        document=month.number,
    )
    return entries, sums(owner, total, world.decks.owners)


def _cheques(world: World, month: Month, amount: Ints, waited: Ints) -> Iterable[Entries]:
    """The runs of cheques, and the cash that is set aside for them."""
    owner = np.arange(len(amount))
    runs = max(_RUN_DAYS, len(owner) // _RUN_OWNERS)
    run = owner % runs
    total = sums(run, amount + waited, runs)
    words = ("standard", "REV", "PAY", "Cash for owners' cheques")
    funding = _entries(world, month, words, 1, _FUNDING_DAY)
    funding.add(chart.DISTRIBUTION_CASH, total.sum())
    funding.add(chart.CASH, -total.sum())
    yield funding
    words = ("standard", "REV", "PAY", "Cheques to owners")
    cheques = _entries(world, month, words, runs, _FIRST_RUN_DAY)
    cheques.columns["recorded"] = month.business_day(_FIRST_RUN_DAY + np.arange(runs) % _RUN_DAYS)
    cheques.columns["posted"] = cheques.columns["dated"] = cheques.columns["recorded"]
    party = world.parties.number("owner", owner)
    for kind, paid in (("REV", amount), ("REL", waited)):
        cheques.add(
            chart.OWNERS,
            paid,
            run,
            party=party,
            document_kind=of_kind(kind),
            document=month.number,
        )
    cheques.add(
        chart.DISTRIBUTION_CASH,
        -total,
        document_kind=of_kind("CHQ"),
        document=month.number * 1_000 + np.arange(runs),
    )
    yield cheques
