"""Gold facts: rows of every entry, in one table partitioned by the month of `_book_date`.

What a build makes stands in a table beside the fact until its tests have passed; its tests read
that one (dbt/macros/ref.sql). Then its rows take the place of their entries' rows, in one
transaction. Months bound what a day's queries, its replacement and an index have to do with, and
an old month can be detached whole.

The pipeline sees all entries. Row security shows readers the published ones alone.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from clearhouse.engines.postgres.arrow import quoted
from clearhouse.engines.postgres.readers import READER

_INDEXED = ("_entry_id", "_record_key", "_record_id")


def built_of(fact: str) -> str:
    """The table of what a build made of a fact, as the materialization `entries` calls it."""
    return f"next.{fact.partition('.')[2]}_built"


def keep(connection: psycopg.Connection[Any], fact: str) -> None:
    """Put what was built in place of its entries' rows. The caller holds a transaction."""
    built = built_of(fact)
    _make(connection, fact, built)
    days = connection.execute(f"SELECT DISTINCT _book_date FROM {built}").fetchall()
    for month in sorted({day.replace(day=1) for (day,) in days}):
        _make_partition(connection, fact, month)
    columns = ", ".join(quoted(name) for name, _ in _columns(connection, built))
    connection.execute(
        f"""DELETE FROM {fact} WHERE _entry_id IN (SELECT gold_entry_id FROM ops.build_day)
            AND _book_date IN (SELECT book_date FROM ops.build_day)"""
    )
    connection.execute(f"INSERT INTO {fact} ({columns}) SELECT {columns} FROM {built}")
    connection.execute(f"DROP TABLE {built}")


def entries_sql(fact: str, entry_ids: Iterable[str]) -> str:
    """SQL for the rows of some entries."""
    listed = ", ".join(f"'{entry_id}'" for entry_id in sorted(set(entry_ids))) or "''"
    return f"SELECT * FROM {fact} WHERE _entry_id IN ({listed})"


def _make(connection: psycopg.Connection[Any], fact: str, built: str) -> None:
    """The fact with all columns of what was built."""
    there = dict(_columns(connection, fact))
    if not there:
        name = fact.partition(".")[2]
        for statement in _made(fact, name, built):
            connection.execute(statement)
        return
    for column, kind in _columns(connection, built):
        if column not in there:
            connection.execute(f"ALTER TABLE {fact} ADD COLUMN {quoted(column)} {kind}")


def _made(fact: str, name: str, built: str) -> Iterator[str]:
    yield f"CREATE TABLE {fact} (LIKE {built}) PARTITION BY RANGE (_book_date)"
    for column in _INDEXED:
        yield f"CREATE INDEX {name}{column} ON {fact} ({column})"
    yield f"ALTER TABLE {fact} ENABLE ROW LEVEL SECURITY"
    yield f"""CREATE POLICY published ON {fact} FOR SELECT TO {READER} USING (EXISTS (
        SELECT 1 FROM ops.publication AS publication
        WHERE publication.entry_id = {name}._entry_id
            AND publication.book_date = {name}._book_date))"""
    yield f"GRANT SELECT ON {fact} TO {READER}"


def _make_partition(connection: psycopg.Connection[Any], fact: str, month: dt.date) -> None:
    """A month's partition. One that is attached does not lock out readers as a new one would."""
    partition = f"{fact}_{month:%Y_%m}"
    if connection.execute("SELECT to_regclass(%s)", [partition]).fetchone() != (None,):
        return
    following = (month + dt.timedelta(days=31)).replace(day=1)
    connection.execute(f"CREATE TABLE {partition} (LIKE {fact} INCLUDING ALL)")
    connection.execute(
        f"ALTER TABLE {fact} ATTACH PARTITION {partition} "
        f"FOR VALUES FROM ('{month}') TO ('{following}')"
    )


def _columns(connection: psycopg.Connection[Any], relation: str) -> Sequence[tuple[str, str]]:
    """Names and SQL types of a table's columns; none where it is not there."""
    return connection.execute(
        """SELECT attname, format_type(atttypid, atttypmod)
            || CASE WHEN collname <> 'default' THEN ' COLLATE "' || collname || '"' ELSE '' END
        FROM pg_attribute LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
        [relation],
    ).fetchall()
