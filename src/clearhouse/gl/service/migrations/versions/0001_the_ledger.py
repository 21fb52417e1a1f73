"""The tables as they were when migrations began. Later ones follow it, and it stays as it is."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_NUMBERS = frozenset({"gl_entry_id", "debit_minor", "credit_minor", "quantity_milli", "share_e8"})
_INTEGERS = frozenset({"fiscal_year", "fiscal_month", "entry_number", "line_number"})
_DATES = frozenset({"transaction_date", "posting_date", "recorded_on", "due_date"})
_MOMENTS = frozenset({"created_timestamp", "last_modified"})
_LINE = [
    "line_id", "gl_entry_id", "journal_batch", "journal_entry", "ledger", "fiscal_period",
    "fiscal_year", "fiscal_month", "entry_number", "line_number", "entry_type", "reverses",
    "transaction_date", "posting_date", "recorded_on", "production_month", "account_code",
    "account_name", "account_class", "debit_minor", "credit_minor", "currency", "quantity_milli",
    "unit", "product", "share_e8", "well_id", "api_number", "lease_name", "property_id",
    "afe_number", "jib_number", "cost_center", "state", "county", "basin", "party_type",
    "party_id", "document", "due_date", "journal_source", "transaction_type", "description",
    "created_by", "approved_by", "created_timestamp", "last_modified",
]  # fmt: skip
_MAY_BE_NULL = [
    "reverses", "production_month", "quantity_milli", "unit", "product", "share_e8", "well_id",
    "api_number", "lease_name", "property_id", "afe_number", "jib_number", "cost_center", "state",
    "county", "basin", "party_type", "party_id", "document", "due_date",
]  # fmt: skip


def upgrade() -> None:
    """Make all tables."""
    _lines()
    _ledger_and_entries()
    _periods()
    _beside_the_lines()


def _lines() -> None:
    op.create_table(
        "gl_line",
        *(sa.Column(name, _kind(name), nullable=name in _MAY_BE_NULL) for name in _LINE),
        sa.PrimaryKeyConstraint("gl_entry_id"),
        sa.UniqueConstraint("journal_entry", "line_number"),
    )
    for name in (
        "account_code", "well_id", "lease_name", "cost_center", "transaction_date",
        "posting_date",
    ):  # fmt: skip
        op.create_index(f"ix_gl_line_{name}", "gl_line", [name, "gl_entry_id"])
    of_a_vendor = sa.text("party_type = 'vendor'")
    op.create_index(
        "ix_gl_line_document",
        "gl_line",
        ["party_id", "document"],
        sqlite_where=of_a_vendor,
        postgresql_where=of_a_vendor,
    )


def _kind(name: str) -> sa.types.TypeEngine[Any]:
    if name in _NUMBERS:
        return _NUMBER
    if name in _INTEGERS:
        return sa.Integer()
    if name in _DATES:
        return sa.Date()
    return sa.DateTime() if name in _MOMENTS else _TEXT


def _ledger_and_entries() -> None:
    op.create_table(
        "gl_ledger",
        sa.Column("ledger", _TEXT, nullable=False),
        sa.Column("seed", _NUMBER, nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("scale", sa.Float(), nullable=False),
        sa.Column("fed_through", _NUMBER, nullable=False),
        sa.Column("fed_day", sa.Date(), nullable=False),
        sa.Column("fed_at", sa.DateTime()),
        sa.Column("tickets", _NUMBER, nullable=False),
        sa.Column("last_line", _NUMBER, nullable=False),
        sa.Column("lines", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("ledger"),
    )
    op.create_table(
        "gl_entry",
        sa.Column("ledger", _TEXT, nullable=False),
        sa.Column("fiscal_period", _TEXT, nullable=False),
        sa.Column("entry_number", sa.Integer(), nullable=False),
        sa.Column("journal_entry", _TEXT, nullable=False),
        sa.Column("source_entry", _TEXT),
        sa.Column("reverses", _TEXT),
        sa.Column("entry_type", _TEXT, nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("debit_minor", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "fiscal_period", "entry_number"),
        sa.UniqueConstraint("journal_entry"),
        sa.UniqueConstraint("source_entry"),
        sa.UniqueConstraint("reverses"),
    )


def _periods() -> None:
    op.create_table(
        "gl_period",
        sa.Column("ledger", _TEXT, nullable=False),
        sa.Column("fiscal_period", _TEXT, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "fiscal_period"),
    )
    op.create_table(
        "gl_period_event",
        sa.Column("event_id", _NUMBER, nullable=False),
        *(
            sa.Column(name, _TEXT, nullable=False)
            for name in (
                "ledger", "fiscal_period", "change", "status", "asked_by", "approved_by", "reason",
            )
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("entries", sa.Integer()),
        sa.Column("lines", sa.Integer()),
        sa.Column("debit_minor", _NUMBER),
        sa.Column("digest", _TEXT),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )  # fmt: skip


def _beside_the_lines() -> None:
    op.create_table(
        "gl_balance",
        sa.Column("ledger", _TEXT, nullable=False),
        sa.Column("fiscal_period", _TEXT, nullable=False),
        sa.Column("posting_date", sa.Date(), nullable=False),
        sa.Column("account_code", _TEXT, nullable=False),
        sa.Column("debit_minor", _NUMBER, nullable=False),
        sa.Column("credit_minor", _NUMBER, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "fiscal_period", "posting_date", "account_code"),
    )
    op.create_table(
        "gl_well",
        sa.Column("well_id", _TEXT, nullable=False),
        *(
            sa.Column(name, _TEXT)
            for name in (
                "api_number", "lease_name", "property_id", "cost_center", "state", "county",
                "basin",
            )
        ),
        sa.PrimaryKeyConstraint("well_id"),
    )  # fmt: skip
    op.create_table(
        "gl_request",
        sa.Column("asked_by", _TEXT, nullable=False),
        sa.Column("idempotency_key", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("journal_entry", _TEXT, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("asked_by", "idempotency_key"),
    )
