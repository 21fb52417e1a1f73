"""Joint interest billing: partners' parts of a month's costs, overhead, their payments, cash calls.

Costs of a month are billed in the next one, after its late invoices. Operating cost and overhead of
all wells are one bill a partner; a project has its own, which is called for in advance. Bills of
some partners are netted against their revenue; what is left is paid by one of the two.
"""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import cut
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.decks import PARTNER_SLOTS, PARTNERS
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.invoices import cost_deck, invoices
from clearhouse.sandbox.gl.numbers import Entity, Ints, Mask, sums
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.projects import projects
from clearhouse.sandbox.gl.sales import due
from clearhouse.sandbox.gl.world import Month, World
from clearhouse.sandbox.rng import pick

_BILL_DAY, _CALL_DAY = 8, 1
_PAID_AFTER = (0.1, 0.72, 0.13, 0.05)  # shares of bills, by months
_PAYMENT_DAYS = (16, 10, 5, 13)
_TERMS_DAYS = 30
_NETTED_PARTNERS = 4  # of all: have agreed that their bills are netted
_NETTING_DAY, _NETTED_AFTER = 4, 1  # before the owners' cheques of the month after the bill
_CALLED_IN_CENTS = 1_000_000
_OVERHEAD_CENTS = (
    (dt.date(1900, 1, 1), 101_500),
    (dt.date(2024, 4, 1), 105_000),
    (dt.date(2025, 4, 1), 108_300),
    (dt.date(2026, 4, 1), 110_900),
)
"""The fixed rate of a producing well a month, from a day on: changed each April."""


def _bill(number: int, partner: Ints) -> Ints:
    """The document of a partner's bill for the costs of a month."""
    return (number + 1) * 1_000 + partner


def _project_bill(number: int, project: Ints, partner: Ints) -> Ints:
    return ((number + 1) * 10_000 + project[:, None] % 10_000) * 100 + partner


@lru_cache(maxsize=8)
def _by_well(world: World, number: int) -> Ints:
    """Partners' parts of operating costs of a month: wells by slots."""
    every = invoices(world, number)
    rows = every.rows((every.well >= 0) & (every.afe < 0))
    return _summed(rows.well, cost_deck(world, rows)[1], len(world.properties))


@lru_cache(maxsize=8)
def _by_project(world: World, number: int) -> tuple[Ints, Ints]:
    """The projects that had costs in a month, and the partners' parts: projects by slots."""
    every = invoices(world, number)
    rows = every.rows(every.afe >= 0)
    parts = _summed(rows.afe, cost_deck(world, rows)[1], len(projects(world).well))
    project = np.flatnonzero(parts.any(axis=1))
    return project, parts[project]


def _summed(index: Ints, parts: Ints, size: int) -> Ints:
    at = index[:, None] * PARTNER_SLOTS + np.arange(PARTNER_SLOTS)
    return sums(at.ravel(), parts[:, 1:].ravel(), size * PARTNER_SLOTS).reshape(size, PARTNER_SLOTS)


@lru_cache(maxsize=8)
def _overhead(world: World, number: int) -> Ints:
    """Partners' parts of the overhead of producing wells: wells by slots."""
    month = world.month(number)
    rate = next(rate for since, rate in reversed(_OVERHEAD_CENTS) if since <= month.production)
    charged = np.where(production(world, number).well_days > 0, rate, 0)
    return cut(charged, world.decks.cost[world.properties.lease])[:, 1:]


def _owed(world: World, number: int) -> Ints:
    """What each partner's bill for the costs of a month comes to."""
    amount = _by_well(world, number) + _overhead(world, number)
    partner = world.decks.partner[world.properties.lease]
    there = partner >= 0
    return sums(partner[there], amount[there], PARTNERS)


@lru_cache(maxsize=8)
def _is_netted(world: World) -> Mask:
    """Of each partner, whether its bills are netted against its revenue."""
    order = world.rng(Entity.NETTING, 0).permutation(PARTNERS)
    chosen: Mask = np.isin(np.arange(PARTNERS), order[:_NETTED_PARTNERS])
    return chosen


@lru_cache(maxsize=8)
def netted(world: World, number: int) -> Ints:
    """What is set off in a month between each partner's bill and its revenue, in cents.

    A partner has the same number among the owners of revenue.
    """
    billed = number - 1 - _NETTED_AFTER
    if billed < 0:
        return np.zeros(PARTNERS, dtype=np.int64)
    least = np.minimum(_owed(world, billed), due(world, number - 1)[:PARTNERS])
    return np.where(_is_netted(world), np.maximum(least, 0), 0)


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """Every entry of joint interest billing in a month."""
    yield _called(world, month)
    if month.number:
        yield _set_off(world, month)
        yield from _billed(world, month)
        yield from _on_projects(world, month)
        yield from _paid(world, month)


def _entries(
    world: World, month: Month, words: tuple[str, str, str, str], count: int, day: int
) -> Entries:
    rng = world.rng(Entity.CLOCK, month.number * 64 + 30 + day)
    return Entries(count, words, month.business_day(day), clock.job(rng, count, 15.5))


