"""Gold facts: rows of every entry, in one table partitioned by the month of `_book_date`.

What a build makes stands in a table beside the fact until its tests have passed; its tests read
that one (dbt/macros/ref.sql). Then a month that is new becomes part of the fact as it is, and other
rows take the place of their entries' rows, in one transaction. Months bound what a day's queries,
its replacement and an index have to do with, and an old month can be detached whole.

Each key of a dimension is a foreign key. The fact holds rows that are not published, and a
dimension shows the members of published ones alone: so a key refers to the table of its members,
those of any row, which a build adds its own to before its rows.

The pipeline sees all entries. Row security shows readers the published ones alone.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from clearhouse.engines.engine import Layout
from clearhouse.engines.postgres.arrow import quoted
from clearhouse.engines.postgres.readers import READER

_SPINE_INDEXES = (("_entry_id",), ("_record_key",), ("_record_id",))
_UNKNOWN_MEMBER = 0
_BUILT = "_built"


def built_of(fact: str) -> str:
    """The table of what a build made of a fact, as the materialization `entries` calls it."""
    return f"next.{_name_of(fact)}{_BUILT}"


def keep(connection: psycopg.Connection[Any], fact: str, layout: Layout) -> list[str]:
    """Put what was built in place of its entries' rows. The caller holds a transaction.

    Returns:
        the partitions that have new rows.
    """
    built = built_of(fact)
    _make(connection, fact, built, layout)
    for column, members in layout.members.items():
        _add_members(connection, members, column, built)
    _delete_replaced(connection, fact)
    months = _months_of(connection, built)
    for month in months:
        if _is_there(connection, _part_of(fact, month)):
            _insert(connection, fact, built, month)
        else:
            _take_over(connection, fact, built, month)
    connection.execute(f"DROP TABLE {built}")
    return [_part_of(fact, month) for month in months]


def new_parts(connection: psycopg.Connection[Any], fact: str) -> list[str]:
    """What was built of months that the fact has not: tables that become parts of it."""
    built = built_of(fact)
    return [
        _part_of(built, month)
        for month in _months_of(connection, built)
        if not _is_there(connection, _part_of(fact, month))
    ]


def indexes_of(part: str, layout: Layout) -> list[str]:
    """The statements that make the indexes of a part before the fact takes it over."""
    return [f"CREATE INDEX ON {part} ({_listed(each)})" for each in _indexes(layout)]


def _insert(connection: psycopg.Connection[Any], fact: str, built: str, month: dt.date) -> None:
    """Add a month's rows to those that the fact has of it."""
    columns = _listed([name for name, _ in _columns(connection, built)])
    connection.execute(
        f"INSERT INTO {fact} ({columns}) SELECT {columns} FROM {_part_of(built, month)}"
    )


def _take_over(connection: psycopg.Connection[Any], fact: str, built: str, month: dt.date) -> None:
    """Let the table of a month that is new be a part of the fact.

    Its keys are checked at once over all rows when it is attached, and its indexes are there. That
    does not lock out readers, as a partition that is made in its place would.
    """
    part = _part_of(fact, month)
    connection.execute(f"ALTER TABLE {built} DETACH PARTITION {_part_of(built, month)}")
    connection.execute(f"ALTER TABLE {_part_of(built, month)} SET SCHEMA {part.partition('.')[0]}")
    known = dict(_columns(connection, part))
    changes = [
        f"ADD COLUMN {quoted(name)} {kind}"
        for name, kind in _columns(connection, fact)
        if name not in known
    ]
    changes += [f"ALTER COLUMN {quoted(c)} SET NOT NULL" for c in _required(connection, fact)]
    connection.execute(f"ALTER TABLE {part} {', '.join(changes)}")
    connection.execute(
        f"ALTER TABLE {fact} ATTACH PARTITION {part} "
        f"FOR VALUES FROM ('{month}') TO ('{_following(month)}')"
    )


def entries_sql(fact: str, entry_ids: Iterable[str]) -> str:
    """SQL for the rows of some entries."""
    listed = ", ".join(f"'{entry_id}'" for entry_id in sorted(set(entry_ids))) or "''"
    return f"SELECT * FROM {fact} WHERE _entry_id IN ({listed})"


def _delete_replaced(connection: psycopg.Connection[Any], fact: str) -> None:
    """Delete the rows of entries that were built again; their days bound the partitions."""
    sql = "SELECT min(book_date), max(book_date) FROM ops.build_day"
    ((first, last),) = connection.execute(sql).fetchall()
    if first is not None:
        connection.execute(
            f"""DELETE FROM {fact} WHERE _entry_id IN (SELECT gold_entry_id FROM ops.build_day)
                AND _book_date BETWEEN '{first}' AND '{last}'"""
        )


