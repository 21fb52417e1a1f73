"""The general ledger of an operator: a function of seed, opening day, scale and calendar.

A day is a slice of what was recorded in its period, so that a day alone is the day in the year.
"""

import datetime as dt
import threading

import numpy as np
import pyarrow as pa

from clearhouse.core.fiscal import Calendar
from clearhouse.core.shares import cut
from clearhouse.sandbox.gl import chart
from clearhouse.sandbox.gl.columns import Numbered, rows_of, with_ids
from clearhouse.sandbox.gl.entries import NONE, Entries, assemble, of_kind
from clearhouse.sandbox.gl.numbers import Entity
from clearhouse.sandbox.gl.periods import APPROVER, PREPARER, recorded
from clearhouse.sandbox.gl.schema import LINE_SCHEMA
from clearhouse.sandbox.gl.world import EPOCH, Planted, World

_TICKETS = ("Pumper and field labour", "Water hauling", "Chemicals", "Well service", "Roads")
_LEAST_TICKET_CENTS, _MOST_TICKET_CENTS = 18_000, 950_000

_MAKING_LINES = threading.Lock()
"""Days are asked for side by side: a month is made by the first who needs it, and once."""


class Ledger:
    """The ledger of an operator.

    Args:
        seed: of all that is drawn.
        opened_on: the first day; before it there is nothing.
        scale: size; 1 is some 200 wells and 320,000 lines a year.
        calendar: the fiscal calendar.
        faults: to be put into it; see `sandbox.gl.faults`.
    """

    def __init__(
        self,
        seed: int = 42,
        opened_on: dt.date = dt.date(2024, 1, 1),
        scale: float = 1.0,
        calendar: Calendar = Calendar(),  # noqa: B008  (frozen)
        faults: tuple[Planted, ...] = (),
    ) -> None:
        self.world = World(seed, opened_on, scale, calendar, faults)

    def lines(self, first: dt.date, last: dt.date) -> pa.Table:
        """The lines recorded from first to last, both included, in order of `gl_entry_id`.

        Returns:
            A table of `LINE_SCHEMA`.
        """
        found = []
        for month in self.world.months_between(first, last):
            table = recorded(self.world, month.number)
            days = table["recorded_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
            start = np.searchsorted(days, first.toordinal() - EPOCH, "left")
            end = np.searchsorted(days, last.toordinal() - EPOCH, "right")
            found.append(table.slice(start, end - start))
        return pa.concat_tables(found) if found else LINE_SCHEMA.empty_table()

    def ticket(self, number: int, moment: dt.datetime) -> pa.Table:
        """One field ticket, booked as operating cost of a well: a small balanced entry.

        It is not among `lines`: whoever records it numbers it anew (`entry_number` is `number`).

        Args:
            number: of the ticket, from 1; the same number is the same well and amount.
            moment: when it is recorded.

        Returns:
            A table of `LINE_SCHEMA`.

        Raises:
            ValueError: the books are not open at that moment.
        """
        day = moment.date()
        if day < self.world.opened_on:
            raise ValueError(f"The books are opened on {self.world.opened_on}, after {day}.")
        [month] = self.world.months_between(day, day)
        rng = self.world.rng(Entity.TICKET, number)
        well = rng.integers(0, self.world.properties.opened, 1)
        amount = rng.integers(_LEAST_TICKET_CENTS, _MOST_TICKET_CENTS, 1)
        text = _TICKETS[int(rng.integers(0, len(_TICKETS)))]
        second = moment.hour * 3_600 + moment.minute * 60 + moment.second
        entries = Entries(
            1,
            ("standard", "PROD", "ACCR", f"Field ticket: {text}"),
            day.toordinal() - EPOCH,
            second,
            user=PREPARER + rng.integers(0, 9),
            approver=APPROVER + rng.integers(0, 9),
        )
        lease = self.world.properties.lease[well]
        deck = self.world.decks.cost[lease]
        parts = cut(amount, deck)
        ticket = {"well": well, "document_kind": of_kind("FT"), "document": number}
        entries.add(chart.OPERATING, parts[:, 0], share=deck[:, 0], **ticket)
        partner = self.world.parties.number("partner", self.world.decks.partner[lease])
        entries.add(chart.UNBILLED, parts[:, 1:], share=deck[:, 1:], party=partner, **ticket)
        entries.add(chart.ACCRUED_COST, -amount, **ticket)
        draft = assemble([entries])
        numbered = Numbered(draft, month.period, month.ordinal, np.array([NONE]), number - 1)
        return with_ids(rows_of(self.world, numbered, 0, 1))
