"""Indexes for what the batch asks of days; and without the one that no query used."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_IS_OF_PAYOUT = sa.text("payout_key IS NOT NULL")


def upgrade() -> None:
    """Make them."""
    op.drop_index("payment_event_by_day", "payment_event")
    op.create_index(
        "payment_event_by_day",
        "payment_event",
        ["book_date", "event_id", "record_id", "number"],
    )
    op.create_index(
        "payment_event_of_payouts",
        "payment_event",
        ["book_date", "provider"],
        postgresql_where=_IS_OF_PAYOUT,
        sqlite_where=_IS_OF_PAYOUT,
    )
    op.drop_index("ix_unlinked_event_event_id", "unlinked_event")
