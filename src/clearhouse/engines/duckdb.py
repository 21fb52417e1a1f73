"""The embedded SQL engine: one DuckDB file that only runs open, and what readers open beside it.

`warehouse/<domain>.duckdb` is a run's own: DuckDB lets one process at a time write a file, and a
reader in another process would stop it. Gold facts are Parquet files (`entry_files`), and readers
are given a small file of views over the published ones (`readers`).
"""

import datetime as dt
import time
import uuid
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from clearhouse.core.columnar import Dialect, DuckDBDialect, read_parquet_sql
from clearhouse.core.errors import StoreError, first_line
from clearhouse.core.paths import near
from clearhouse.engines import entry_files
from clearhouse.engines.dbt_messages import DbtTarget
from clearhouse.engines.engine import Anew, Insert, Layout, Served
from clearhouse.engines.readers import ReadersFile, has, if_there

STORAGE = "v1.5.0"
"""The file format: that of the newest DuckDB command line there is, so that people can read it."""

_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.1
_SCHEMAS = ("bronze", "silver", "gold", "marts", "next", "ops")
_SERVED_AS = """CREATE TABLE IF NOT EXISTS ops.served_as (domain VARCHAR, mark VARCHAR)"""
"""By which readers' file is known again; two of a domain while another one is made."""
_TYPES = {
    "string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "bool": "BOOLEAN",
    "double": "DOUBLE", "timestamp[us]": "TIMESTAMP", "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
    "date32[day]": "DATE",
}  # fmt: skip


