"""What runs of a workflow server are known by when they begin again, and the retries they plan."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEY = sa.String(300).with_variant(sa.String(300, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, and room for the name of a log on a server."""
    with op.batch_alter_table("event_log") as event_log:
        event_log.alter_column("identity", type_=sa.String(200), existing_nullable=False)
    op.create_table(
        "worker_letter",
        sa.Column("letter_id", _KEY, nullable=False),
        sa.Column("written_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("letter_id"),
    )
    op.create_table(
        "retry_attempt",
        sa.Column("event_id", _KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "number"),
    )
