"""An index of the connected accounts of Stripe, so that naming them reads no events."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_IS_OF_CONNECTED = sa.text("provider = 'stripe' AND substr(account, 1, 5) = 'acct_'")


def upgrade() -> None:
    """Make it."""
    op.create_index(
        "payment_event_of_connected",
        "payment_event",
        ["account"],
        postgresql_where=_IS_OF_CONNECTED,
        sqlite_where=_IS_OF_CONNECTED,
    )
