"""The tables as they were when migrations began. Later ones follow it, and it stays as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_IN_BYTE_ORDER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_HUGE = sa.Numeric(38, 0).with_variant(sa.String(40), "sqlite")


def upgrade() -> None:
    """Make all tables."""
    _entries()
    _decisions()
    _certificates_and_audits()
    _beside_the_books()


def _entries() -> None:
    op.create_table(
        "books_journal",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("prev"),
    )
    op.create_table(
        "books_entry",
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("hop", sa.String(120), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_table(
        "books_event",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("output_ref", sa.Text(), nullable=False),
        sa.Column("digest_in", sa.String(64), nullable=False),
        sa.Column("digest_out", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["books_entry.entry_id"]),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_books_event_entry_id", "books_event", ["entry_id"])
    op.create_table(
        "books_total",
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("side", sa.String(12), nullable=False),
        sa.Column("measure", sa.String(20), nullable=False),
        sa.Column("value", _HUGE, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["books_event.seq"]),
        sa.PrimaryKeyConstraint("seq", "side", "measure"),
    )
    op.create_table(
        "books_current",
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("hop", sa.String(120), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["books_entry.entry_id"]),
        sa.ForeignKeyConstraint(["seq"], ["books_event.seq"]),
        sa.PrimaryKeyConstraint("domain", "hop", "book_date"),
    )


def _decisions() -> None:
    op.create_table(
        "books_verdict",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(60), nullable=False),
        sa.Column("gate_hash", sa.String(64), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("judged_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_books_verdict_entry_id", "books_verdict", ["entry_id"])
    op.create_table(
        "books_release",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(60), nullable=False),
        sa.Column("failures", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("released_by", sa.String(80), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("released_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_books_release_entry_id", "books_release", ["entry_id"])
    op.create_table(
        "books_publication",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_books_publication_domain", "books_publication", ["domain"])
    op.create_table(
        "books_pointer",
        sa.Column("publication", _NUMBER, nullable=False),
        sa.Column("dataset", sa.String(80), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["publication"], ["books_publication.seq"]),
        sa.PrimaryKeyConstraint("publication", "dataset", "book_date"),
    )
    op.create_index("books_pointer_by_day", "books_pointer", ["dataset", "book_date"])


def _certificates_and_audits() -> None:
    op.create_table(
        "books_certificate",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "books_reopening",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("certificate", _NUMBER, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reopened_by", sa.String(80), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("reopened_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["certificate"], ["books_certificate.seq"]),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("certificate"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "books_finding",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("hop", sa.String(120), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("found_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "books_audit",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("amounts", sa.Text(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "books_verified",
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("findings", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("domain", "book_date", "run_id"),
    )


def _beside_the_books() -> None:
    op.create_table(
        "landing_totals",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", "content"),
    )
    op.create_table(
        "quarantine",
        sa.Column("dataset", sa.String(80), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("record_id", sa.String(32), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.String(64), nullable=False),
        sa.Column("object_key", _IN_BYTE_ORDER, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("violations", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "book_date", "record_id"),
    )
