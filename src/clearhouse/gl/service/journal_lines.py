"""A journal as lines of the ledger: with what the chart and the wells say of each."""

import datetime as dt
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.journal import LEDGER, Journal, Line
from clearhouse.gl.periods import Period
from clearhouse.gl.service import tables
from clearhouse.gl.service.numbering import day_number
from clearhouse.sandbox.gl.schema import LINE_SCHEMA

_WELL_FIELDS = ("api_number", "lease_name", "property_id", "state", "county", "basin")


def wells_of(connection: sa.Connection, journal: Journal) -> dict[str, dict[str, Any]]:
    """The wells that a journal names and the ledger knows."""
    named = sorted({line.well_id for line in journal.lines if line.well_id})
    if not named:
        return {}
    statement = sa.select(tables.well).where(tables.well.c.well_id.in_(named))
    return {row.well_id: dict(row._mapping) for row in connection.execute(statement)}


def lines_of(
    journal: Journal, period: Period, wells: dict[str, dict[str, Any]], now: dt.datetime
) -> pa.Table:
    """The lines of a journal (`LINE_SCHEMA`); numbers and ids are given when they are recorded."""
    common = {
        "line_id": "", "gl_entry_id": 0, "journal_batch": f"BATCH-{day_number(now.date()):06d}",
        "journal_entry": "", "ledger": LEDGER, "fiscal_period": period.name,
        "fiscal_year": period.first_day.year, "fiscal_month": period.first_day.month,
        "entry_number": 0, "entry_type": journal.entry_type, "reverses": journal.reverses,
        "transaction_date": journal.transaction_date, "posting_date": journal.posting_date,
        "recorded_on": now.date(), "currency": journal.currency,
        "journal_source": journal.journal_source, "transaction_type": journal.transaction_type,
        "created_by": journal.prepared_by, "approved_by": journal.approved_by,
        "created_timestamp": now, "last_modified": now,
    }  # fmt: skip
    chart = chart_of_accounts()
    rows = []
    for number, line in enumerate(journal.lines, 1):
        well = wells.get(line.well_id or "", {})
        own = {name: getattr(line, name) for name in Line.__slots__}
        rows.append(
            {
                **common,
                **own,
                **{name: well.get(name) for name in _WELL_FIELDS},
                "cost_center": line.cost_center or well.get("cost_center"),
                "description": line.description or journal.description,
                "line_number": number,
                "account_name": chart[line.account_code].name,
                "account_class": chart[line.account_code].account_class,
            }
        )
    return pa.Table.from_pylist(rows, LINE_SCHEMA)
