"""Entries of projects: the budget of an AFE, its transfer to wells in service, a dry hole."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import UNITS, Entries, of_kind
from clearhouse.sandbox.gl.invoices import cost_deck, invoices
from clearhouse.sandbox.gl.numbers import Entity, Ints, sums
from clearhouse.sandbox.gl.projects import DRY_MONTHS, PHASES, projects
from clearhouse.sandbox.gl.world import Month, World

_INTANGIBLE_PERCENT = 72


@lru_cache(maxsize=64)
def _spent(world: World, number: int) -> Ints:
    """The operator's part of what a month cost each project, in cents."""
    every = invoices(world, number)
    rows = every.rows(every.afe >= 0)
    return sums(rows.afe, cost_deck(world, rows)[1][:, 0], len(projects(world).well))


@lru_cache(maxsize=64)
def finished(world: World, number: int) -> tuple[Ints, Ints]:
    """The projects that end in a month, in a well or in a dry hole, and their cost."""
    plan = projects(world)
    is_dry = world.properties.dry[plan.well]
    months = np.where(is_dry, DRY_MONTHS, len(PHASES))
    project = np.flatnonzero(plan.begins + months - 1 == number)
    begun = int(plan.begins[project].min()) if len(project) else number
    spent = np.stack([_spent(world, each) for each in range(begun, number + 1)])
    return project, spent.sum(axis=0)[project]


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """The entries of projects in a month, but for invoices."""
    yield _approved(world, month)
    project, cost = finished(world, month.number)
    is_dry = world.properties.dry[projects(world).well[project]]
    yield _in_service(world, month, project[~is_dry], cost[~is_dry])
    yield _retirement(world, month, project[~is_dry])
    yield _dry(world, month, project[is_dry], cost[is_dry])


def _entries(
    world: World, month: Month, words: tuple[str, str, str, str], count: int, day: int
) -> Entries:
    rng = world.rng(Entity.CLOCK, month.number * 64 + 55)
    return Entries(count, words, day, clock.office(rng, count))


def _approved(world: World, month: Month) -> Entries:
    """Budgets of the projects that begin, 8/8: dollars without money moving."""
    plan = projects(world)
    project = plan.in_phase(month.number, 0)
    words = ("statistical", "MANUAL", "ALLOC", "AFE approved: budget, 8/8")
    entries = _entries(world, month, words, len(project), int(month.business_day(0)))
    entries.count_up(
        chart.BUDGET,
        plan.budget_cents[project] * 10,
        np.arange(len(project)),
        unit=UNITS.index("usd"),
        well=plan.well[project],
        afe=project,
    )
    return entries


def _in_service(world: World, month: Month, project: Ints, cost: Ints) -> Entries:
    words = ("standard", "MANUAL", "ADJ", "Well to service")
    entries = _entries(world, month, words, len(project), month.last)
    intangible = cost * _INTANGIBLE_PERCENT // 100
    for account, amount in (
        (chart.INTANGIBLE, intangible),
        (chart.TANGIBLE, cost - intangible),
        (chart.IN_SERVICE, -cost),
    ):
        entries.add(account, amount, well=projects(world).well[project], afe=project)
    return entries


def _retirement(world: World, month: Month, project: Ints) -> Entries:
    well = projects(world).well[project]
    words = ("standard", "ARO", "ADJ", "Asset retirement obligation of a new well")
    entries = _entries(world, month, words, len(project), month.last)
    amount = world.properties.retirement_cents[well]
    entries.add(chart.RETIREMENT_COST, amount, well=well)
    entries.add(
        chart.RETIREMENT, -amount, well=well, document_kind=of_kind("ARO"), document=well + 1
    )
    return entries


def _dry(world: World, month: Month, project: Ints, cost: Ints) -> Entries:
    words = ("standard", "MANUAL", "ADJ", "Dry hole")
    entries = _entries(world, month, words, len(project), month.last)
    well = projects(world).well[project]
    entries.add(chart.DRY_HOLE, cost, well=well, afe=project)
    entries.add(chart.IN_SERVICE, -cost, well=well, afe=project)
    return entries
