"""Vendors' invoices of a month: on wells, on projects, on the office. Drawn, not yet entries."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import UNIT, cut
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.decks import PARTNER_SLOTS
from clearhouse.sandbox.gl.entries import NONE, describe
from clearhouse.sandbox.gl.numbers import Entity, Floats, Ints, Mask
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.projects import DRY_MONTHS, PHASES, projects
from clearhouse.sandbox.gl.world import Month, World
from clearhouse.sandbox.rng import Rng, pick

DOCUMENTS_A_MONTH = 1_000_000
_A_WELL, _A_PROJECT, _A_HUNDRED_WELLS_OFFICE = 9.5, 55, 20
_FEWEST_OFFICE = 6
_LATE_SHARE, _WRONG_SHARE = 0.015, 0.006
_LATE_DAYS = 4  # business days of the next period in which late invoices are still entered
_SATURDAY_WEIGHT, _SUNDAY_WEIGHT, _MONTH_END_WEIGHT = 0.06, 0.02, 1.7
_TERMS_DAYS = 30
_NEXT_MONTH_SHARE = 0.85  # of the invoices: paid in the month after; the others in the second


@dataclass(frozen=True)
class _Nature:
    """One kind of cost on wells: its account, words, usual amount in USD, spread, frequency."""

    account: int
    text: str
    usual: float
    spread: float
    weight: float


_NATURES = (
    _Nature(5100, "Pumper and field labour", 2_400, 0.3, 0.14),
    _Nature(5100, "Electric power", 3_100, 0.5, 0.12),
    _Nature(5100, "Chemicals", 1_250, 0.5, 0.13),
    _Nature(5100, "Compression rental", 2_900, 0.3, 0.07),
    _Nature(5100, "Fuel", 700, 0.5, 0.05),
    _Nature(5100, "Roads and location", 950, 0.8, 0.05),
    _Nature(5100, "Measurement and testing", 420, 0.4, 0.06),
    _Nature(5100, "Safety and environment", 510, 0.6, 0.05),
    _Nature(5200, "Workover rig", 21_000, 0.7, 0.02),
    _Nature(5300, "Well service", 3_800, 0.7, 0.06),
    _Nature(5400, "Maintenance of production equipment", 1_700, 0.8, 0.07),
    _Nature(5500, "Field office and vehicles", 640, 0.5, 0.05),
    _Nature(5600, "Gathering", 2_600, 0.5, 0.05),
    _Nature(5700, "Processing and treating", 1_900, 0.5, 0.03),
    _Nature(5900, "Water hauling and disposal", 2_050, 0.7, 0.05),
)
_OFFICE = (
    "Office rent",
    "Software",
    "Legal counsel",
    "Audit and tax",
    "Telecommunications",
    "Travel",
)
_PROJECT_TEXTS = {
    chart.DRILLING: "Drilling",
    chart.COMPLETION: "Completion",
    chart.EQUIPMENT: "Facilities and equipment",
}


@dataclass(frozen=True)
class Invoices:
    """Invoices as columns.

    Attributes:
        number: of the document. well, afe: -1 for none. vendor: its number among vendors.
        account: where the cost belongs; wrong_account: where it was first put, -1 if nowhere else.
        amount: 8/8, in cents. due, dated, recorded: days. second: of recording.
        corrected: the day on which a wrong account is put right, -1 for none.
        paid_after: months. run: of the payment runs in that month.
        description: number of the words.
    """

    number: Ints
    well: Ints
    afe: Ints
    vendor: Ints
    account: Ints
    wrong_account: Ints
    amount: Ints
    dated: Ints
    recorded: Ints
    second: Ints
    corrected: Ints
    paid_after: Ints
    run: Ints
    description: Ints

    @property
    def due(self) -> Ints:
        """When each is to be paid."""
        return self.dated + _TERMS_DAYS

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, keep: Mask) -> "Invoices":
        """The rows of a mask."""
        return Invoices(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    def and_(self, *others: "Invoices") -> "Invoices":
        """These rows, then those of others."""
        every = (self, *others)
        return Invoices(
            **{
                name: np.concatenate([getattr(each, name) for each in every])
                for name in self.__dataclass_fields__
            }
        )


def cost_deck(world: World, invoices: Invoices) -> tuple[Ints, Ints]:
    """Shares and parts of each invoice: the operator's, then the partners' slots."""
    whole = np.zeros(1 + PARTNER_SLOTS, dtype=np.int64)
    whole[0] = UNIT
    of_well = world.decks.cost[world.properties.lease[invoices.well]]
    shares = np.where((invoices.well >= 0)[:, None], of_well, whole)
    return shares, cut(invoices.amount, shares)


@lru_cache(maxsize=8)
def invoices(world: World, number: int) -> Invoices:
    """All invoices that belong to a month, numbered."""
    month = world.month(number)
    made = _on_wells(world, month).and_(_on_projects(world, month), _of_office(world, month))
    document = (number + 1) * DOCUMENTS_A_MONTH + np.arange(len(made))
    columns = {name: getattr(made, name) for name in made.__dataclass_fields__}
    return Invoices(**{**columns, "number": document})


def _on_wells(world: World, month: Month) -> Invoices:
    producing = np.flatnonzero(production(world, month.number).well_days)
    rng = world.rng(Entity.INVOICES, month.number * 4)
    share = len(month.days) / len(month.period)
    count = max(1, round(_A_WELL * len(producing) * share))
    u = rng.random((5, count))
    nature = pick([each.weight for each in _NATURES], u[0])
    usual, spread = (
        np.array([getattr(each, name) for each in _NATURES])[nature] for name in ("usual", "spread")
    )
    amount = usual * np.exp(spread * rng.standard_normal(count))
    account = np.array([each.account for each in _NATURES])
    base = _base(world, month, rng, count)
    is_late = u[3] < _LATE_SHARE
    after = world.month(month.number + 1).business_day((u[4] * _LATE_DAYS).astype(np.int64))
    recorded = np.where(is_late, after, base.recorded)
    corrected = _next_business_day(month, recorded)
    is_wrong = ~is_late & (u[3] > 1 - _WRONG_SHARE) & (corrected > 0)
    columns = {name: getattr(base, name) for name in base.__dataclass_fields__}
    return Invoices(
        **{
            **columns,
            "well": producing[(u[1] * len(producing)).astype(np.int64)],
            "vendor": (nature * 5 + (u[2] * 6).astype(np.int64)) % world.parties.vendors,
            "account": account[nature],
            "wrong_account": np.where(is_wrong, account[(nature + 8) % len(_NATURES)], NONE),
            "amount": _cents(amount),
            "recorded": recorded,
            "dated": np.minimum(base.dated, month.last),
            "corrected": np.where(is_wrong, corrected, NONE),
            "description": np.array([describe(each.text) for each in _NATURES])[nature],
        }
    )


def _on_projects(world: World, month: Month) -> Invoices:
    """What is spent on the projects of a month; none of it is late or wrong."""
    plan = projects(world)
    made = _base(world, month, world.rng(Entity.PROJECT_INVOICES, month.number * 512 + 511), 0)
    for phase, (account, share) in enumerate(PHASES):
        for project in plan.in_phase(month.number, phase).tolist():
            well = int(plan.well[project])
            if world.properties.dry[well] and phase >= DRY_MONTHS:
                continue
            rng = world.rng(Entity.PROJECT_INVOICES, project * len(PHASES) + phase)
            weights = rng.exponential(1, _A_PROJECT)
            spent = plan.budget_cents[project] * share * (0.9 + 0.22 * rng.random())
            base = _base(world, month, rng, _A_PROJECT)
            columns = {name: getattr(base, name) for name in base.__dataclass_fields__}
            changes = {
                "well": well,
                "afe": project,
                "account": account,
                "description": describe(_PROJECT_TEXTS[account]),
            }
            same = {name: np.full(_A_PROJECT, value) for name, value in changes.items()}
            amount = _cents(spent / 100 * weights / weights.sum())
            made = made.and_(Invoices(**{**columns, **same, "amount": amount}))
    return made


def _of_office(world: World, month: Month) -> Invoices:
    rng = world.rng(Entity.INVOICES, month.number * 4 + 1)
    count = max(_FEWEST_OFFICE, world.properties.opened * _A_HUNDRED_WELLS_OFFICE // 100)
    kind = rng.integers(0, len(_OFFICE), count)
    base = _base(world, month, rng, count)
    columns = {name: getattr(base, name) for name in base.__dataclass_fields__}
    return Invoices(
        **{
            **columns,
            "account": np.full(count, chart.ADMINISTRATION),
            "amount": _cents(4_200 * np.exp(0.8 * rng.standard_normal(count))),
            "description": np.array([describe(each) for each in _OFFICE])[kind],
        }
    )


def _base(world: World, month: Month, rng: Rng, count: int) -> Invoices:
    """Invoices with what all of them have: days, a vendor, when they are paid."""
    nothing = np.full(count, NONE)
    u = rng.random((4, count))
    recorded = _days(month, u[0])
    return Invoices(
        number=nothing,
        well=nothing,
        afe=nothing,
        vendor=(u[1] ** 1.5 * world.parties.vendors).astype(np.int64),
        account=nothing,
        wrong_account=nothing,
        amount=nothing,
        dated=np.maximum(recorded - rng.integers(1, 21, count), month.first),
        recorded=recorded,
        second=clock.office(rng, count),
        corrected=nothing,
        paid_after=np.where(u[2] < _NEXT_MONTH_SHARE, 1, 2),
        run=(u[3] * len(PAYMENT_DAYS)).astype(np.int64),
        description=nothing,
    )


PAYMENT_DAYS = (7, 11, 15, 19)
"""Business days of the payment runs; all are after the last late invoice."""


def _days(month: Month, u: Floats) -> Ints:
    """Days of recording: every business day has one if there are enough; few are on weekends."""
    weekday = (month.days + 3) % 7  # 1970-01-01 was a Thursday
    weight = np.where(weekday == 5, _SATURDAY_WEIGHT, _SUNDAY_WEIGHT)
    is_business = np.isin(month.days, month.business)
    weight[is_business] = 1.0
    weight[np.flatnonzero(is_business)[-3:]] = _MONTH_END_WEIGHT
    days = month.days[pick((weight / weight.sum()).tolist(), u)]
    every = month.business[: len(u)]
    days[: len(every)] = every
    return days


def _next_business_day(month: Month, days: Ints) -> Ints:
    """The next business day of the month; -1 where there is none."""
    at = np.searchsorted(month.business, days, "right")
    padded = np.append(month.business, NONE)
    following: Ints = padded[at]
    return following


def _cents(dollars: Floats) -> Ints:
    return np.maximum(np.rint(dollars * 100), 100).astype(np.int64)
