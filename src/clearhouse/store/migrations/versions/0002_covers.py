"""What the input of an entry is, in words."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; of earlier entries only the digest of it is known."""
    op.create_table(
        "books_cover",
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("covers", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["books_entry.entry_id"]),
        sa.PrimaryKeyConstraint("entry_id"),
    )
