"""Journal lines as bronze holds them, made by hand."""

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

from clearhouse.gl.chart import chart_of_accounts

Row = dict[str, Any]

A_WELL: Row = {
    "well_id": "PERM-0001",
    "api_number": "42329000010000",
    "lease_name": "Rattlesnake",
    "property_id": "PROP-TX-00001",
    "state": "TX",
    "county": "Midland",
    "basin": "Permian",
}
A_LINE: Row = {
    "journal_batch": "BATCH-000001",
    "ledger": "OPERATOR",
    "entry_type": "standard",
    "currency": "USD",
    "journal_source": "MANUAL",
    "transaction_type": "ADJ",
    "description": "by hand",
    "created_by": "USER-001",
    "approved_by": "USER-002",
    "_source": "gl_service",
    "_object_version": 1,
}


def journal(number: int, posted: str, *lines: Row, recorded: str = "", **fields: Any) -> list[Row]:
    """The bronze rows of an entry.

    Args:
        number: in its period; it makes the ids.
        posted: its posting date.
        lines: account, amount (debit positive) and what else a line has (`of`).
        recorded: the day that it was entered; unless said, the posting date.
        fields: of all its lines.
    """
    period = fields.pop("fiscal_period", posted[:7])
    day = recorded or posted
    rows = []
    for nth, line in enumerate(lines, 1):
        amount = Decimal(line.pop("amount"))
        account = chart_of_accounts()[line["account_code"]]
        row = {
            **A_LINE,
            "line_id": f"{period.replace('-', '')}-{number:06}-{nth:03}",
            "gl_entry_id": number * 1000 + nth,
            "journal_entry": f"JE-{period}-{number:06}",
            "fiscal_period": period,
            "fiscal_year": int(period[:4]),
            "fiscal_month": int(period[5:]),
            "entry_number": number,
            "line_number": nth,
            "transaction_date": dt.date.fromisoformat(posted),
            "posting_date": dt.date.fromisoformat(posted),
            "recorded_on": dt.date.fromisoformat(day),
            "account_name": account.name,
            "account_class": account.account_class,
            "debit": max(amount, Decimal(0)),
            "credit": max(-amount, Decimal(0)),
            "amount": amount,
            "created_timestamp": dt.datetime.fromisoformat(f"{day}T12:00:00"),
            "last_modified": dt.datetime.fromisoformat(f"{day}T12:00:00"),
            **fields,
            **line,
        }
        row["_record_key"] = row["line_id"]
        row["_record_id"] = hashlib.md5(str(sorted(row.items(), key=str)).encode()).hexdigest()
        rows.append({**row, "_book_date": row["recorded_on"], "_line": nth})
    return rows


def of(account: str, amount: str, **fields: Any) -> Row:
    """A line of an account: debit is positive."""
    return {"account_code": account, "amount": amount, **fields}


def party(kind: str, name: str, document: str, due: str | None = None) -> Row:
    """Who the other party of a line is, and by which document."""
    due_date = dt.date.fromisoformat(due) if due else None
    return {"party_type": kind, "party_id": name, "document": document, "due_date": due_date}
