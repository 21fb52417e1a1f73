"""The tables of the service's store, as this version has them. The migrations make them.

Lines are only ever added. What changes: the counters of the ledger and of its periods, the state of
a period, and the sums by day and account.
"""

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from clearhouse.sandbox.gl.schema import LINE_SCHEMA

metadata = sa.MetaData()

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text in byte order, so that pages are in the same order everywhere."""

_SCALED = {"quantity": "quantity_milli", "share": "share_e8"}
"""Decimals are stored as whole numbers: SQLite has no decimals."""
MAY_BE_NULL = frozenset(
    {
        "reverses", "production_month", "quantity", "unit", "product", "share", "well_id",
        "api_number", "lease_name", "property_id", "afe_number", "jib_number", "cost_center",
        "state", "county", "basin", "party_type", "party_id", "document", "due_date",
    }
)  # fmt: skip


def stored_name(name: str) -> str:
    """The column in which a field of a line is stored."""
    return _SCALED.get(name, name)


def _type(field: pa.Field) -> sa.types.TypeEngine[Any]:
    if field.name in _SCALED or pa.types.is_int64(field.type):
        return NUMBER
    if pa.types.is_int32(field.type):
        return sa.Integer()
    if pa.types.is_date(field.type):
        return sa.Date()
    return sa.DateTime() if pa.types.is_timestamp(field.type) else TEXT


line = sa.Table(
    "gl_line",
    metadata,
    *(
        sa.Column(
            stored_name(field.name),
            _type(field),
            primary_key=field.name == "gl_entry_id",
            autoincrement=False,
            nullable=field.name in MAY_BE_NULL,
        )
        for field in LINE_SCHEMA
    ),
    # So `line_id` is unique too: it is made of the entry's number and the line's.
    sa.UniqueConstraint("journal_entry", "line_number"),
)
for _name in (
    "account_code", "well_id", "lease_name", "cost_center", "transaction_date", "posting_date",
):  # fmt: skip
    sa.Index(f"ix_gl_line_{_name}", line.c[_name], line.c.gl_entry_id)
_of_a_vendor = sa.text("party_type = 'vendor'")
sa.Index(
    "ix_gl_line_document",
    line.c.party_id,
    line.c.document,
    sqlite_where=_of_a_vendor,
    postgresql_where=_of_a_vendor,
)

ledger = sa.Table(
    "gl_ledger",  # its row is locked by whoever adds lines
    metadata,
    sa.Column("ledger", TEXT, primary_key=True),
    sa.Column("seed", NUMBER, nullable=False),
    sa.Column("opened_on", sa.Date, nullable=False),
    sa.Column("scale", sa.Float, nullable=False),
    # The last line of the generated ledger that is stored, by its number there, and its day.
    sa.Column("fed_through", NUMBER, nullable=False),
    sa.Column("fed_day", sa.Date, nullable=False),
    sa.Column("fed_at", sa.DateTime),
    sa.Column("tickets", NUMBER, nullable=False),
    sa.Column("last_line", NUMBER, nullable=False),
    sa.Column("lines", NUMBER, nullable=False),
)

entry = sa.Table(
    "gl_entry",
    metadata,
    sa.Column("ledger", TEXT, primary_key=True),
    sa.Column("fiscal_period", TEXT, primary_key=True),
    sa.Column("entry_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("journal_entry", TEXT, nullable=False, unique=True),
    # Its number in the generated ledger, where it is from there: it is stored once.
    sa.Column("source_entry", TEXT, unique=True),
    sa.Column("reverses", TEXT, unique=True),
    sa.Column("entry_type", TEXT, nullable=False),
    sa.Column("recorded_on", sa.Date, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("debit_minor", NUMBER, nullable=False),
)

period = sa.Table(
    "gl_period",
    metadata,
    sa.Column("ledger", TEXT, primary_key=True),
    sa.Column("fiscal_period", TEXT, primary_key=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("last_number", sa.Integer, nullable=False),
)

period_event = sa.Table(
    "gl_period_event",
    metadata,
    sa.Column("event_id", NUMBER, primary_key=True),
    sa.Column("ledger", TEXT, nullable=False),
    sa.Column("fiscal_period", TEXT, nullable=False),
    sa.Column("change", TEXT, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("asked_by", TEXT, nullable=False),
    sa.Column("approved_by", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    # The closing certificate: what the period held, and whether a reopening has voided it.
    sa.Column("entries", sa.Integer),
    sa.Column("lines", sa.Integer),
    sa.Column("debit_minor", NUMBER),
    sa.Column("digest", TEXT),
    sa.Column("voided", sa.Boolean, nullable=False),
)

balance = sa.Table(
    "gl_balance",  # sums of the lines; they are added to with the lines
    metadata,
    sa.Column("ledger", TEXT, primary_key=True),
    sa.Column("fiscal_period", TEXT, primary_key=True),
    sa.Column("posting_date", sa.Date, primary_key=True),
    sa.Column("account_code", TEXT, primary_key=True),
    sa.Column("debit_minor", NUMBER, nullable=False),
    sa.Column("credit_minor", NUMBER, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
)

well = sa.Table(
    "gl_well",
    metadata,
    *(
        sa.Column(name, TEXT, primary_key=name == "well_id")
        for name in (
            "well_id", "api_number", "lease_name", "property_id", "cost_center", "state", "county",
            "basin",
        )
    ),
)  # fmt: skip

request = sa.Table(
    "gl_request",  # postings by the key under which they were asked for
    metadata,
    sa.Column("asked_by", TEXT, primary_key=True),
    sa.Column("idempotency_key", TEXT, primary_key=True),
    sa.Column("digest", TEXT, nullable=False),
    sa.Column("journal_entry", TEXT, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
)

version = sa.Table(
    "gl_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)
"""Alembic's own; its usual name may be in use by another program of the database."""
