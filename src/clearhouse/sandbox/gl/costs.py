"""Entries of costs: invoices and their corrections, payments to vendors, accrued operating cost."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import cut
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import NONE, Entries, Value, of_kind, tags
from clearhouse.sandbox.gl.invoices import (
    DOCUMENTS_A_MONTH,
    PAYMENT_DAYS,
    Invoices,
    cost_deck,
    invoices,
)
from clearhouse.sandbox.gl.numbers import Entity, Ints, sums
from clearhouse.sandbox.gl.opening import vendors_owed
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.world import Month, World
from clearhouse.sandbox.times import DAY_SECONDS

_ACCRUAL_TAG, _WRONG_TAG = 5, 6
_ACCRUED_A_WELL_CENTS = 640_000
_RIGHT_AFTER_SECONDS = 90


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """Every entry of costs in a month."""
    yield from _invoices(world, month)
    yield from _payments(world, month)
    accrued = _accrued(world, month.number)
    yield accrued
    if month.number:
        before = _accrued(world, month.number - 1)
        rng = world.rng(Entity.CLOCK, month.number * 64 + 20)
        seconds = clock.job(rng, before.count, 1.3)
        text = "Reversal: operating cost accrued"
        yield before.reversed(month.number - 1, text, month.first, seconds)


def _invoices(world: World, month: Month) -> Iterable[Entries]:
    """Invoices, as they were entered; the wrong ones once more the other way, and right."""
    every = invoices(world, month.number)
    is_wrong = every.wrong_account != NONE
    is_late = every.recorded > month.last
    yield _entered(world, every.rows(~is_wrong & ~is_late), "INV", {})
    yield _entered(world, every.rows(is_late), "INV", {"posted": month.last})
    wrong = every.rows(is_wrong)
    as_wrong = {"account": wrong.wrong_account, "tag": tags(_WRONG_TAG, len(wrong))}
    first = _entered(world, wrong, "INV", as_wrong)
    yield first
    text = "Correction: reversal of an invoice on a wrong account"
    yield first.reversed(month.number, text, wrong.corrected, wrong.second)
    second = np.minimum(wrong.second + _RIGHT_AFTER_SECONDS, DAY_SECONDS - 1)
    yield _entered(world, wrong, "ADJ", {"recorded": wrong.corrected, "second": second})


def _entered(world: World, rows: Invoices, kind: str, changes: dict[str, Value]) -> Entries:
    """Invoices as entries; `changes` are to the account, or to columns of the entries."""
    source = "AP" if kind == "INV" else "ADJ"
    account = changes.pop("account", rows.account)
    given = {"recorded": rows.recorded, "second": rows.second, **changes}
    given.setdefault("posted", given["recorded"])
    entries = Entries(
        len(rows),
        ("standard", source, kind, ""),
        given["recorded"],
        given["second"],
        **{
            "dated": np.minimum(rows.dated, given["posted"]),
            "description": rows.description,
            **{name: given[name] for name in ("posted", "tag") if name in given},
        },
    )
    shares, parts = cost_deck(world, rows)
    shares = np.where((rows.well >= 0)[:, None], shares, NONE)
    common: dict[str, Ints] = {
        "well": rows.well,
        "afe": rows.afe,
        "document": rows.number,
    }
    kind_of = of_kind("INV")
    entries.add(account, parts[:, 0], share=shares[:, 0], document_kind=kind_of, **common)
    partner = world.decks.partner[world.properties.lease[rows.well]]
    entries.add(
        chart.UNBILLED,
        parts[:, 1:],
        share=shares[:, 1:],
        party=world.parties.number("partner", partner),
        document_kind=kind_of,
        **common,
    )
    entries.add(
        chart.VENDORS,
        -rows.amount,
        party=world.parties.number("vendor", rows.vendor),
        due=rows.due,
        document_kind=kind_of,
        **common,
    )
    return entries


def _payments(world: World, month: Month) -> Iterable[Entries]:
    """What is paid to vendors in a month: a cheque for each in a run."""
    if month.number == 0:
        return
    if month.number == 1:
        yield _opening_paid(world, month)
    due = invoices(world, month.number - 1)
    due = due.rows(due.paid_after == 1)
    if month.number > 1:
        older = invoices(world, month.number - 2)
        due = due.and_(older.rows(older.paid_after == 2))
    cheque_of, cheque = np.unique(due.run * world.parties.vendors + due.vendor, return_inverse=True)
    count = len(cheque_of)
    run = cheque_of // world.parties.vendors
    rng = world.rng(Entity.CLOCK, month.number * 64 + 21)
    entries = Entries(
        count,
        ("standard", "AP", "PAY", "Payment to vendor"),
        month.business_day(np.array(PAYMENT_DAYS)[run]),
        clock.job(rng, count, 13.5),
    )
    entries.add(
        chart.VENDORS,
        due.amount,
        cheque,
        party=world.parties.number("vendor", due.vendor),
        document_kind=of_kind("INV"),
        document=due.number,
    )
    entries.add(
        chart.CASH,
        -sums(cheque, due.amount, count),
        document_kind=of_kind("CHQ"),
        document=(month.number + 1) * DOCUMENTS_A_MONTH + np.arange(count),
    )
    yield entries


def _opening_paid(world: World, month: Month) -> Entries:
    """What was owed to vendors at the opening."""
    owed = vendors_owed(world)
    rng = world.rng(Entity.CLOCK, month.number * 64 + 22)
    entries = Entries(
        len(owed),
        ("standard", "AP", "PAY", "Payment to vendor"),
        month.business_day(3),
        clock.job(rng, len(owed), 13.5),
    )
    vendor = np.arange(len(owed))
    entries.add(
        chart.VENDORS,
        owed,
        party=world.parties.number("vendor", vendor),
        document_kind=of_kind("OPN"),
        document=vendor + 1,
    )
    entries.add(chart.CASH, -owed, document_kind=of_kind("CHQ"), document=vendor + 1)
    return entries


@lru_cache(maxsize=4)
def _accrued(world: World, number: int) -> Entries:
    """Operating cost of wells that was not yet invoiced at the end of a month."""
    month = world.month(number)
    well = np.flatnonzero(production(world, number).well_days)
    rng = world.rng(Entity.ACCRUALS, number * 8 + 7)
    entries = Entries(
        len(well),
        ("accrual", "GLACCR", "ACCR", "Operating cost accrued"),
        month.last,
        clock.job(rng, len(well), 20),
        tag=tags(_ACCRUAL_TAG, len(well)),
    )
    amount = (_ACCRUED_A_WELL_CENTS * (0.4 + 1.2 * rng.random(len(well)))).astype(np.int64)
    lease = world.properties.lease[well]
    deck = world.decks.cost[lease]
    parts = cut(amount, deck)
    entries.add(chart.OPERATING, parts[:, 0], share=deck[:, 0], well=well)
    partner = world.parties.number("partner", world.decks.partner[lease])
    entries.add(chart.UNBILLED, parts[:, 1:], share=deck[:, 1:], party=partner, well=well)
    entries.add(chart.ACCRUED_COST, -amount, well=well)
    return entries
