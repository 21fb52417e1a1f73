"""What all of a ledger's entries are made of: its seed, its properties and decks, its months."""

import datetime as dt
import threading
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from clearhouse.core.fiscal import PERIODS, Calendar, Period
from clearhouse.sandbox.gl.decks import PARTNERS, Decks, decks
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.places import STATES
from clearhouse.sandbox.gl.properties import Properties, properties
from clearhouse.sandbox.prices import trading_days
from clearhouse.sandbox.rng import Rng, stream

EPOCH = dt.date(1970, 1, 1).toordinal()
_LASTS = dt.timedelta(days=40 * 365)
"""A ledger ends so long after its opening: no day asked for makes it endless."""
_MAKING_MONTHS = threading.Lock()
"""A server answers from several threads, and a month is made once, after the one before."""
PURCHASERS, _VENDORS, _FEWEST_VENDORS = 8, 60, 12


@dataclass(frozen=True)
class Month:
    """A fiscal period with the production month that it stands for. Days count from 1970-01-01.

    Attributes:
        number: 0 for the period in which the books are opened.
        ordinal: of its entries' numbers; from 1. Periods of adjustments are counted too.
        production: first day of the production month.
        days: on which the books are open; business: those of them on which business is done.
    """

    number: int
    ordinal: int
    period: Period
    production: dt.date
    days: Ints
    business: Ints

    @property
    def first(self) -> int:
        """The first day on which entries are made."""
        return int(self.days[0])

    @property
    def last(self) -> int:
        """The last day of the period."""
        return int(self.days[-1])

    @property
    def production_code(self) -> int:
        """The production month as a number, 202401."""
        return self.production.year * 100 + self.production.month

    def business_day(self, number: int | Ints) -> Ints:
        """The nth business day, from 0; from the end if negative; the nearest that there is."""
        size = len(self.business)
        at = np.asarray(number)
        days: Ints = self.business[np.clip(np.where(at < 0, size + at, at), 0, size - 1)]
        return days


@dataclass(frozen=True)
class World:
    """A ledger's settings, and what follows from them.

    Attributes:
        faults: that are put into it on purpose.
    """

    seed: int
    opened_on: dt.date
    scale: float
    calendar: Calendar
    faults: tuple["Planted", ...] = ()
    _months: list[Month] = field(default_factory=list, compare=False, repr=False)

    @cached_property
    def properties(self) -> Properties:
        """Leases and wells."""
        return properties(self.seed, self.scale)

    @cached_property
    def decks(self) -> Decks:
        """Who bears costs and has revenue."""
        return decks(self.seed, self.scale)

    @cached_property
    def parties(self) -> "Parties":
        """Who the books name."""
        vendors = max(_FEWEST_VENDORS, round(_VENDORS * self.scale))
        return Parties(self.decks.owners, vendors)

    def rng(self, entity: Entity, number: int) -> Rng:
        """Random numbers of one thing that is drawn."""
        return stream(self.seed, entity, number)

    def month(self, number: int) -> Month:
        """A month by its number, from 0."""
        with _MAKING_MONTHS:
            while len(self._months) <= number:
                self._months.append(self._next())
        return self._months[number]

    def months_between(self, first: dt.date, last: dt.date) -> list[Month]:
        """The months of the days from first to last, of those in which there is a ledger."""
        last = min(last, self.opened_on + _LASTS)
        found, number = [], 0
        while (month := self.month(number)).period.first <= last:
            if month.period.last >= first:
                found.append(month)
            number += 1
        return found

    def _next(self) -> Month:
        if not self._months:
            return self._made(0, 1, self.calendar.of(self.opened_on))
        before = self._months[-1]
        period = self.calendar.after(before.period)
        skipped = period.is_adjustment
        if skipped:
            period = self.calendar.after(period)
        return self._made(before.number + 1, before.ordinal + 1 + skipped, period)

    def _made(self, number: int, ordinal: int, period: Period) -> Month:
        first = max(period.first, self.opened_on)
        days = first.toordinal() - EPOCH + np.arange((period.last - first).days + 1)
        business = days[trading_days(first, period.last)]
        year, month = self.calendar.months(period.year)[period.number - 1]
        return Month(
            number=number,
            ordinal=ordinal,
            period=period,
            production=dt.date(year, month, 1),
            days=days,
            business=business if len(business) else days,
        )

    def is_year_end(self, month: Month) -> bool:
        """Whether a fiscal year ends with this month."""
        return month.period.number == PERIODS


@dataclass(frozen=True)
class Planted:
    """A fault that is put into the ledger.

    Attributes:
        kind: one of `sandbox.gl.planting.KINDS`.
        day: on which the entry is recorded, from 1970-01-01.
        draw: what chooses among the day's entries.
    """

    kind: str
    day: int
    draw: int


class Parties:
    """Numbers of all who the books name, and their ids.

    Attributes:
        ids, kinds: text of each, by number.
    """

    def __init__(self, owners: int, vendors: int) -> None:
        self.vendors = vendors
        names = {
            "owner": [f"OWN-{n:04}" for n in range(1, owners + 1)],
            "partner": [f"PAR-{n:02}" for n in range(1, PARTNERS + 1)],
            "vendor": [f"VEN-{n:03}" for n in range(1, vendors + 1)],
            "purchaser": [f"PUR-{n:02}" for n in range(1, PURCHASERS + 1)],
            "authority": [f"TAX-{state}" for state in STATES],
        }
        self.ids = [each for ids in names.values() for each in ids]
        self.kinds = [kind for kind, ids in names.items() for _ in ids]
        self._first = {kind: self.kinds.index(kind) for kind in names}

    def number(self, kind: str, of_kind: Ints) -> Ints:
        """Numbers of parties, from their numbers among their kind; -1 stays -1."""
        return np.where(of_kind < 0, -1, of_kind + self._first[kind])
