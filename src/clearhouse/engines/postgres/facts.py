"""Gold facts: rows of every entry, in one table partitioned by the month of `_book_date`.

What a build makes stands in a table beside the fact until its tests have passed; its tests read
that one (dbt/macros/ref.sql). Then a month that is new becomes part of the fact as it
is, and other rows take the place of their entries' rows, in one transaction. Months bound what a day's queries, its replacement and an index have to do with, and
an old month can be detached whole.

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


def built_of(fact: str) -> str:
    """The table of what a build made of a fact, as the materialization `entries` calls it."""
    return f"next.{_name_of(fact)}_built"


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
    days = connection.execute(f"SELECT DISTINCT _book_date FROM {built}").fetchall()
    months = sorted({day.replace(day=1) for (day,) in days})
    for month in months:
        if _is_there(connection, _month_of(fact, month)):
            _insert(connection, fact, built, month)
        else:
            _take_over(connection, fact, built, month)
    connection.execute(f"DROP TABLE {built}")
    return [_month_of(fact, month) for month in months]


def _insert(connection: psycopg.Connection[Any], fact: str, built: str, month: dt.date) -> None:
    """Add a month's rows to those that the fact has of it."""
    columns = ", ".join(quoted(name) for name, _ in _columns(connection, built))
    connection.execute(
        f"INSERT INTO {fact} ({columns}) SELECT {columns} FROM {_month_of(built, month)}"
    )


def _take_over(connection: psycopg.Connection[Any], fact: str, built: str, month: dt.date) -> None:
    """Let the table of a month that is new be a part of the fact.

    Indexes are built, and keys checked, at once over all rows when it is attached. That does not
    lock out readers, as a partition that is made in its place would.
    """
    partition, of_built = _month_of(fact, month), _month_of(built, month)
    schema, _, name = partition.partition(".")
    connection.execute(f"ALTER TABLE {built} DETACH PARTITION {of_built}")
    connection.execute(f"ALTER TABLE {of_built} SET SCHEMA {schema}")
    connection.execute(f"ALTER TABLE {schema}.{_name_of(of_built)} RENAME TO {name}")
    as_the_fact = [
        f"ADD COLUMN {quoted(column)} {kind}"
        for column, kind in _columns(connection, fact)
        if column not in dict(_columns(connection, partition))
    ]
    not_null = [f"ALTER COLUMN {quoted(name)} SET NOT NULL" for name in _required(connection, fact)]
    connection.execute(f"ALTER TABLE {partition} {', '.join([*as_the_fact, *not_null])}")
    connection.execute(
        f"ALTER TABLE {fact} ATTACH PARTITION {partition} "
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
    for columns in (*_SPINE_INDEXES, *layout.indexes):
        name = "_".join((_name_of(fact), *columns, "idx"))
        listed = ", ".join(map(quoted, columns))
        connection.execute(f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {fact} ({listed})")
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


def _month_of(relation: str, month: dt.date) -> str:
    """The partition of a month; the materialization `entries` calls it so too."""
    return f"{relation}_{month:%Y_%m}"


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
