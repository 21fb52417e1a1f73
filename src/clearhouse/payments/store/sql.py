"""Writing batches of rows, in SQL that SQLite and PostgreSQL both take.

SQLAlchemy makes the statements. Rows go to the driver as tuples, which are made of whole columns:
handing them over one by one as dictionaries takes longer than SQLite takes to store them.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
Columns = Mapping[str, Sequence[Any]]
"""Rows as columns by their names, all of one length: what tables with most rows are written as."""


def add(connection: sa.Connection, table: sa.Table, rows: Sequence[Row] | Columns) -> None:
    """Insert rows, each with every column that the table does not number by itself."""
    _execute(connection, table, rows, "")


def add_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Row] | Columns) -> None:
    """Insert the rows whose primary key is not there yet."""
    _execute(connection, table, rows, "missing")


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[Row] | Columns) -> None:
    """Insert rows, in the place of those with the same primary key."""
    _execute(connection, table, rows, "replace")


def _execute(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Row] | Columns, when: str
) -> None:
    if not rows:
        return
    sql, names, writers = _statement(table, connection.dialect.name, when)
    if isinstance(rows, Mapping):
        columns = [rows[name] for name in names]
    else:
        columns = [[row[name] for row in rows] for name in names]
    for at, write in writers:
        columns[at] = _written(columns[at], write)
    values = list(zip(*columns, strict=True))
    if values:
        connection.exec_driver_sql(sql, values)


@cache
def _statement(
    table: sa.Table, dialect_name: str, when: str
) -> tuple[str, list[str], list[tuple[int, Callable[[Any], str]]]]:
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


def _written(column: Sequence[Any], write: Callable[[Any], str]) -> list[str | None]:
    """A column as it is written: each value once, as rows of one batch have many in common."""
    texts = {each: None if each is None else write(each) for each in {*column}}
    return [texts[each] for each in column]


@lru_cache(16_384)  # an event's time is in several tables
def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(" ", "microseconds")


_AS_TEXT: dict[type, Callable[[Any], str]] = {
    sa.DateTime: _moment,
    sa.Date: dt.date.isoformat,
}
"""SQLite has no dates: texts as SQLAlchemy reads them."""
