"""The tables as they were when migrations began. Later ones follow it, and it stays as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.String(300).with_variant(sa.String(300, collation="C"), "postgresql")
_HINT = sa.String(600).with_variant(sa.String(600, collation="C"), "postgresql")
_ID = sa.String(255)
_CODE = sa.String(60)
_MINOR = sa.BigInteger()
_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables."""
    _what_happened()
    _what_follows()
    _money()
    _beside()


def _what_happened() -> None:
    op.create_table(
        "event_log",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "consumer_progress",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("position", _POSITION, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "topic"),
    )
    op.create_table(
        "delivery",
        sa.Column("webhook_position", _POSITION, autoincrement=False, nullable=False),
        sa.Column("event_id", _KEY, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("amount_minor", _MINOR, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("webhook_position"),
    )
    op.create_index("ix_delivery_book_date", "delivery", ["book_date"])
    op.create_index("ix_delivery_event_id", "delivery", ["event_id"])
    op.create_table(
        "payment_event",
        sa.Column("event_id", _KEY, nullable=False),
        sa.Column("webhook_position", _POSITION, nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("event_type", sa.String(length=30), nullable=False),
        sa.Column("payment_key", _KEY),
        sa.Column("payout_key", _KEY),
        sa.Column("amount_minor", _MINOR, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("record_key", _KEY, nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("webhook_position"),
    )
    op.create_index("ix_payment_event_payment_key", "payment_event", ["payment_key"])
    op.create_index("ix_payment_event_payout_key", "payment_event", ["payout_key"])
    op.create_index("payment_event_by_day", "payment_event", ["book_date", "event_id"])
    op.create_table(
        "payment_link",
        sa.Column("alias", _KEY, nullable=False),
        sa.Column("payment_key", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("alias", "payment_key"),
    )
    op.create_index("ix_payment_link_payment_key", "payment_link", ["payment_key"])
    op.create_table(
        "payment_hint",
        sa.Column("hint", _HINT, nullable=False),
        sa.Column("payment_key", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("hint", "payment_key"),
    )
    op.create_index("ix_payment_hint_payment_key", "payment_hint", ["payment_key"])
    op.create_table(
        "unlinked_event",
        sa.Column("hint", _HINT, nullable=False),
        sa.Column("event_id", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("hint", "event_id"),
    )
    op.create_index("ix_unlinked_event_event_id", "unlinked_event", ["event_id"])


def _what_follows() -> None:
    op.create_table(
        "payment",
        sa.Column("payment_key", _KEY, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("payment_id", _ID, nullable=False),
        sa.Column("merchant_reference", _ID),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("currency", sa.String(length=3)),
        sa.Column("authorized_minor", _MINOR),
        sa.Column("captured_minor", _MINOR, nullable=False),
        sa.Column("refunded_minor", _MINOR, nullable=False),
        sa.Column("disputed_minor", _MINOR, nullable=False),
        sa.Column("fee_minor", _MINOR),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure_code", _CODE),
        sa.Column("method", _CODE),
        sa.Column("card_brand", _CODE),
        sa.Column("card_last4", sa.String(length=4)),
        sa.Column("customer_id", _ID),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.Column("captured_at", sa.DateTime()),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("payment_key"),
    )
    op.create_table(
        "refund",
        sa.Column("refund_key", _KEY, nullable=False),
        sa.Column("payment_key", _KEY),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("refund_id", _ID, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("amount_minor", _MINOR, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("failure_code", _CODE),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("refund_key"),
    )
    op.create_index("ix_refund_payment_key", "refund", ["payment_key"])
    op.create_table(
        "dispute",
        sa.Column("dispute_key", _KEY, nullable=False),
        sa.Column("payment_key", _KEY),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("dispute_id", _ID, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("amount_minor", _MINOR, nullable=False),
        sa.Column("withdrawn_minor", _MINOR, nullable=False),
        sa.Column("reinstated_minor", _MINOR, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("dispute_key"),
    )
    op.create_index("ix_dispute_payment_key", "dispute", ["payment_key"])


def _money() -> None:
    op.create_table(
        "payout",
        sa.Column("payout_key", _KEY, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("account", _ID, nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("payout_id", _ID, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("amount_minor", _MINOR, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("failure_code", _CODE),
        sa.Column("is_reversal_of", _ID),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("payout_key"),
    )
    op.create_table(
        "journal_line",
        sa.Column("subject_key", _KEY, nullable=False),
        sa.Column("posting", _KEY, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account_code", sa.String(length=30), nullable=False),
        sa.Column("debit_minor", _MINOR, nullable=False),
        sa.Column("credit_minor", _MINOR, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("event_id", _KEY, nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", "posting", "line"),
    )


def _beside() -> None:
    op.create_table(
        "decision",
        sa.Column("event_id", _KEY, nullable=False),
        sa.Column("activity", sa.String(length=40), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("score", sa.Integer()),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("is_fallback", sa.Boolean(), nullable=False),
        sa.Column("plan", sa.Text()),
        sa.PrimaryKeyConstraint("event_id", "activity"),
    )
    op.create_table(
        "outbox",
        sa.Column("number", _POSITION, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("message_key", _KEY, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "letter_state",
        sa.Column("letter_id", _KEY, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("letter_id"),
    )
