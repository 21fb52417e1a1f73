"""Writing batches of rows, in SQL that SQLite and PostgreSQL both take.

SQLAlchemy makes the statements. Rows go to the driver as tuples: handing them over one by one as
dictionaries takes longer than SQLite takes to store them.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]


def add(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, each with every column that the table does not number by itself."""
    _execute(connection, table, rows, "")


def add_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    _execute(connection, table, rows, "missing")


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, in the place of those with the same primary key."""
    _execute(connection, table, rows, "replace")


def _execute(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], when: str) -> None:
    if rows:
        sql, names, writers = _statement(table, connection.dialect.name, when)
        values = map(itemgetter(*names), rows)
        connection.exec_driver_sql(sql, _written(values, writers) if writers else list(values))


@cache
def _statement(
    table: sa.Table, dialect_name: str, when: str
) -> tuple[str, list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """The statement, the columns that it takes in their order, and how some are written."""
    module: Any = postgresql if dialect_name == "postgresql" else sqlite
    named: Row = {c.name: sa.bindparam(c.name) for c in table.columns if not _is_numbered(c)}
    insert = module.insert(table).values(named)
    if when == "missing":
        insert = insert.on_conflict_do_nothing()
    elif when == "replace":
        others = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
        insert = insert.on_conflict_do_update(index_elements=[*table.primary_key], set_=others)
    paramstyle = "format" if dialect_name == "postgresql" else "qmark"
    compiled = insert.compile(dialect=module.dialect(paramstyle=paramstyle))
    names = list(compiled.positiontup)
    kinds = [type(table.columns[name].type) for name in names] if dialect_name == "sqlite" else []
    writers = [(at, _AS_TEXT[kind]) for at, kind in enumerate(kinds) if kind in _AS_TEXT]
    return str(compiled), names, writers


def _is_numbered(column: sa.Column[Any]) -> bool:
    return column.autoincrement is True


def _written(
    rows: Iterator[tuple[Any, ...]], writers: Sequence[tuple[int, Callable[[Any], Any]]]
) -> list[tuple[Any, ...]]:
    """Rows with some of their columns as they are written; a column at a time, which is faster."""
    columns = list(zip(*rows, strict=True))
    for at, write in writers:
        columns[at] = tuple([None if each is None else write(each) for each in columns[at]])
    return list(zip(*columns, strict=True))


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(" ", "microseconds")


_AS_TEXT: dict[type, Callable[[Any], Any]] = {
    sa.DateTime: _moment,
    sa.Date: dt.date.isoformat,
}
"""SQLite has no dates: texts as SQLAlchemy reads them."""
