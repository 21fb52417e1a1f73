"""PostgreSQL as the SQL engine: one database for runs and readers, and for all domains.

Its transactions do what files and renames do on the embedded engine: a publication is one, and
readers see it or the one before. So nothing is copied for them.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.conninfo import conninfo_to_dict

from clearhouse.books.model import digest
from clearhouse.core.columnar import Dialect
from clearhouse.core.urls import SecretUrl
from clearhouse.engines.dbt_messages import DbtTarget, Description
from clearhouse.engines.engine import Anew, Insert, Layout, Served
from clearhouse.engines.postgres import facts, readers
from clearhouse.engines.postgres.arrow import fetched, insert, quoted, sql_type
from clearhouse.engines.postgres.connection import (
    Database,
    options_of,
    run_at_once,
    see_that_locks_are_held,
    with_parameters,
)
from clearhouse.engines.postgres.dialect import PostgresDialect

_SCHEMAS = ("bronze", "silver", "gold", "marts", "next", "ops", readers.FRESH)
_SET_UP = "CREATE TABLE IF NOT EXISTS ops.set_up (version text)"
_LOCKED_TO_SET_UP = "SELECT pg_advisory_xact_lock(hashtextextended('clearhouse set up', 0))"
_FILE = "_file_number"
_PORT = 5432
_ENCRYPTION = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_ROWS_AT_ONCE = 50_000
# With PostgreSQL's own 100, statistics of a month take longer than its rows.
_OF_A_MONTH = 30
_OF_STAGING = 10


class PostgresEngine:
    """A PostgreSQL database as the engine for silver, gold and marts.

    Args:
        url: the database.
        variable: the setting that names it.
        set_up: statements that are run when it is opened for the first time.
        reads_only: nothing is written, not even what sets it up.
    """

    serves_copies = False

    def __init__(
        self,
        url: SecretUrl,
        variable: str,
        set_up: Sequence[str] = (),
        *,
        reads_only: bool = False,
    ) -> None:
        self.dialect: Dialect = PostgresDialect()
        self._url = url
        self._variable = variable
        schemas = (f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in _SCHEMAS)
        self._statements = (*schemas, _SET_UP, readers.VIEWS, readers.DESCRIBE, *set_up)
        self._database = Database(url, None if reads_only else self._set_up)
        self._is_anew = False

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        self._database.close()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer of a query."""
        with self._database.session() as connection:
            return fetched(connection, with_parameters(connection, sql, parameters))

    def query_of(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The answer of a query of `schema.name`; None where that is not there."""
        return self.query(sql, parameters) if self.has(relation) else None

    def state(self, relation: str) -> None:
        """Nothing tells."""

    def readers_state(self) -> None:
        """Nothing tells."""

    def query_readers(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The same, asked as a reader: what he may not see is not there."""
        if not self.has(relation):
            return None
        may_see = f"SELECT has_table_privilege('{readers.READER}', %s, 'SELECT')"
        with self._database.session() as connection, connection.transaction():
            if connection.execute(may_see, [relation]).fetchone() != (True,):
                return None
            connection.execute(f"SET LOCAL ROLE {readers.READER}")
            return fetched(connection, with_parameters(connection, sql, parameters))

    def execute(self, *changes: str | Insert) -> None:
        """Statements and inserts in one transaction."""
        with (
            self._database.session() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            for change in changes:
                if isinstance(change, Insert):
                    insert(cursor, change.relation, [change.rows])
                else:
                    cursor.execute(change)

    def has(self, relation: str) -> bool:
        """Whether `schema.name` is there."""
        with self._database.session() as connection:
            found = connection.execute("SELECT to_regclass(%s)", [relation]).fetchone()
            return found != (None,)

    def columns(self, relation: str) -> Sequence[str]:
        """The columns of `schema.name` in order; none where it is not there."""
        sql = """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)
            AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
        with self._database.session() as connection:
            return [name for (name,) in connection.execute(sql, [relation])]

    def expose_bronze(self, relation: str, files: Sequence[str], schema: pa.Schema) -> None:
        """Let `schema.name` be the rows of some Parquet files, which are loaded.

        What is loaded stays until other files are asked for: a build that fails is tried again
        with some of its days. It is made from files, and so needs no log.
        """
        loaded = f"{relation}_loaded"
        numbered = {_number(file): file for file in files}
        listed = ", ".join(map(str, numbered)) or "NULL"
        with self._database.session() as connection:
            with connection.transaction():
                if self.columns(loaded) != [*schema.names, _FILE]:
                    connection.execute(f"DROP TABLE IF EXISTS {loaded} CASCADE")
                    columns = ", ".join(f"{quoted(f.name)} {sql_type(f.type)}" for f in schema)
                    connection.execute(
                        f"CREATE UNLOGGED TABLE {loaded} ({columns}, {_FILE} bigint)"
                    )
                there = connection.execute(f"SELECT DISTINCT {_FILE} FROM {loaded}")
                missing = sorted({*numbered} - {number for (number,) in there})
                if missing:
                    kept = f"{_FILE} IN ({listed})"
                    connection.execute(f"DELETE FROM {loaded} WHERE {kept} IS NOT TRUE")
            if missing:
                # A file is there whole or not at all.
                loads = [partial(_load, loaded, numbered[each], schema) for each in missing]
                run_at_once(self._url, loads)
                _count(connection, loaded, _OF_STAGING)
        columns = ", ".join(map(quoted, schema.names))
        self.execute(
            f"DROP VIEW IF EXISTS {relation} CASCADE",
            f"CREATE VIEW {relation} AS SELECT {columns} FROM {loaded} WHERE {_FILE} IN ({listed})",
        )

    def discard_unfinished(self, fact: str) -> None:
        """Forget what a build that was cut short left of a gold fact."""
        self.execute(f"DROP TABLE IF EXISTS {facts.built_of(fact)}")

    def expose_entries(self, relation: str, fact: str, entry_ids: Sequence[str]) -> None:
        """Let `schema.name` be the rows of some entries of a gold fact.

        What a build that failed left goes: tests would read it in place of the fact.
        """
        self.discard_unfinished(fact)
        self.execute(
            f"DROP VIEW IF EXISTS {relation} CASCADE",
            f"CREATE VIEW {relation} AS {facts.entries_sql(fact, entry_ids)}",
        )

    def keep_built(self, fact: str, layout: Layout) -> None:
        """Make what a build wrote of a gold fact part of it, durably."""
        with self._database.session() as connection:
            new = facts.new_parts(connection, fact)
            run_at_once(self._url, [partial(_made_ready, part, layout) for part in new])
            known = {part.partition(".")[2] for part in new}
            with connection.transaction():
                filled = facts.keep(connection, fact, layout)
            for part in filled:  # of the fact as a whole it would read all months
                if part.partition(".")[2] not in known:
                    _count(connection, part, _OF_A_MONTH)

    def drop_entries(self, fact: str, entry_ids: Mapping[dt.date, Sequence[str]]) -> None:
        """Delete the rows of some entries of a gold fact, by day; no reader is shown them."""
        self.execute(
            *(
                f"DELETE FROM {fact} WHERE _book_date = '{day}' "
                f"AND _entry_id IN ({_listed(self.dialect, of_day)})"
                for day, of_day in entry_ids.items()
            )
        )

    def rewrite_entry(self, fact: str, entry_id: str, sql: str) -> None:
        """Replace the rows of an entry of a gold fact by a query over them, called `rows`."""
        is_it = f"_entry_id = {self.dialect.text(entry_id)}"
        self.execute(
            f"""CREATE TEMPORARY TABLE rewritten ON COMMIT DROP AS
                WITH rows AS (SELECT * FROM {fact} WHERE {is_it}) {sql}""",
            f"DELETE FROM {fact} WHERE {is_it}",
            f"INSERT INTO {fact} SELECT * FROM rewritten",
        )

    def begin_anew(self, anew: Anew) -> None:
        """Let derived tables, and views over them, be built beside those that readers see."""
        tables = [readers.fresh_of(table.relation) for table in anew.tables]
        self.execute(
            *(f"DROP VIEW IF EXISTS {readers.fresh_of(view)} CASCADE" for view in anew.views),
            *(f"DROP TABLE IF EXISTS {table} CASCADE" for table in tables),
        )
        self._is_anew = True

    def placed_anew(self, anew: Anew) -> Sequence[str]:
        """The statements that put what was built anew in place of what readers see."""
        self._is_anew = False
        with self._database.session() as connection:
            indexes = readers.indexes_of(connection, anew)
            run_at_once(self._url, [partial(_execute, sql) for sql in indexes])
            return list(readers.placed(connection, anew))

    def table_of(self, served: str) -> str:
        """The table in the schema `gold`: in `marts` readers are shown a view of it."""
        return readers.table_of(served)

    def refreshed(self, summary: str) -> Sequence[str]:
        """The refresh of a materialized view, which no reader waits for."""
        return [f"REFRESH MATERIALIZED VIEW CONCURRENTLY {summary}"]

    def serve(self, served: Served) -> None:
        """Note which publication readers see: they see what the engine's tables hold."""
        self.execute(
            *(self._described(*each) for each in served.descriptions.items()),
            f"""UPDATE ops.applied SET publication = {served.number}
                WHERE domain = {self.dialect.text(served.domain)}""",
        )

    def is_as_served(self, domain: str) -> bool:
        """Yes: they read the engine's own tables."""
        del domain
        return True

    def differing_views(self, facts: Sequence[str], views: Sequence[str]) -> list[str]:
        """Facts, and what is served to readers, that are not what was built."""
        with self._database.session() as connection:
            return readers.differing(connection, facts, views)

    def served_number(self, domain: str) -> int:
        """The number of the publication that readers see; 0 where they see none."""
        sql = "SELECT publication FROM ops.applied WHERE domain = $1"
        answer = self.query_of("ops.applied", sql, [domain])
        return int(answer["publication"][0].as_py()) if answer is not None and len(answer) else 0

    def dbt_target(self) -> DbtTarget:
        """How dbt reaches the database. Its driver takes the session's settings from PGOPTIONS.

        Raises:
            ServerError: this run has lost the right to change it (lock_lost).
        """
        see_that_locks_are_held(self._url)
        parts = conninfo_to_dict(self._url.for_client())
        database = str(parts.get("dbname") or "")
        variables = {
            "CLEARHOUSE_PG_HOST": str(parts.get("host") or ""),
            "CLEARHOUSE_PG_PORT": str(parts.get("port") or _PORT),
            "CLEARHOUSE_PG_DATABASE": database,
            # dbt keeps what is called so out of its logs and of what it writes.
            "DBT_ENV_SECRET_PG_USER": str(parts.get("user") or ""),
            "DBT_ENV_SECRET_PG_PASSWORD": str(parts.get("password") or ""),
            "CLEARHOUSE_ANEW": "1" if self._is_anew else "",
            "CLEARHOUSE_FRESH": readers.FRESH if self._is_anew else "",
            "PGOPTIONS": options_of(parts),
            **{f"PG{name.upper()}": str(parts[name]) for name in _ENCRYPTION if name in parts},
        }
        return DbtTarget("postgres", variables, database)

    def shell(self, duckdb: str) -> str:
        """PostgreSQL's command line; the address is where it was taken from, and not shown."""
        return f'psql "${self._variable}" -X --no-align --pset=footer=off -c'

    def _described(self, relation: str, description: Description) -> str:
        """The statement that writes comments, where they are not as they should be."""
        columns = json.dumps(dict(description.columns), ensure_ascii=False)
        texts = map(self.dialect.text, (relation, description.text, columns))
        return f"SELECT ops.describe({', '.join(texts)})"

    def _set_up(self, connection: psycopg.Connection[Any]) -> None:
        """Schemas, functions and tables, once for each version of them."""
        version = digest(*self._statements)
        found = connection.execute("SELECT to_regclass('ops.set_up')").fetchone()
        if found != (None,):
            known = connection.execute("SELECT version FROM ops.set_up").fetchall()
            if (version,) in known:
                return
        with connection.transaction():
            connection.execute(_LOCKED_TO_SET_UP)
            for statement in self._statements:
                connection.execute(statement)
            readers.set_up_role(connection)
            connection.execute("DELETE FROM ops.set_up")
            connection.execute("INSERT INTO ops.set_up VALUES (%s)", [version])


def _load(table: str, path: str, schema: pa.Schema, connection: psycopg.Connection[Any]) -> None:
    """Add the rows of a Parquet file to a table; a column that the file lacks is null."""
    file = pq.ParquetFile(path)
    there = [name for name in schema.names if name in file.schema_arrow.names]
    kinds = pa.schema(schema.field(name) for name in there)

    def batches() -> Iterator[pa.Table]:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=there):
            rows = pa.Table.from_batches([batch]).select(there).cast(kinds)
            yield rows.append_column(_FILE, pa.repeat(_number(path), len(rows)))

    insert(connection.cursor(), table, batches(), [*there, _FILE])


def _number(path: str) -> int:
    """A file's number in a staging table, in place of its path in each row."""
    return int(digest(path)[:15], 16)


def _execute(statement: str, connection: psycopg.Connection[Any]) -> None:
    connection.execute(statement)


def _made_ready(part: str, layout: Layout, connection: psycopg.Connection[Any]) -> None:
    """Make all of a new part that a fact needs of it, where nobody waits for it."""
    for statement in facts.indexes_of(part, layout):
        connection.execute(statement)
    _count(connection, part, _OF_A_MONTH)


def _count(connection: psycopg.Connection[Any], table: str, target: int) -> None:
    """Let the planner know a table, by 300 rows for each that its statistics list of a column."""
    connection.execute(f"SET default_statistics_target = {target}")
    connection.execute(f"ANALYZE {table}")
    connection.execute("RESET default_statistics_target")


def _listed(dialect: Dialect, texts: Sequence[str]) -> str:
    return ", ".join(map(dialect.text, texts)) or "''"
