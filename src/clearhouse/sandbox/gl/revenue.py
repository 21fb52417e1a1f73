"""Entries of revenue: estimates at period end and their reversal, statements, receipts, taxes."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import cut
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import Entries, of_kind, tags
from clearhouse.sandbox.gl.numbers import Entity, Ints, rounded, sums
from clearhouse.sandbox.gl.places import STATES
from clearhouse.sandbox.gl.sales import Sales, cut_sales, sales, statements
from clearhouse.sandbox.gl.taxes import PRODUCTS
from clearhouse.sandbox.gl.world import PURCHASERS, Month, World

_SALES_ACCOUNT = np.array([chart.OIL_SALES, chart.GAS_SALES, chart.NGL_SALES])
_UNIT = np.arange(len(PRODUCTS))  # bbl, mcf, gal
_DESCRIBED = ("Oil", "Gas", "NGL")
_STATEMENTS = (("standard", "INV", "statement"), ("true_up", "ADJ", "correction of a statement"))
_ACCRUAL_TAG, _DOCUMENTS_A_MONTH = 1, 1_000_000
_LATE_SHARE = 0.25  # of the purchasers' payments: in the month after the statement
_FIRST_STATEMENT_DAY, _STATEMENT_DAYS, _RECEIPT_DAY, _LATE_RECEIPT_DAY = 10, 5, 16, 2
_TAX_DAY = 17  # business day of the return for the month before


def _first_document(number: int) -> int:
    return (number + 1) * _DOCUMENTS_A_MONTH


@lru_cache(maxsize=4)
def _accruals(world: World, number: int) -> list[Entries]:
    """The operator's part of what is sold and not yet settled at the end of a month."""
    month = world.month(number)
    made = []
    for product, name in enumerate(_DESCRIBED):
        open_sales = _unsettled(world, number, product)
        count = len(open_sales)
        rng = world.rng(Entity.ACCRUALS, number * len(PRODUCTS) + product)
        entries = Entries(
            count,
            ("accrual", "REV", "ACCR", f"{name} sales accrued"),
            month.last,
            clock.job(rng, count, 18 + 0.5 * product),
            production=open_sales.code,
            tag=tags(_ACCRUAL_TAG + product, count),
        )
        _add_own_part(world, entries, open_sales, number)
        made.append(entries)
    return made


def _unsettled(world: World, number: int, product: int) -> Sales:
    found = []
    for before in range(min(2, number + 1)):
        sold = sales(world, number - before)
        found.append(sold.rows((sold.product == product) & (sold.settled_after() > before)))
    return found[0] if len(found) == 1 else found[0].and_(found[1])


def _add_own_part(world: World, entries: Entries, sold: Sales, number: int) -> None:
    lease = world.properties.lease[sold.well]
    deck = world.decks.revenue[lease]
    value, tax, volume = (
        cut(rounded(each * sold.estimate, 1_000_000), deck)[:, 0]
        for each in (sold.value, sold.tax, sold.volume)
    )
    of_well: dict[str, Ints] = {"well": sold.well}
    entries.add(chart.ACCRUED_REVENUE, value, **of_well)
    entries.add(chart.SEVERANCE_TAX, tax, product=sold.product, **of_well)
    entries.add(
        _SALES_ACCOUNT[sold.product],
        -value,
        product=sold.product,
        quantity=volume,
        unit=_UNIT[sold.product],
        **of_well,
    )
    entries.add(
        chart.SEVERANCE_PAYABLE,
        -tax,
        party=world.parties.number("authority", world.properties.state[sold.well]),
        document_kind=of_kind("ACR"),
        document=_first_document(number)
        + sold.well * len(PRODUCTS) * 2
        + sold.product * 2
        + (sold.month != number),
        **of_well,
    )


def accruals(world: World, number: int) -> list[Entries]:
    """Estimates at the end of a month, and on its first day the reversal of those before."""
    made = list(_accruals(world, number))
    if number == 0:
        return made
    month = world.month(number)
    for product, before in enumerate(_accruals(world, number - 1)):
        rng = world.rng(Entity.CLOCK, number * len(PRODUCTS) + product)
        at = clock.job(rng, before.count, 0.2 + 0.3 * product)
        text = f"Reversal: {_DESCRIBED[product]} sales accrued"
        made.append(before.reversed(number - 1, text, month.first, at))
    return made


def settlements(world: World, number: int) -> list[Entries]:
    """The purchasers' statements of a month: the sale, 8/8, and corrections of earlier ones."""
    month = world.month(number)
    settled, is_correction = statements(world, number)
    rng = world.rng(Entity.RECEIPTS, number)
    day = _FIRST_STATEMENT_DAY + rng.integers(0, _STATEMENT_DAYS, len(settled))
    seconds = clock.office(rng, len(settled))
    document = _first_document(number) + np.arange(len(settled))
    made = []
    for (kind, as_, said), chosen in zip(_STATEMENTS, (~is_correction, is_correction), strict=True):
        for product, name in enumerate(_DESCRIBED):
            at = chosen & (settled.product == product)
            recorded = month.business_day(day[at])
            entries = Entries(
                len(recorded),
                (kind, "REV", as_, f"{name} sales, {said}"),
                recorded,
                seconds[at],
                dated=np.maximum(recorded - 6, month.first),
                production=settled.code[at],
            )
            _add_sale(world, entries, settled.rows(at), document[at], number + 1)
            made.append(entries)
    return made


