"""Rows whose column has one of many values, in SQL that SQLite and PostgreSQL both take.

All values are one parameter: no statement grows with their number, and SQLite bounds how many
parameters one may have. So statements can be kept, as making one takes as long as reading some
hundred rows: where the query that is given is the same object, so is the statement.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
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
    statement = _selecting(read, column, connection.dialect.name)
    return connection.execute(statement, one_parameter(connection, values)).all()


def delete_in(
    connection: sa.Connection,
    column: sa.Column[Any],
    values: Collection[Any],
    *conditions: sa.ColumnElement[bool],
) -> None:
    """Delete the rows whose column has one of the values, and that meet the conditions."""
    if values:
        statement = _deleting(column, conditions, connection.dialect.name)
        connection.execute(statement, one_parameter(connection, values))


def each_of(column: sa.Column[Any], dialect_name: str) -> sa.ColumnElement[Any]:
    """Values of a column's type as a column of a table of their own.

    They are given when the statement is executed (`one_parameter`).
    """
    if dialect_name == "postgresql":
        listed = sa.func.unnest(_listed(column))
        return listed.table_valued("value").render_derived().c.value
    return sa.func.json_each(sa.bindparam(_VALUES)).table_valued("value").c.value


def one_parameter(connection: sa.Connection, values: Collection[Any]) -> dict[str, Any]:
    """Values as the parameter of a statement that takes many."""
    listed = list(values)
    is_server = connection.dialect.name == "postgresql"
    return {_VALUES: listed if is_server else _as_json(listed).decode()}


_VALUES = "one_of_these"


@lru_cache(256)
def _selecting(read: sa.Select[Any], column: sa.Column[Any], dialect_name: str) -> sa.Select[Any]:
    return read.where(_is_one_of(column, dialect_name))


@lru_cache(256)
def _deleting(
    column: sa.Column[Any], conditions: tuple[sa.ColumnElement[bool], ...], dialect_name: str
) -> sa.Delete:
    return sa.delete(column.table).where(_is_one_of(column, dialect_name), *conditions)


def _is_one_of(column: sa.Column[Any], dialect_name: str) -> sa.ColumnElement[bool]:
    """The condition with all values as one parameter, however many they are."""
    if dialect_name == "postgresql":
        return column == sa.func.any(_listed(column))
    return column.in_(sa.select(each_of(column, dialect_name)))


def _listed(column: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(_VALUES, type_=postgresql.ARRAY(column.type))
