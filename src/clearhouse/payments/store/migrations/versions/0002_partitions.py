"""Progress by partition, and events numbered in the order in which they were committed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Change the tables. Until now a log had one partition, in the order of commits."""
    with op.batch_alter_table("event_log") as event_log:
        event_log.alter_column("identity", type_=sa.String(200))  # of a cluster and a topic
    op.rename_table("consumer_progress", "consumer_progress_before")
    op.create_table(
        "consumer_progress",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", _POSITION, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "topic", "partition", name="consumer_progress_of"),
    )
    op.execute(
        "INSERT INTO consumer_progress (consumer, topic, partition, position) "
        "SELECT consumer, topic, 0, position FROM consumer_progress_before"
    )
    op.drop_table("consumer_progress_before")
    number = sa.Column("number", _POSITION, nullable=False, server_default="0")
    op.add_column("payment_event", number)
    op.execute("UPDATE payment_event SET number = webhook_position")
    op.create_index("payment_event_by_number", "payment_event", ["number"], unique=True)