def _billed(world: World, month: Month) -> Iterable[Entries]:
    """The bills for last month's operating costs, and for overhead, well by well."""
    number = month.number - 1
    code = world.month(number).production_code
    of_lease = world.decks.partner[world.properties.lease]
    for text, kind, parts, account in (
        ("Joint interest bill", "INV", _by_well(world, number), chart.UNBILLED),
        ("COPAS overhead", "ALLOC", _overhead(world, number), chart.OVERHEAD),
    ):
        well = np.flatnonzero(parts.any(axis=1))
        entry_type = "allocation" if kind == "ALLOC" else "standard"
        words = (entry_type, "JIB", kind, text)
        entries = _entries(world, month, words, len(well), _BILL_DAY)
        partner = of_lease[well]
        of_well: dict[str, Ints] = {"well": well, "jib_month": np.full(len(well), code)}
        entries.add(
            chart.PARTNERS,
            parts[well],
            party=world.parties.number("partner", partner),
            document_kind=of_kind("JIB"),
            document=_bill(number, partner),
            due=entries.columns["recorded"] + _TERMS_DAYS,
            **of_well,
        )
        if account == chart.OVERHEAD:
            entries.add(account, -parts[well].sum(axis=1), **of_well)
        else:
            party = world.parties.number("partner", partner)
            entries.add(account, -parts[well], party=party, **of_well)
        yield entries


def _paid(world: World, month: Month) -> Iterable[Entries]:
    """What partners pay in a month, of the bills of this one and of earlier ones."""
    for after, day in enumerate(_PAYMENT_DAYS):
        number = month.number - after - 1
        if number < 0:
            return
        rng = world.rng(Entity.PARTNERS, number * 2)
        chosen = pick(_PAID_AFTER, rng.random(PARTNERS))
        pays = np.where(_is_netted(world), _NETTED_AFTER, chosen) == after
        words = ("standard", "AR", "PAY", "Payment by partner")
        entries = _entries(world, month, words, PARTNERS, day)
        set_off = netted(world, month.number) if after == _NETTED_AFTER else 0
        amount = np.where(pays, _owed(world, number) - set_off, 0)
        partner = np.arange(PARTNERS)
        entries.add(
            chart.CASH, amount, document_kind=of_kind("RCT"), document=_bill(number, partner)
        )
        entries.add(
            chart.PARTNERS,
            -amount,
            party=world.parties.number("partner", partner),
            document_kind=of_kind("JIB"),
            document=_bill(number, partner),
        )
        yield entries


def _set_off(world: World, month: Month) -> Entries:
    """Netting: what a partner is due of revenue pays its bill, as far as it goes."""
    words = ("standard", "JIB", "ADJ", "Bill netted against the partner's revenue")
    entries = _entries(world, month, words, PARTNERS, _NETTING_DAY)
    amount, partner = netted(world, month.number), np.arange(PARTNERS)
    entries.add(
        chart.OWNERS,
        amount,
        party=world.parties.number("owner", partner),
        document_kind=of_kind("REV"),
        document=month.number,
    )
    entries.add(
        chart.PARTNERS,
        -amount,
        party=world.parties.number("partner", partner),
        document_kind=of_kind("JIB"),
        document=_bill(month.number - 1 - _NETTED_AFTER, partner),
    )
    return entries


def _calls(parts: Ints) -> Ints:
    """What is called for costs to come: a little more than they will be."""
    return -(-parts // _CALLED_IN_CENTS) * _CALLED_IN_CENTS


def _called(world: World, month: Month) -> Entries:
    """Cash calls for what will be spent on projects this month."""
    project, parts = _by_project(world, month.number)
    words = ("standard", "AR", "PAY", "Cash call received")
    entries = _entries(world, month, words, len(project), _CALL_DAY)
    well = projects(world).well[project]
    calls = _calls(parts)
    entries.add(chart.CASH, calls.sum(axis=1), well=well, afe=project)
    _add_prepaid(world, entries, -calls, project, month.number)
    return entries


def _add_prepaid(world: World, entries: Entries, amount: Ints, project: Ints, number: int) -> None:
    well = projects(world).well[project]
    partner = world.decks.partner[world.properties.lease[well]]
    entries.add(
        chart.PREPAYMENTS,
        amount,
        party=world.parties.number("partner", partner),
        document_kind=of_kind("CALL"),
        document=_project_bill(number, project, partner),
        well=well,
        afe=project,
    )


def _on_projects(world: World, month: Month) -> Iterable[Entries]:
    """The bills for last month's costs of projects, and the calls that are set against them."""
    number = month.number - 1
    project, parts = _by_project(world, number)
    well = projects(world).well[project]
    partner = world.decks.partner[world.properties.lease[well]]
    words = ("standard", "JIB", "INV", "Joint interest bill of an AFE")
    bills = _entries(world, month, words, len(project), _BILL_DAY)
    of_bill: dict[str, Ints] = {
        "party": world.parties.number("partner", partner),
        "document_kind": np.full(len(project), of_kind("JBA")),
        "document": _project_bill(number, project, partner),
        "well": well,
        "afe": project,
        "jib_month": np.full(len(project), world.month(number).production_code),
    }
    due = bills.columns["recorded"] + _TERMS_DAYS
    bills.add(chart.PARTNERS, parts, due=due, **of_bill)
    bills.add(chart.UNBILLED, -parts, **of_bill)
    yield bills
    words = ("standard", "JIB", "ADJ", "Cash call applied")
    applied = _entries(world, month, words, len(project), _BILL_DAY + 1)
    calls = _calls(parts)
    _add_prepaid(world, applied, calls, project, number)
    applied.add(chart.PARTNERS, -parts, **of_bill)
    applied.add(chart.CASH, (parts - calls).sum(axis=1), well=well, afe=project)
    yield applied