def _make(connection: psycopg.Connection[Any], fact: str, built: str, layout: Layout) -> None:
    """The fact with all columns of what was built, and what its layout asks for."""
    there = dict(_columns(connection, fact))
    if not there:
        for statement in _made(fact, built, layout):
            connection.execute(statement)
    for column, kind in _columns(connection, built) if there else ():
        if column not in there:
            connection.execute(f"ALTER TABLE {fact} ADD COLUMN {quoted(column)} {kind}")
    for columns in _indexes(layout):
        name = quoted("_".join((_name_of(fact), *columns, "idx")))
        connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {fact} ({_listed(columns)})")
    for column, members in layout.members.items():
        _refer(connection, fact, column, members)


def _made(fact: str, built: str, layout: Layout) -> Iterator[str]:
    name = _name_of(fact)
    yield f"CREATE TABLE {fact} (LIKE {built}) PARTITION BY RANGE (_book_date)"
    for column in ("_record_id", "_record_key", "_book_date", "_entry_id", *layout.members):
        yield f"ALTER TABLE {fact} ALTER COLUMN {column} SET NOT NULL"
    yield f"ALTER TABLE {fact} ENABLE ROW LEVEL SECURITY"
    yield f"""CREATE POLICY published ON {fact} FOR SELECT TO {READER} USING (EXISTS (
        SELECT 1 FROM ops.publication AS publication
        WHERE publication.entry_id = {name}._entry_id
            AND publication.book_date = {name}._book_date))"""
    yield f"GRANT SELECT ON {fact} TO {READER}"


def _refer(connection: psycopg.Connection[Any], fact: str, column: str, members: str) -> None:
    """A foreign key to the members of a dimension, unless it is there."""
    name = f"{column}_is_a_member"
    sql = "SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"
    if connection.execute(sql, [fact, name]).fetchone():
        return
    connection.execute(f"CREATE TABLE IF NOT EXISTS {members} ({column} bigint PRIMARY KEY)")
    connection.execute(f"INSERT INTO {members} VALUES ({_UNKNOWN_MEMBER}) ON CONFLICT DO NOTHING")
    comment = f"Every {column} that a row of {fact} has had, published or not."
    connection.execute(f"COMMENT ON TABLE {members} IS '{comment}'")
    _add_members(connection, members, column, fact)
    connection.execute(
        f"ALTER TABLE {fact} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {members}"
    )


def _add_members(connection: psycopg.Connection[Any], members: str, column: str, rows: str) -> None:
    connection.execute(
        f"INSERT INTO {members} SELECT DISTINCT {column} FROM {rows} ON CONFLICT DO NOTHING"
    )


def _required(connection: psycopg.Connection[Any], relation: str) -> list[str]:
    """The columns of a table that are never null."""
    sql = """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)
        AND attnum > 0 AND NOT attisdropped AND attnotnull ORDER BY attnum"""
    return [name for (name,) in connection.execute(sql, [relation])]


def _months_of(connection: psycopg.Connection[Any], built: str) -> list[dt.date]:
    """The months of which a build made rows; it made a partition for each of its days' months."""
    sql = (
        "SELECT DISTINCT CAST(date_trunc('month', book_date) AS date) FROM ops.build_day ORDER BY 1"
    )
    months = [month for (month,) in connection.execute(sql).fetchall()]
    has_rows = "SELECT 1 FROM {} LIMIT 1"
    return [m for m in months if connection.execute(has_rows.format(_part_of(built, m))).fetchone()]


def _part_of(relation: str, month: dt.date) -> str:
    """The partition of a month, of a fact or of what was built of it (`entries` calls it so)."""
    return f"{relation.removesuffix(_BUILT)}_{month:%Y_%m}"


def _indexes(layout: Layout) -> Sequence[Sequence[str]]:
    return (*_SPINE_INDEXES, *layout.indexes)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(quoted, columns))


def _following(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)


def _name_of(fact: str) -> str:
    return fact.partition(".")[2]


def _is_there(connection: psycopg.Connection[Any], relation: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", [relation]).fetchone() != (None,)


def _columns(connection: psycopg.Connection[Any], relation: str) -> Sequence[tuple[str, str]]:
    """Names and SQL types of a table's columns; none where it is not there."""
    return connection.execute(
        """SELECT attname, format_type(atttypid, atttypmod)
            || CASE WHEN collname <> 'default' THEN ' COLLATE "' || collname || '"' ELSE '' END
        FROM pg_attribute LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
        [relation],
    ).fetchall()
