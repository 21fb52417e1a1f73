"""The tables of the books against what the journal recorded, row by row."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from clearhouse.books.schema import (
    current_table,
    entry_table,
    event_table,
    journal_table,
    metadata,
    total_table,
)
from clearhouse.core.sql_tables import Moment

Stored = tuple[str | None, ...]
Tables = dict[str, dict[Stored, Stored]]
"""By table and primary key: the row, every value as text, in order of the columns."""

_MAX_NAMED = 20
_MAX_CHARACTERS = 60


def moment(at: dt.datetime) -> str:
    """A time as the tables hold it: UTC."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def stored_tables(connection: sa.Connection) -> Tables:
    """What the tables hold. Values are not converted, since an edited one may be anything."""
    found: Tables = {}
    for table in metadata.sorted_tables:
        if table is not journal_table:
            columns = ", ".join(_as_stored(column, connection.dialect) for column in table.c)
            rows = connection.exec_driver_sql(f"SELECT {columns} FROM {table.name}")
            stored = [tuple(map(_text, row)) for row in rows]
            found[table.name] = _by_key(table, stored)
            # Without its primary key a table can hold another row under the same one.
            others = {*stored} - {*found[table.name].values()}
            found[table.name] |= {row: row for row in others}
    return found


def rows_of(body: str, into: Tables) -> bool:
    """Add what a row of the journal recorded to what was recorded before; False: it can't be."""
    try:
        for name, columns in json.loads(body).items():
            table = metadata.tables[name]
            rows = zip(*(map(_text, columns[c.name]) for c in table.c), strict=True)
            found = _by_key(table, rows)
            if table is not current_table and not into[name].keys().isdisjoint(found):
                return False
            into[name].update(found)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def differences(recorded: Tables, stored: Tables, *, names_invented: bool) -> list[str]:
    """Every row that was edited, deleted or invented, with what it should be."""
    found: list[str] = []
    for name, rows in stored.items():
        if rows == recorded[name]:
            continue
        pairs = [(rows.get(key), recorded[name].get(key)) for key in {**recorded[name], **rows}]
        lines = [
            _sentence(name, is_, should, recorded)
            for is_, should in pairs
            if is_ != should and (should or names_invented)
        ]
        found += lines[:_MAX_NAMED]
        if len(lines) > _MAX_NAMED:
            found.append(f"{name}: and {len(lines) - _MAX_NAMED:,} rows more")
    return found


def _sentence(name: str, is_: Stored | None, should: Stored | None, recorded: Tables) -> str:
    """One difference in words."""
    table = metadata.tables[name]
    row = dict(zip(table.c.keys(), is_ or should or (), strict=True))
    keys = [column.name for column in table.primary_key]
    title = f"{name} {', '.join(str(row[key]) for key in keys)}{_day(name, row, recorded)}"
    if is_ and should:
        told = [
            f"{column} is {_short(value, before)} and was recorded as {_short(before, value)}"
            for column, value, before in zip(row, is_, should, strict=True)
            if value != before
        ]
        return f"{title} was edited: {', '.join(told)}"
    values = ", ".join(f"{c} {_short(value)}" for c, value in row.items() if c not in keys)
    what = "was never recorded" if is_ else "was deleted; recorded was"
    return f"{title} {what}: {values}"


def _day(name: str, row: Mapping[str, str | None], recorded: Tables) -> str:
    """The hop and day of the entry that a row is about, in brackets, if it is about one."""
    entry_id = row.get("entry_id")
    if name == total_table.name:
        event = recorded[event_table.name].get((row["seq"],), ())
        entry_id = dict(zip(event_table.c.keys(), event, strict=False)).get("entry_id")
    entry = recorded[entry_table.name].get((entry_id,))
    return f" ({', '.join(map(str, entry[1:4]))})" if entry and name != entry_table.name else ""


def _by_key(table: sa.Table, rows: Iterable[Stored]) -> dict[Stored, Stored]:
    at = [list(table.c).index(column) for column in table.primary_key]
    return {tuple(row[i] for i in at): row for row in rows}


def _as_stored(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """SQL of a column's values, which PostgreSQL is asked to write as SQLite holds them."""
    name = column.name
    if dialect.name != "postgresql":
        return name
    if isinstance(column.type, Moment):
        return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    if isinstance(column.type, sa.Date):
        return f"to_char({name}, 'YYYY-MM-DD')"
    return f"{name}::int::text" if isinstance(column.type, sa.Boolean) else f"{name}::text"


def _text(value: Any) -> str | None:
    """A value as text: what JSON and a store give of the same one is the same."""
    return None if value is None else str(int(value) if isinstance(value, bool) else value)


def _short(value: str | None, other: str | None = None) -> str:
    """A value, of a long one what is around its first difference from another."""
    if value is None or len(value) <= _MAX_CHARACTERS:
        return "nothing" if value is None else value or "empty"
    pairs = enumerate(zip(value, other or "", strict=False))
    same = next((n for n, (one, another) in pairs if one != another), 0)
    begin = max(0, same - _MAX_CHARACTERS // 3)
    return f"{'…' if begin else ''}{value[begin : begin + _MAX_CHARACTERS]}…"
