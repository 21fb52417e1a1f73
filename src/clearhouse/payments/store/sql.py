"""SQL that SQLite and PostgreSQL both take, for batches of rows."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
_MOST_PARAMETERS = 10_000
"""In one statement: SQLite takes 32,766."""


def add(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows."""
    if rows:
        connection.execute(sa.insert(table), rows)


def add_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, in the place of those with the same primary key."""
    if not rows:
        return
    insert = _insert(connection, table)
    others = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
    connection.execute(
        insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=others),
        rows,
    )


def select_in(
    connection: sa.Connection,
    read: sa.Select[Any],
    column: sa.Column[Any],
    values: Collection[Any],
) -> Iterator[Any]:
    """The rows of a query whose column has one of the values, in as many statements as it needs."""
    for some in _some(values):
        yield from connection.execute(read.where(column.in_(some)))


def delete_in(
    connection: sa.Connection,
    column: sa.Column[Any],
    values: Collection[Any],
    *conditions: sa.ColumnElement[bool],
) -> None:
    """Delete the rows whose column has one of the values, and that meet the conditions."""
    for some in _some(values):
        connection.execute(sa.delete(column.table).where(column.in_(some), *conditions))


def _some(values: Iterable[Any]) -> Iterator[list[Any]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _MOST_PARAMETERS):
        yield ordered[start : start + _MOST_PARAMETERS]


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