def _add_sale(world: World, entries: Entries, sold: Sales, document: Ints, cycle: int) -> None:
    """The lines of a sale, 8/8: each owner's part is less its tax.

    Args:
        world: the ledger's.
        entries: one for each row of `sold`.
        sold: what is sold.
        document: of each statement.
        cycle: number of the month's cheques to owners and of its tax returns.
    """
    parts, parties = cut_sales(world, sold), world.parties
    of_well: dict[str, Ints] = {"well": sold.well, "product": sold.product}
    entries.add(
        chart.PURCHASERS,
        sold.value - np.where(sold.remits, sold.tax, 0),
        party=parties.number("purchaser", sold.purchaser),
        document_kind=of_kind("RT"),
        document=document,
        due=entries.columns["recorded"] + 10,
        **of_well,
    )
    entries.add(chart.SEVERANCE_TAX, parts.taxes[:, 0], **of_well)
    entries.add(
        _SALES_ACCOUNT[sold.product],
        -parts.values[:, 0],
        quantity=parts.own_volume,
        unit=_UNIT[sold.product],
        share=parts.shares[:, 0],
        **of_well,
    )
    entries.add(
        chart.OWNERS,
        parts.taxes[:, 1:] - parts.values[:, 1:],
        party=parties.number("owner", parts.owner),
        share=parts.shares[:, 1:],
        document_kind=of_kind("REV"),
        document=cycle,
        **of_well,
    )
    entries.add(
        chart.SEVERANCE_PAYABLE,
        np.where(sold.remits, 0, -sold.tax),
        party=parties.number("authority", world.properties.state[sold.well]),
        document_kind=of_kind("TAX"),
        document=cycle,
        **of_well,
    )


def receipts(world: World, number: int) -> list[Entries]:
    """What purchasers pay in a month: for this month's statements, or late for the last one's."""
    month = world.month(number)
    made = []
    for before, day in ((0, _RECEIPT_DAY), (1, _LATE_RECEIPT_DAY)):
        if number < before:
            continue
        settled, _ = statements(world, number - before)
        rng = world.rng(Entity.PARTNERS, (number - before) * 2 + 1)
        is_late = rng.random(PURCHASERS) < _LATE_SHARE
        recorded = month.business_day(day + rng.integers(0, 4, PURCHASERS))
        at = np.flatnonzero(is_late[settled.purchaser] == bool(before))
        owed = settled.value[at] - np.where(settled.remits[at], settled.tax[at], 0)
        entries = Entries(
            PURCHASERS,
            ("standard", "AR", "PAY", "Receipt from purchaser"),
            recorded,
            clock.office(rng, PURCHASERS),
        )
        purchaser = np.arange(PURCHASERS)
        entries.add(
            chart.CASH,
            sums(settled.purchaser[at], owed, PURCHASERS),
            document_kind=of_kind("WIRE"),
            document=_first_document(number) + purchaser,
        )
        entries.add(
            chart.PURCHASERS,
            -owed,
            settled.purchaser[at],
            party=world.parties.number("purchaser", settled.purchaser[at]),
            document_kind=of_kind("RT"),
            document=_first_document(number - before) + at,
        )
        made.append(entries)
    return made


def tax_payments(world: World, number: int) -> list[Entries]:
    """The production tax of last month's statements, to each state."""
    if number == 0:
        return []
    month = world.month(number)
    settled, _ = statements(world, number - 1)
    state = world.properties.state[settled.well]
    owed = sums(state, np.where(settled.remits, 0, settled.tax), len(STATES))
    rng = world.rng(Entity.PERIOD_END, number * 8 + 1)
    entries = Entries(
        len(STATES),
        ("standard", "TAX", "PAY", "Production tax paid"),
        month.business_day(_TAX_DAY),
        clock.office(rng, len(STATES)),
    )
    entries.add(
        chart.SEVERANCE_PAYABLE,
        owed,
        party=world.parties.number("authority", np.arange(len(STATES))),
        document_kind=of_kind("TAX"),
        document=number,
    )
    entries.add(
        chart.CASH,
        -owed,
        document_kind=of_kind("WIRE"),
        document=_first_document(number) + PURCHASERS + np.arange(len(STATES)),
    )
    return [entries]


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """Every entry of revenue in a month, but what goes to owners."""
    number = month.number
    yield from accruals(world, number)
    yield from settlements(world, number)
    yield from receipts(world, number)
    yield from tax_payments(world, number)
