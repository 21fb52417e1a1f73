"""Entries of projects: the budget of an AFE, what is accrued, wells in service, a dry hole."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import cut
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import UNITS, Entries, of_kind, tags
from clearhouse.sandbox.gl.invoices import cost_deck, invoices
from clearhouse.sandbox.gl.numbers import Entity, Ints, sums
from clearhouse.sandbox.gl.projects import DRY_MONTHS, PHASES, projects
from clearhouse.sandbox.gl.world import Month, World

_INTANGIBLE_PERCENT = 72
_ACCRUAL_TAG = 7
_NOT_INVOICED = (0.12, 0.35)  # least and most of a phase's budget at the end of its month


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
    yield _accrued(world, month.number)
    if month.number:
        before = _accrued(world, month.number - 1)
        seconds = clock.job(world.rng(Entity.CLOCK, month.number * 64 + 56), before.count, 1.6)
        text = "Reversal: capital cost accrued"
        yield before.reversed(month.number - 1, text, month.first, seconds)


@lru_cache(maxsize=4)
def _accrued(world: World, number: int) -> Entries:
    """Work on projects that was done and not yet invoiced at the end of a month, 8/8.

    It is estimated from the budget of the phase, but for the last one: all of that is invoiced
    before the well is in service, or is dry.
    """
    plan, wells = projects(world), world.properties
    count = np.where(wells.dry[plan.well], DRY_MONTHS, len(PHASES))
    phase = number - plan.begins
    project = np.flatnonzero((phase >= 0) & (phase < count - 1))
    rng = world.rng(Entity.ACCRUED_CAPITAL, number)
    entries = Entries(
        len(project),
        ("accrual", "GLACCR", "ACCR", "Capital cost accrued"),
        world.month(number).last,
        clock.job(rng, len(project), 20.5),
        tag=tags(_ACCRUAL_TAG, len(project)),
    )
    share = np.array([share for _, share in PHASES])[phase[project]]
    low, high = _NOT_INVOICED
    part = low + (high - low) * rng.random(len(project))
    amount = np.rint(plan.budget_cents[project] * share * part).astype(np.int64)
    lease = wells.lease[plan.well[project]]
    deck = world.decks.cost[lease]
    parts = cut(amount, deck)
    of_project: dict[str, Ints] = {"well": plan.well[project], "afe": project}
    document = number * 10_000 + project
    entries.add(
        np.array([account for account, _ in PHASES])[phase[project]],
        parts[:, 0],
        share=deck[:, 0],
        document_kind=of_kind("ACR"),
        document=document,
        **of_project,
    )
    partner = world.parties.number("partner", world.decks.partner[lease])
    entries.add(chart.UNBILLED, parts[:, 1:], share=deck[:, 1:], party=partner, **of_project)
    entries.add(
        chart.ACCRUED_CAPITAL,
        -amount,
        document_kind=of_kind("ACR"),
        document=document,
        **of_project,
    )
    return entries


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
