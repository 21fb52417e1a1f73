"""What tables of an SQL store need, whichever store it is: types, conditions and one writer."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


class BigInteger38(sa.types.TypeDecorator[int]):
    """An integer of up to 38 digits.

    It is decimal text in SQLite, whose integers end at 64 bits, and NUMERIC(38, 0) elsewhere.
    """

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


def between(column: sa.Column[dt.date], days: Sequence[dt.date] | None) -> sa.ColumnElement[bool]:
    """That a column is from the first to the last of some days; None: any day."""
    if days is None:
        return sa.true()
    return column.between(min(days), max(days)) if days else sa.false()


def within(
    column: sa.Column[dt.datetime], since: dt.datetime | None, until: dt.datetime | None
) -> sa.ColumnElement[bool]:
    """That a column is after a moment, and up to another one; None: any."""
    after = sa.true() if since is None else column > since
    return after if until is None else after & (column <= until)