class DuckDBEngine:
    """A DuckDB file as the engine for silver, gold and marts.

    Args:
        path: the file.
        gold: folder of the gold facts.
        readers: the file that readers open; the Parquet files of its tables lie in the folder
            `published` beside it.
        set_up: statements that are run when the file is opened. It is opened by the first call
            that needs it.
        reads_only: nothing is written, not even what sets it up.
    """

    serves_copies = True

    def __init__(
        self,
        path: Path,
        gold: Path,
        readers: Path,
        set_up: Sequence[str] = (),
        *,
        reads_only: bool = False,
    ) -> None:
        self.path = path.absolute()
        self.gold = gold.absolute()
        self.dialect: Dialect = DuckDBDialect()
        readers = readers.absolute()
        self.readers = ReadersFile(
            readers, readers.with_name("published"), self.gold, storage=STORAGE
        )
        self._connection: duckdb.DuckDBPyConnection | None = None
        schemas = (f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in _SCHEMAS)
        self._set_up: Sequence[str] | None = (*schemas, entry_files.REGISTRY, _SERVED_AS, *set_up)
        self._reads_only = reads_only
        self._is_anew = False

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer of a query."""
        cursor = self._cursor()
        try:
            return cursor.sql(sql, params=list(parameters)).to_arrow_table()
        except duckdb.IOException as error:
            if str(self.path) in str(error):
                raise self._unusable(error) from error
            raise

    def query_of(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The answer of a query of `schema.name`; None where that is not there."""
        return if_there(lambda: self.query(sql, parameters), lambda: self.has(relation))

    def query_readers(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The same of what readers are shown."""
        return self.readers.query_of(relation, sql, parameters)

    def state(self, relation: str) -> Hashable | None:
        """Of a gold fact, the files that it is a view of; tables don't tell."""
        return entry_files.state(self, relation)

    def readers_state(self) -> Hashable | None:
        """The files that readers open, and those that they may be views of."""
        return self.readers.state()

    def execute(self, *changes: str | Insert) -> None:
        """Statements and inserts in one transaction."""
        connection = self._cursor()
        connection.begin()
        try:
            for change in changes:
                if isinstance(change, Insert):
                    connection.register("incoming", change.rows)
                    connection.execute(f"INSERT INTO {change.relation} SELECT * FROM incoming")
                    connection.unregister("incoming")
                else:
                    connection.execute(change)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def has(self, relation: str) -> bool:
        """Whether `schema.name` is there."""
        return has(self._cursor(), relation)

    def columns(self, relation: str) -> Sequence[str]:
        """The columns of `schema.name` in order; none where it is not there."""
        schema, _, name = relation.partition(".")
        sql = """SELECT column_name FROM information_schema.columns
            WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position"""
        return list(self.query(sql, [schema, name])["column_name"].to_pylist())

    def expose_bronze(self, relation: str, files: Sequence[str], schema: pa.Schema) -> None:
        """Let `schema.name` be the rows of some Parquet files."""
        rows = read_parquet_sql(files) if files else _no_rows(schema)
        self.execute(f"CREATE OR REPLACE VIEW {relation} AS {rows}")

    def discard_unfinished(self, fact: str) -> None:
        """Forget what a build that was cut short left of a gold fact."""
        entry_files.discard_unfinished(self, self.gold, fact)

    def expose_entries(self, relation: str, fact: str, entry_ids: Sequence[str]) -> None:
        """Let `schema.name` be the rows of some entries of a gold fact."""
        rows = entry_files.entries_sql(self, self.gold, fact, entry_ids)
        self.execute(f"CREATE OR REPLACE VIEW {relation} AS {rows}")

    def keep_built(self, fact: str, layout: Layout) -> None:
        """Make what a build wrote of a gold fact part of it, durably: files have no layout."""
        entry_files.keep_built(self, self.gold, fact)

    def drop_entries(self, fact: str, entry_ids: Mapping[dt.date, Sequence[str]]) -> None:
        """Delete the rows of some entries of a gold fact, by day; no reader is shown them."""
        gone = [entry_id for of_day in entry_ids.values() for entry_id in of_day]
        entry_files.drop(self, self.gold, fact, gone)

    def rewrite_entry(self, fact: str, entry_id: str, sql: str) -> None:
        """Replace the rows of an entry of a gold fact by a query over them, called `rows`."""
        entry_files.rewrite(self, fact, entry_id, sql)

    def begin_anew(self, anew: Anew) -> None:
        """Let derived tables be built anew, in their places: readers have copies.

        What is a table now may have been a view to models before these.
        """
        sql = "SELECT schema_name || '.' || view_name AS name FROM duckdb_views()"
        views = {*self.query(sql)["name"].to_pylist()}
        self.execute(
            *(
                f"DROP {'VIEW' if table.relation in views else 'TABLE'} IF EXISTS {table.relation}"
                for table in anew.tables
            )
        )
        self._is_anew = True

    def placed_anew(self, anew: Anew) -> Sequence[str]:
        """Nothing: what was built anew is in its place."""
        self._is_anew = False
        return ()

    def table_of(self, served: str) -> str:
        """The table itself."""
        return served

    def refreshed(self, summary: str) -> Sequence[str]:
        """Nothing: readers are given copies of what changed."""
        return ()

    def serve(self, served: Served) -> None:
        """Show readers a publication, all of it at once."""
        domain, mark = self.dialect.text(served.domain), uuid.uuid4().hex
        # Before, so that a file that was put in its place before a crash is known.
        self.execute(f"INSERT INTO ops.served_as VALUES ({domain}, '{mark}')")
        self.readers.serve(self, served, mark)
        self.execute(f"DELETE FROM ops.served_as WHERE domain = {domain} AND mark <> '{mark}'")

    def is_as_served(self, domain: str) -> bool:
        """Whether what readers open is the file that was last made for them, and no copy of an
        earlier one.
        """
        sql = "SELECT mark FROM ops.served_as WHERE domain = $1"
        answer = self.query_of("ops.served_as", sql, [domain])
        marks = answer["mark"].to_pylist() if answer is not None else []
        return self.readers.served(domain)[1] in (marks or [""])

    def differing_views(self, facts: Sequence[str], views: Sequence[str]) -> list[str]:
        """Facts, and what is served to readers, that are not what was built."""
        own = [fact for fact in facts if not entry_files.is_as_registered(self, self.gold, fact)]
        return own + self.readers.differing_views(self, facts, views)

    def served_number(self, domain: str) -> int:
        """The number of the publication that readers see; 0 where they see none."""
        return self.readers.served(domain)[0]

    def dbt_target(self) -> DbtTarget:
        """How dbt reaches the file."""
        variables = {
            "CLEARHOUSE_ANEW": "1" if self._is_anew else "",
            "CLEARHOUSE_WAREHOUSE": str(self.path),
            "CLEARHOUSE_GOLD": str(self.gold),
        }
        return DbtTarget("duckdb", variables, self.path.stem)

    def shell(self, duckdb: str) -> str:
        """DuckDB's command line over the file that readers open."""
        return f"{duckdb} -readonly '{near(str(self.readers.path))}' -list -c"

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of the calling thread's own over the one opened file."""
        if self._connection is None and self._reads_only:
            self._connection = self._open()
        elif self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
            if self._set_up is not None:
                set_up, self._set_up = self._set_up, None
                self.execute(*set_up)
        return self._connection.cursor()

    def _open(self) -> duckdb.DuckDBPyConnection:
        """The file, waited for while another process has it for a moment.

        Raises:
            StoreError: another process keeps it open.
        """
        give_up_at = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                if (
                    not self.path.exists() and not self._reads_only
                ):  # made, and opened again like one that is there
                    new = {"storage_compatibility_version": STORAGE}
                    duckdb.connect(str(self.path), config=new).close()
                connection = duckdb.connect(str(self.path), read_only=self._reads_only)
            except duckdb.IOException as error:
                if "lock" not in str(error) or time.monotonic() > give_up_at:
                    raise self._unusable(error) from error
                time.sleep(_POLL_SECONDS)
            else:
                connection.execute("SET enable_progress_bar = false")
                connection.execute("SET GLOBAL TimeZone = 'UTC'")  # and not the machine's
                return connection

    def _unusable(self, error: duckdb.IOException) -> StoreError:
        if "lock" in str(error):
            return StoreError(
                f"{self.path} is open in another process, and only runs should open it: close it "
                f"there and run this again. What readers open is {self.readers.path}.",
                "engine_busy",
            )
        reason = first_line(error)
        return StoreError(
            f"{self.path} can't be opened ({reason}): `clearhouse rebuild` makes it again from "
            "landing.",
            "engine_failed",
        )


def _no_rows(schema: pa.Schema) -> str:
    columns = ", ".join(f'NULL::{_sql_type(f.type)} AS "{f.name}"' for f in schema)
    return f"SELECT {columns} WHERE false"


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _TYPES[str(kind)]
