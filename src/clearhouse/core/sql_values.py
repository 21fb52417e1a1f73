"""Rows whose column has one of many values, in SQL that SQLite and PostgreSQL both take.

All values are one parameter: no statement grows with their number, and SQLite bounds how many
parameters one may have.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_as_json = msgspec.json.Encoder().encode


def select_in(
    connection: sa.Connection,
    read: sa.Select[Any],
    column: sa.Column[Any],
    values: Collection[Any],
) -> Sequence[Any]:
    """The rows of a query whose column has one of the values."""
    if not values:
        return ()
    return connection.execute(read.where(_is_one_of(connection, column, values))).all()


def each_of(
    connection: sa.Connection, column: sa.Column[Any], values: Collection[Any]
) -> sa.ColumnElement[Any]:
    """Values of a column's type as a column of a table of their own, with one parameter."""
    if connection.dialect.name == "postgresql":
        listed = sa.bindparam(None, list(values), postgresql.ARRAY(column.type))
        return sa.func.unnest(listed).table_valued("value").render_derived().c.value
    return sa.func.json_each(_as_json(list(values)).decode()).table_valued("value").c.value


def delete_in(
    connection: sa.Connection,
    column: sa.Column[Any],
    values: Collection[Any],
    *conditions: sa.ColumnElement[bool],
) -> None:
    """Delete the rows whose column has one of the values, and that meet the conditions."""
    if values:
        is_one = _is_one_of(connection, column, values)
        connection.execute(sa.delete(column.table).where(is_one, *conditions))


def _is_one_of(
    connection: sa.Connection, column: sa.Column[Any], values: Collection[Any]
) -> sa.ColumnElement[bool]:
    """The condition with all values as one parameter, however many they are."""
    if connection.dialect.name == "postgresql":
        listed = sa.bindparam(None, list(values), postgresql.ARRAY(column.type))
        return column == sa.func.any(listed)
    return column.in_(sa.select(each_of(connection, column, values)))
