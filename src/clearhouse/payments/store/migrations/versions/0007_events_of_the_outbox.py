"""Ranges of events in the outbox: what is recorded is not written down a second time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add them. What waits already is whole messages."""
    op.add_column("outbox", sa.Column("first_event", _POSITION))
    op.add_column("outbox", sa.Column("last_event", _POSITION))
