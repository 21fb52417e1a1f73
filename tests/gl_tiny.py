"""A tiny ledger in the place of the generated one: a few entries a day, by numbers alone."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.sandbox.gl.schema import LINE_SCHEMA

DAY = dt.timedelta(days=1)
WELL = {
    "well_id": "PERM-1001",
    "api_number": "42329201300300",
    "lease_name": "Mesquite Flats 12H",
    "property_id": "PROP-TX-10001",
    "cost_center": "CC-WEST-1",
    "state": "TX",
    "county": "Midland",
    "basin": "Permian",
}
Side = tuple[str, int, Mapping[str, Any]]
"""Account, cents (debits positive), and more fields."""


class TinyLedger:
    """Opening entries; each day an invoice, a sale, an accrual; its reversal the next day."""

    def __init__(self, seed: int, opened_on: dt.date, scale: float) -> None:
        self.seed, self.opened_on, self.scale = seed, opened_on, scale

    def lines(self, first: dt.date, last: dt.date) -> pa.Table:
        numbers: dict[str, int] = {}
        rows: list[dict[str, Any]] = []
        names: dict[dt.date, str] = {}
        day = self.opened_on
        while day <= last:
            of_day: list[dict[str, Any]] = []
            for sides, heading in self._entries(day, names):
                period = f"{day:%Y-%m}"
                numbers[period] = numbers.get(period, 0) + 1
                name = self._name(day, numbers[period])
                if heading["entry_type"] == "accrual":
                    names[day] = name
                of_day += entry(day, name, numbers[period], sides, **heading)
            for at, row in enumerate(of_day, 1):
                row["gl_entry_id"] = (day - dt.date(2000, 1, 1)).days * 10_000_000 + at
            rows += of_day if day >= first else []
            day += DAY
        return pa.Table.from_pylist(rows, LINE_SCHEMA)

    def ticket(self, number: int, moment: dt.datetime) -> pa.Table:
        sides: list[Side] = [("5100", 100 + number, WELL), ("2020", -100 - number, WELL)]
        return pa.Table.from_pylist(
            entry(moment.date(), "JE-00000000", 0, sides, moment=moment, description="ticket"),
            LINE_SCHEMA,
        )

    def _name(self, day: dt.date, number: int) -> str:
        months = (day.year - self.opened_on.year) * 12 + day.month - self.opened_on.month
        return f"JE-{(months + 1) * 1_000_000 + number:08d}"

    def _entries(self, day: dt.date, names: Mapping[dt.date, str]) -> Any:
        if day == self.opened_on:
            yield [("1010", 10**9, {}), ("3010", -(10**9), {})], {"entry_type": "opening"}
        if day - DAY in names:
            undone = [("2020", 500, WELL), ("5100", -500, WELL)]
            yield undone, {"entry_type": "reversal", "reverses": names[day - DAY]}
        cents = 100_000 + (self.seed * 7919 + day.toordinal() * 104_729) % 50_000
        bill = {"party_type": "vendor", "party_id": "VEN-001", "document": f"INV-{day:%Y%m%d}"}
        own = int(cents * 0.6)
        partner = {**WELL, "share": Decimal("0.4"), "document": f"JIB-{day:%Y%m%d}"}
        yield (
            [
                ("5100", own, {**WELL, "share": Decimal("0.6")}),
                ("1140", cents - own, partner),
                ("2010", -cents, bill),
            ],
            {"entry_type": "standard", "journal_source": "AP", "transaction_type": "INV"},
        )
        run = {"party_type": "purchaser", "party_id": "PUR-01", "document": f"RT-{day:%Y%m%d}"}
        sold = {**WELL, "quantity": Decimal("12.345"), "unit": "bbl", "product": "OIL"}
        yield (
            [("1120", 2 * cents, run), ("4100", -2 * cents, sold)],
            {"entry_type": "standard", "journal_source": "REV", "transaction_type": "REV"},
        )
        yield [("5100", 500, WELL), ("2020", -500, WELL)], {"entry_type": "accrual"}


def entry(
    day: dt.date, name: str, number: int, sides: list[Side], moment: dt.datetime | None = None,
    **heading: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """The lines of one entry."""
    period = f"{day:%Y-%m}"
    made = moment or dt.datetime.combine(day, dt.time(8)) + dt.timedelta(minutes=number % 600)
    common = {
        "journal_batch": "BATCH-000001", "journal_entry": name, "ledger": "OPERATOR",
        "fiscal_period": period, "fiscal_year": day.year, "fiscal_month": day.month,
        "entry_number": number, "entry_type": "standard", "reverses": None,
        "transaction_date": day, "posting_date": day, "recorded_on": day, "currency": "USD",
        "journal_source": "MANUAL", "transaction_type": "ADJ", "description": "made",
        "created_by": "USER-101", "approved_by": "USER-102", "created_timestamp": made,
        "last_modified": made, "gl_entry_id": 0, **heading,
    }  # fmt: skip
    rows = []
    for at, (code, cents, more) in enumerate(sides, 1):
        account = chart_of_accounts()[code]
        rows.append(
            {
                **common, "line_id": f"{period.replace('-', '')}-{number:06d}-{at:03d}",
                "line_number": at, "account_code": code, "account_name": account.name,
                "account_class": account.account_class, "debit_minor": max(cents, 0),
                "credit_minor": max(-cents, 0), **more,
            }
        )  # fmt: skip
    return rows
