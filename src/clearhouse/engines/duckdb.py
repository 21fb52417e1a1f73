"""The embedded SQL engine: one DuckDB file, opened for as short a time as possible.

One process owns the file at a time (a second one is refused by DuckDB), and dbt opens it with
settings of its own; so nothing here holds a connection between two calls.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from clearhouse.books.measure import SPINE_SCHEMA, filled, totals_by_day, totals_sql
from clearhouse.books.model import Totals
from clearhouse.core.errors import StoreError

_STORAGE = "v1.5.0"
"""The file format: that of the newest DuckDB command line there is, so that people can read it."""

_SET_UP = """
    CREATE SCHEMA IF NOT EXISTS bronze;
    CREATE SCHEMA IF NOT EXISTS ops;
    CREATE SCHEMA IF NOT EXISTS marts;
    CREATE TABLE IF NOT EXISTS ops.build_day (
        domain VARCHAR, book_date DATE, silver_entry_id VARCHAR, gold_entry_id VARCHAR);
    CREATE TABLE IF NOT EXISTS ops.candidate (
        domain VARCHAR, book_date DATE, entry_id VARCHAR, PRIMARY KEY (domain, book_date));
    CREATE TABLE IF NOT EXISTS ops.publication (
        domain VARCHAR, dataset VARCHAR, book_date DATE, entry_id VARCHAR,
        PRIMARY KEY (domain, dataset, book_date));
    CREATE TABLE IF NOT EXISTS ops.derived (domain VARCHAR PRIMARY KEY, built_from VARCHAR);
"""


class DuckDBEngine:
    """A DuckDB file as the engine for silver, gold and marts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            duckdb.connect(str(path), config={"storage_compatibility_version": _STORAGE}).close()
        with self.connection() as connection:
            connection.execute(_SET_UP)

    @contextmanager
    def connection(self, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection, for the time of the block.

        Raises:
            StoreError: another process has the file open.
        """
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only)
        except duckdb.IOException as error:
            raise StoreError(
                f"{self.path} is in use by another process: close it there and run this again. "
                f"({error})",
                "engine_busy",
            ) from error
        try:
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer of a query."""
        with self.connection() as connection:
            return connection.sql(sql, params=list(parameters)).to_arrow_table()

    def query_of(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The answer of a query of `schema.name`; None where that is not there."""
        with self.connection() as connection:  # one for both: opening the file takes 20 ms
            if not _has(connection, relation):
                return None
            return connection.sql(sql, params=list(parameters)).to_arrow_table()

    def execute(self, *statements: str) -> None:
        """Statements in one transaction."""
        with self.connection() as connection:
            connection.begin()
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def has(self, relation: str) -> bool:
        """Whether `schema.name` is there."""
        with self.connection() as connection:
            return _has(connection, relation)

    def put(self, relation: str, rows: pa.Table) -> None:
        """Replace a table by rows."""
        with self.connection() as connection:
            connection.register("incoming", rows)
            connection.execute(f"CREATE OR REPLACE TABLE {relation} AS SELECT * FROM incoming")

    def pointers(self, domain: str, dataset: str) -> dict[dt.date, str]:
        """The entry that readers see of each day."""
        rows = self.query(
            "SELECT book_date, entry_id FROM ops.publication WHERE domain = $1 AND dataset = $2",
            [domain, dataset],
        ).to_pylist()
        return {row["book_date"]: row["entry_id"] for row in rows}

    def publish(self, domain: str, dataset: str, entries: Mapping[dt.date, str]) -> None:
        """Flip the pointers of days to entries, all of them at once or none."""
        rows = [(domain, dataset, day, entry_id) for day, entry_id in sorted(entries.items())]
        if not rows:
            return
        with self.connection() as connection:
            connection.begin()
            connection.executemany(
                "INSERT OR REPLACE INTO ops.publication VALUES (?, ?, ?, ?)", rows
            )
            connection.commit()

    def set_candidates(self, domain: str, entries: Mapping[dt.date, str]) -> None:
        """Say which gold entry of each day is the latest built: the one the gate judges."""
        rows = [(domain, day, entry_id) for day, entry_id in sorted(entries.items())]
        if not rows:
            return
        with self.connection() as connection:
            connection.begin()
            connection.executemany("INSERT OR REPLACE INTO ops.candidate VALUES (?, ?, ?)", rows)
            connection.commit()

    def set_build_days(self, domain: str, days: Mapping[dt.date, tuple[str, str]]) -> None:
        """Say which days the next build makes, with their silver and gold entry ids."""
        with self.connection() as connection:
            connection.begin()
            connection.execute("DELETE FROM ops.build_day WHERE domain = ?", [domain])
            rows = [(domain, day, *entries) for day, entries in sorted(days.items())]
            if rows:
                connection.executemany("INSERT INTO ops.build_day VALUES (?, ?, ?, ?)", rows)
            connection.commit()

    def marks(self, relation: str, days: Sequence[dt.date]) -> dict[dt.date, list[str]]:
        """The entry ids that a table's own rows carry for each day."""
        if not days:
            return {}
        rows = self.query_of(
            relation,
            f"SELECT DISTINCT _book_date, _entry_id FROM {relation} "
            f"WHERE _book_date BETWEEN $1 AND $2",
            [min(days), max(days)],
        )
        found: dict[dt.date, list[str]] = {}
        for row in rows.to_pylist() if rows else ():
            found.setdefault(row["_book_date"], []).append(row["_entry_id"])
        return found

    def derived_from(self, domain: str) -> str | None:
        """What the tables derived from published rows were last built from."""
        rows = self.query("SELECT built_from FROM ops.derived WHERE domain = $1", [domain])
        return rows["built_from"][0].as_py() if len(rows) else None

    def set_derived_from(self, domain: str, built_from: str) -> None:
        """Say what the derived tables are built from."""
        with self.connection() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO ops.derived VALUES (?, ?)", [domain, built_from]
            )


@dataclass(frozen=True, slots=True)
class EngineSpine:
    """Rows of the engine as the books see them.

    Attributes:
        relation: `schema.name`; nothing is found where it is not there yet.
        sql: a query over it that gives the columns of `SPINE_SCHEMA`.
    """

    engine: DuckDBEngine
    relation: str
    sql: str

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        answer = self.engine.query_of(self.relation, totals_sql(self._of(days))) if days else None
        return filled(totals_by_day(answer) if answer else {}, days)

    def rows(self, days: Sequence[dt.date]) -> pa.Table:
        """The rows, as `SPINE_SCHEMA`."""
        answer = self.engine.query_of(self.relation, self._of(days)) if days else None
        return answer.cast(SPINE_SCHEMA) if answer else SPINE_SCHEMA.empty_table()

    def _of(self, days: Sequence[dt.date]) -> str:
        listed = ", ".join(f"DATE '{day}'" for day in days)
        return f"SELECT * FROM ({self.sql}) WHERE _book_date IN ({listed})"


def _has(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    schema, _, name = relation.partition(".")
    found = connection.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2",
        [schema, name],
    )
    return bool(found.fetchall())
