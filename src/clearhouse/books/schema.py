"""The tables of the books: the journal, and its projections (`journal`), which queries are made of.

All of them are append-only but `books_current`. One SQLAlchemy schema for every store.
"""

import getpass
import os
from typing import Any

import sqlalchemy as sa

from clearhouse.core.sql_tables import BigInteger38, Moment

_MOST_OF_A_NAME = 80
_USER, _RUN, _TIME = ({"signed": part} for part in ("user", "run", "time"))
metadata = sa.MetaData()


def _numbered(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    """A table whose rows have numbers in the order written: `seq`.

    A number is never used again, also after its row was deleted.
    """
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    number = sa.Column("seq", kind, primary_key=True, autoincrement=True)
    return sa.Table(name, metadata, number, *columns, sqlite_autoincrement=True)


def _signed(at: str, by: str = "") -> list[sa.Column[Any]]:
    """By whom a row was written (where it is a person's decision), in which run, and when.

    `journal.Recording` fills it in.
    """
    users = [sa.Column(by, sa.String(_MOST_OF_A_NAME), nullable=False, info=_USER)] if by else []
    run = sa.Column("run_id", sa.String(40), nullable=False, info=_RUN)
    return [*users, run, sa.Column(at, Moment, nullable=False, info=_TIME)]


journal_table = sa.Table(
    "books_journal",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("prev", sa.String(64), nullable=False, unique=True),
    sa.Column("hash", sa.String(64), nullable=False),
)
"""What was recorded, as canonical JSON: by table and column, the values of the rows."""

entry_table = sa.Table(
    "books_entry",
    metadata,
    sa.Column("entry_id", sa.String(64), primary_key=True),
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("hop", sa.String(120), nullable=False),
    sa.Column("book_date", sa.Date, nullable=False),
    sa.Column("input_hash", sa.String(64), nullable=False),
    sa.Column("code_hash", sa.String(64), nullable=False),
)
"""What an entry is a function of: written once, when work on it first begins."""

cover_table = sa.Table(
    "books_cover",
    metadata,
    sa.Column("entry_id", sa.ForeignKey("books_entry.entry_id"), primary_key=True),
    sa.Column("covers", sa.Text, nullable=False),
)
"""What the input of an entry is, in words (`EntryKey.covers`), where there are such."""

event_table = _numbered(
    "books_event",
    sa.Column("entry_id", sa.ForeignKey("books_entry.entry_id"), nullable=False, index=True),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("output_ref", sa.Text, nullable=False),
    sa.Column("digest_in", sa.String(64), nullable=False),
    sa.Column("digest_out", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    *_signed("at"),
)
"""What happened to an entry: opened, balanced, unbalanced or failed, by which run and when.

`digest_in` and `digest_out` are `Digests`; `content` is their form (`digests.FORM`) and a colon,
and the columns that they are over.
"""

total_table = sa.Table(
    "books_total",
    metadata,
    sa.Column("seq", sa.ForeignKey("books_event.seq"), primary_key=True),
    sa.Column("side", sa.String(12), primary_key=True),
    sa.Column("measure", sa.String(20), primary_key=True),
    sa.Column("value", BigInteger38, nullable=False),
)
"""What was measured at an event."""

current_table = sa.Table(
    "books_current",
    metadata,
    sa.Column("domain", sa.String(40), primary_key=True),
    sa.Column("hop", sa.String(120), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("entry_id", sa.ForeignKey("books_entry.entry_id"), nullable=False),
    sa.Column("seq", sa.ForeignKey("books_event.seq"), nullable=False),
)
"""The event that is in force for a hop and day: at most one, by the primary key."""

verdict_table = _numbered(
    "books_verdict",
    sa.Column("entry_id", sa.String(64), nullable=False, index=True),
    sa.Column("gate", sa.String(60), nullable=False),
    sa.Column("gate_hash", sa.String(64), nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("failures", sa.Text, nullable=False),
    *_signed("judged_at"),
)

release_table = _numbered(
    "books_release",
    sa.Column("entry_id", sa.String(64), nullable=False, index=True),
    sa.Column("gate", sa.String(60), nullable=False),
    sa.Column("failures", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    *_signed("released_at", by="released_by"),
)
"""A person's decision that named failures of an entry don't hold it."""

publication_table = _numbered(
    "books_publication",
    sa.Column("domain", sa.String(40), nullable=False, index=True),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    *_signed("made_at", by="made_by"),
)

pointer_table = sa.Table(
    "books_pointer",
    metadata,
    sa.Column("publication", sa.ForeignKey("books_publication.seq"), primary_key=True),
    sa.Column("dataset", sa.String(80), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("entry_id", sa.String(64)),
    sa.Index("books_pointer_by_day", "dataset", "book_date"),
)
"""What a publication changed: the entry of a day that readers see from then on; null: none."""

certificate_table = _numbered(
    "books_certificate",
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("book_date", sa.Date, nullable=False),
    sa.Column("seal", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    *_signed("closed_at"),
)

reopening_table = _numbered(
    "books_reopening",
    sa.Column("certificate", sa.ForeignKey("books_certificate.seq"), nullable=False, unique=True),
    sa.Column("reason", sa.Text, nullable=False),
    *_signed("reopened_at", by="reopened_by"),
)
"""A certificate that is no longer in force, and why."""

finding_table = _numbered(
    "books_finding",
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("hop", sa.String(120), nullable=False),
    sa.Column("book_date", sa.Date),
    sa.Column("finding", sa.Text, nullable=False),
    *_signed("found_at"),
)
"""What an audit found, in words."""

audit_table = _numbered(
    "books_audit",
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("amounts", sa.Text, nullable=False),
    sa.Column("findings", sa.Integer, nullable=False),
    *_signed("at"),
)
"""What an audit measured again: landed records, their minor units by currency as JSON, findings."""

verified_table = sa.Table(
    "books_verified",
    metadata,
    sa.Column("domain", sa.String(40)),
    sa.Column("book_date", sa.Date),
    *_signed("at"),
    sa.Column("findings", sa.Integer),
    sa.PrimaryKeyConstraint("domain", "book_date", "run_id"),
)
"""Which days were verified, by which run, and what came of it; null: it could not be derived."""


def acting_user() -> str:
    """Who decides: the operating system's name of the user, or the number of one without a name."""
    try:
        return getpass.getuser()[:_MOST_OF_A_NAME]
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
