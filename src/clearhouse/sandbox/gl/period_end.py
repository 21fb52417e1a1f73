"""Entries of period ends that follow from few figures: debt, insurance, retirement, statistics."""

from collections.abc import Iterable

import numpy as np

from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import UNITS, Entries, of_kind
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.projects import starts
from clearhouse.sandbox.gl.world import Month, World

_DEBT_CENTS_A_WELL = 70_000_000
_QUARTERS_OF_DEBT = 60
_INTEREST_PPM = 82_500  # a year
_PREMIUM_CENTS_A_WELL = 31_500
_RETIREMENT_RATE = 0.078
_SALARIES_CENTS_A_WELL = 265_000
_DEPARTMENTS = ("Land", "Accounting", "Engineering", "Geology", "Operations office", "Executive")
_PAYDAYS = (10, -1)


def premium_cents(world: World) -> int:
    """The insurance of a month, in cents."""
    return _PREMIUM_CENTS_A_WELL * world.properties.opened


def debt_at(world: World, number: int) -> int:
    """What is owed to the bank during a month, in cents: a part is repaid each quarter."""
    debt = _DEBT_CENTS_A_WELL * world.properties.opened
    repaid = min(number // 3, _QUARTERS_OF_DEBT)
    return debt - debt // _QUARTERS_OF_DEBT * repaid


def _interest(world: World, number: int) -> int:
    return debt_at(world, number) * _INTEREST_PPM // 12_000_000


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """The entries of a month."""
    yield from _bank(world, month)
    yield from _insurance(world, month)
    yield _payroll(world, month)
    yield _accretion(world, month)
    yield _statistics(world, month)


def _single(
    words: tuple[str, str, str, str], month: Month, day: int, number: int, world: World
) -> Entries:
    rng = world.rng(Entity.PERIOD_END, month.number * 64 + number)
    return Entries(1, words, day, clock.office(rng, 1))


def _bank(world: World, month: Month) -> Iterable[Entries]:
    accrued = _single(
        ("recurring", "GLACCR", "ACCR", "Interest accrued"), month, month.last, 10, world
    )
    amount = _interest(world, month.number)
    accrued.add(chart.INTEREST, amount)
    accrued.add(chart.INTEREST_PAYABLE, -amount)
    yield accrued
    if month.number % 3 != 2:
        return
    day = int(month.business_day(-1))
    paid = _single(
        ("standard", "MANUAL", "PAY", "Debt: interest and principal paid"), month, day, 11, world
    )
    before = sum(
        _interest(world, month.number - back) for back in (1, 2, 3) if month.number >= back
    )
    principal = debt_at(world, month.number) - debt_at(world, month.number + 1)
    paid.add(chart.INTEREST_PAYABLE, before)
    paid.add(chart.DEBT, principal)
    paid.add(chart.CASH, -before - principal, document_kind=of_kind("WIRE"), document=month.number)
    yield paid


def _insurance(world: World, month: Month) -> Iterable[Entries]:
    premium = premium_cents(world)
    if month.period.number == 1 and month.number:
        bought = _single(
            ("standard", "AP", "PAY", "Insurance premium of the year paid"),
            month,
            int(month.business_day(2)),
            20,
            world,
        )
        bought.add(chart.PREPAIDS, 12 * premium)
        bought.add(chart.CASH, -12 * premium)
        yield bought
    used = _single(
        ("recurring", "GLACCR", "ALLOC", "Insurance of the month"), month, month.last, 21, world
    )
    used.add(chart.INSURANCE, premium)
    used.add(chart.PREPAIDS, -premium)
    yield used


def _payroll(world: World, month: Month) -> Entries:
    """Salaries of the office, twice a month, by department."""
    count = len(_PAYDAYS)
    rng = world.rng(Entity.PERIOD_END, month.number * 64 + 30)
    entries = Entries(
        count,
        ("recurring", "PA", "PAY", "Salaries of the office"),
        month.business_day(np.array(_PAYDAYS)),
        clock.office(rng, count),
    )
    base = _SALARIES_CENTS_A_WELL * world.properties.opened // count // len(_DEPARTMENTS)
    amounts = (base * (0.9 + 0.2 * rng.random((count, len(_DEPARTMENTS))))).astype(np.int64)
    entries.add(chart.ADMINISTRATION, amounts)
    entries.add(chart.CASH, -amounts.sum(axis=1))
    return entries


def _accretion(world: World, month: Month) -> Entries:
    """A month's growth of the obligation of each well, by basin."""
    wells = world.properties
    rng = world.rng(Entity.PERIOD_END, month.number * 64 + 40)
    entries = Entries(
        len(BASINS),
        ("recurring", "ARO", "ACCR", "Accretion of asset retirement obligations"),
        month.last,
        clock.job(rng, len(BASINS), 21),
    )
    age = month.number - starts(world)
    grown = _grown(wells.retirement_cents, age + 1) - _grown(wells.retirement_cents, age)
    amount = np.where((age >= 0) & ~wells.dry, grown, 0)
    well = np.arange(len(wells))
    entries.add(chart.ACCRETION, amount, wells.basin, well=well)
    entries.add(
        chart.RETIREMENT,
        -amount,
        wells.basin,
        well=well,
        document_kind=of_kind("ARO"),
        document=well + 1,
    )
    return entries


def _grown(cents: Ints, months: Ints) -> Ints:
    factor = (1 + _RETIREMENT_RATE) ** (np.maximum(months, 0) / 12)
    return np.rint(cents * factor).astype(np.int64)


def _statistics(world: World, month: Month) -> Entries:
    """Days on production, oil and gas produced: of each well, without money."""
    made = production(world, month.number)
    well = np.flatnonzero(made.well_days)
    rng = world.rng(Entity.PERIOD_END, month.number * 64 + 50)
    entries = Entries(
        len(well),
        ("statistical", "PROD", "ALLOC", "Production of the month"),
        month.last,
        clock.job(rng, len(well), 17),
        production=month.production_code,
    )
    for account, quantity, unit in (
        (chart.WELL_DAYS, made.well_days, "days"),
        (chart.OIL_PRODUCED, made.oil, "bbl"),
        (chart.GAS_PRODUCED, made.gas, "mcf"),
    ):
        there = np.flatnonzero(quantity[well])
        entries.count_up(
            account, quantity[well][there], there, unit=UNITS.index(unit), well=well[there]
        )
    return entries
