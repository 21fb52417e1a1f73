"""The headers of messages that are still to be published: they carry their traces on."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them. What waits already has none."""
    op.add_column("outbox", sa.Column("headers", sa.Text()))
