"""The tables of the books: the journal, and its projections (`journal`), which queries are made of.

All of them are append-only but `books_current`.

One SQLAlchemy schema for every store. Totals are kept as decimal text in SQLite, whose integers
end at 64 bits, and as NUMERIC(38, 0) elsewhere.
"""

import datetime as dt
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


class BigInteger38(sa.types.TypeDecorator[int]):
    """An integer of up to 38 digits."""

    impl = sa.Numeric(38, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Text in SQLite, NUMERIC(38, 0) elsewhere."""
        kind = sa.String(40) if dialect.name == "sqlite" else sa.Numeric(38, 0)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> Any:
        """Python to SQL."""
        return str(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> int | None:
        """SQL to Python."""
        del dialect
        return None if value is None else int(value)


class Moment(sa.types.TypeDecorator[dt.datetime]):
    """A time in UTC, read without its zone, whatever that of a server's session is."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        """SQL to Python."""
        del dialect
        if value is None or value.tzinfo is None:
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None)


_MOST_OF_A_NAME = 80
metadata = sa.MetaData()


def _sequence() -> sa.Column[int]:
    """The order in which rows were written; never used again, also after a row was deleted."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("seq", kind, primary_key=True, autoincrement=True)


def _moment(name: str) -> sa.Column[dt.datetime]:
    return sa.Column(name, Moment, nullable=False)


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns, sqlite_autoincrement=True)


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

event_table = _table(
    "books_event",
    _sequence(),
    sa.Column("entry_id", sa.ForeignKey("books_entry.entry_id"), nullable=False, index=True),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("output_ref", sa.Text, nullable=False),
    sa.Column("digest_in", sa.String(64), nullable=False),
    sa.Column("digest_out", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("at"),
)
"""What happened to an entry: opened, balanced, unbalanced or failed, by which run and when.

`digest_in` and `digest_out` are `Digests`; `content` is the columns that they are over.
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

verdict_table = _table(
    "books_verdict",
    _sequence(),
    sa.Column("entry_id", sa.String(64), nullable=False, index=True),
    sa.Column("gate", sa.String(60), nullable=False),
    sa.Column("gate_hash", sa.String(64), nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("failures", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("judged_at"),
)

release_table = _table(
    "books_release",
    _sequence(),
    sa.Column("entry_id", sa.String(64), nullable=False, index=True),
    sa.Column("gate", sa.String(60), nullable=False),
    sa.Column("failures", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("released_by", sa.String(_MOST_OF_A_NAME), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("released_at"),
)
"""A person's decision that named failures of an entry don't hold it."""

publication_table = _table(
    "books_publication",
    _sequence(),
    sa.Column("domain", sa.String(40), nullable=False, index=True),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_by", sa.String(_MOST_OF_A_NAME), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("made_at"),
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

certificate_table = _table(
    "books_certificate",
    _sequence(),
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("book_date", sa.Date, nullable=False),
    sa.Column("seal", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("closed_at"),
)

reopening_table = _table(
    "books_reopening",
    _sequence(),
    sa.Column("certificate", sa.ForeignKey("books_certificate.seq"), nullable=False, unique=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("reopened_by", sa.String(_MOST_OF_A_NAME), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("reopened_at"),
)
"""A certificate that is no longer in force, and why."""

finding_table = _table(
    "books_finding",
    _sequence(),
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("hop", sa.String(120), nullable=False),
    sa.Column("book_date", sa.Date),
    sa.Column("finding", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("found_at"),
)
"""What an audit found, in words."""

audit_table = _table(
    "books_audit",
    _sequence(),
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("amounts", sa.Text, nullable=False),
    sa.Column("findings", sa.Integer, nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    _moment("at"),
)
"""What an audit measured again: landed records, their minor units by currency as JSON, findings."""


verified_table = sa.Table(
    "books_verified",
    metadata,
    sa.Column("domain", sa.String(40), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("run_id", sa.String(40), primary_key=True),
    _moment("at"),
    sa.Column("findings", sa.Integer),
)
"""Which days were verified, by which run, and what came of it; null: it could not be derived."""


@contextmanager
def writing(engine: sa.Engine, table: sa.Table) -> Iterator[sa.Connection]:
    """A transaction in which no other process writes into a table; readers go on.

    In SQLite any transaction is. PostgreSQL locks the table first: a query before that would fix
    what the transaction sees to what was there before the wait.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def now() -> dt.datetime:
    """The time of a row."""
    return dt.datetime.now(dt.UTC)


def acting_user() -> str:
    """Who decides: the operating system's name of the user, or the number of one without a name."""
    try:
        return getpass.getuser()[:_MOST_OF_A_NAME]
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
