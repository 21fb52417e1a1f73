"""What readers of the embedded engine open: one small DuckDB file of views over Parquet files.

`published.duckdb` is never written in place. A publication makes a copy of it, changes the copy and
renames it over the file: who has it open keeps the publication that he opened, and who opens it
next sees the new one, whole. Parquet files are written once, under a name of their own; those that
no publication of the last week names are deleted.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
from filelock import FileLock

from clearhouse.core.columnar import DIALECT, read_parquet_sql
from clearhouse.core.durable import sync
from clearhouse.core.errors import StoreError, first_line
from clearhouse.core.paths import file_state
from clearhouse.engines import entry_files, written_once
from clearhouse.engines.dbt_messages import Description
from clearhouse.engines.engine import Engine, Partition, Served

_SET_UP = """
    CREATE SCHEMA IF NOT EXISTS gold;
    CREATE SCHEMA IF NOT EXISTS marts;
    CREATE SCHEMA IF NOT EXISTS ops;
    CREATE TABLE IF NOT EXISTS ops.publication (
        dataset VARCHAR, book_date DATE, entry_id VARCHAR);
    CREATE TABLE IF NOT EXISTS ops.served (domain VARCHAR PRIMARY KEY, publication BIGINT);
    ALTER TABLE ops.served ADD COLUMN IF NOT EXISTS mark VARCHAR;
    CREATE TABLE IF NOT EXISTS ops.served_file (
        domain VARCHAR, relation VARCHAR, part VARCHAR, path VARCHAR);
"""
_SERVED_FILES = pa.schema([(name, pa.string()) for name in ("domain", "relation", "part", "path")])
_UTC = "SET GLOBAL TimeZone = 'UTC'"
"""And not the machine's."""
_TABLES = """
    SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' ORDER BY name
"""
_Opening = Callable[[Path], AbstractContextManager[duckdb.DuckDBPyConnection]]
_ATTACHED = itertools.count(1)
_VIEWS = "SELECT schema_name || '.' || view_name AS name, sql FROM duckdb_views()"


class ReadersFile:
    """The file that readers open.

    Args:
        path: the file.
        folder: where the Parquet files of served tables are.
        gold: folder of the gold facts.
        storage: the version of DuckDB's file format.
    """

    def __init__(self, path: Path, folder: Path, gold: Path, *, storage: str) -> None:
        self.path = path
        self._folder = folder
        self._gold = gold
        self._storage = storage

    def query_of(
        self, relation: str, sql: str, parameters: Sequence[object] = ()
    ) -> pa.Table | None:
        """The answer of a query of `schema.name`; None where that is not there."""
        with self._opened(_attached) as connection:
            if connection is None:
                return None
            return if_there(
                lambda: connection.sql(sql, params=list(parameters)).to_arrow_table(),
                lambda: has(connection, relation),
            )

    def state(self) -> Hashable:
        """What changes whenever what readers see does."""
        found = []
        tables = (p for folder in (self._folder, self._gold) for p in folder.rglob("*.parquet"))
        for path in (self.path, *tables):
            with suppress(FileNotFoundError):  # another domain's run may take its own away now
                found.append(file_state(path))
        return tuple(found)

    def served(self, domain: str) -> tuple[int, str | None]:
        """The number of the publication of a domain that readers see, and the mark that `serve` was
        given with it: "" by an earlier version, which had none; 0 and None where they see none.
        """
        answer = self.query_of("ops.served", "SELECT * FROM ops.served WHERE domain = $1", [domain])
        rows = answer.to_pylist() if answer is not None else []
        return (int(rows[0]["publication"]), rows[0].get("mark") or "") if rows else (0, None)

    def differing_views(
        self, warehouse: Engine, facts: Sequence[str], views: Sequence[str]
    ) -> list[str]:
        """What readers open that is not what was built: facts, served tables, views on them."""
        with self._opened(_connected) as connection:
            if connection is None:
                return []

            def ask(sql: str, parameters: Sequence[object] = ()) -> pa.Table:
                return connection.sql(sql, params=list(parameters)).to_arrow_table()

            made = _views_of_files(connection, warehouse, self._gold, facts)
            built, shown = (
                {row["name"]: row["sql"] for row in answer.to_pylist()}
                for answer in (warehouse.query(_VIEWS), ask(_VIEWS))
            )
            others = [v for v, sql in made.items() if not entry_files.is_view_of(ask, v, sql)]
            tables = warehouse.query(_TABLES)["name"].to_pylist()
            others += [name for name in tables if name in shown.keys() - made.keys()]
            return others + [view for view in views if built.get(view) != shown.get(view)]

    def serve(self, warehouse: Engine, served: Served, mark: str) -> None:
        """Show readers a publication; the file carries the mark from then on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock")):
            written = self._write_parts(warehouse, served)
            fresh = self.path.with_suffix(f".{os.getpid()}.new")
            self._prepare(fresh)
            with duckdb.connect(str(fresh)) as connection:
                connection.begin()
                _point(connection, warehouse, served, mark)
                named_before = _files(connection)
                _register(connection, served, written)
                _show(connection, warehouse, self._gold, served)
                _describe(connection, served.descriptions)
                connection.commit()
                kept = _files(connection)
            sync(fresh)
            written_once.retire(named_before - kept)
            fresh.replace(self.path)
            sync(self.path.parent)
            written_once.delete_retired(self._folder, kept)
            for fact in served.facts:
                entry_files.delete_retired(warehouse, self._gold, fact)

    @contextmanager
    def _opened(self, opening: _Opening) -> Iterator[duckdb.DuckDBPyConnection | None]:
        if not self.path.exists():
            yield None
            return
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(opening(self.path))
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    raise self._unusable(error) from error
                # A reader opened it to write, as DuckDB's shell does by default: he locks others
                # out of the file, and not out of a copy.
                copy = Path(stack.enter_context(TemporaryDirectory())) / self.path.name
                shutil.copyfile(self.path, copy)
                connection = stack.enter_context(opening(copy))
            try:
                yield connection
            except duckdb.IOException as error:
                if str(self.path) in str(error):
                    raise self._unusable(error) from error
                raise

    def _unusable(self, error: duckdb.IOException) -> StoreError:
        reason = first_line(error)
        return StoreError(
            f"{self.path} can't be opened ({reason}): `clearhouse rebuild` makes it again.",
            "readers_failed",
        )

    def _prepare(self, fresh: Path) -> None:
        """A copy of the file as it is, or an empty one."""
        for left in self.path.parent.glob(f"{self.path.stem}.*.new*"):
            left.unlink()
        if self.path.exists():
            shutil.copyfile(self.path, fresh)
        config = {} if fresh.exists() else {"storage_compatibility_version": self._storage}
        with duckdb.connect(str(fresh), config=config) as connection:
            connection.execute(_SET_UP)

    def _write_parts(
        self, warehouse: Engine, served: Served
    ) -> list[tuple[Partition, Path | None]]:
        """Write the changed parts of served tables; None for a part that has no rows any more.

        The same publication can be served more than once, while somebody reads its files.
        """
        name = written_once.new_name(f"{served.domain}-{served.number}")
        whole = [each for each in served.changed if each.day is None]
        found: list[tuple[Partition, Path | None]] = [
            (part, self._write_whole(warehouse, served, part, name)) for part in whole
        ]
        by_table: dict[tuple[str, str], list[Partition]] = {}
        for part in served.changed:
            if part.day is not None:
                by_table.setdefault((part.relation, part.column), []).append(part)
        for (relation, column), parts in by_table.items():
            found += self._write_days(warehouse, name, relation, column, parts)
        return found

    def _write_whole(self, warehouse: Engine, served: Served, part: Partition, name: str) -> Path:
        path = self._folder / part.relation / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        where = "false" if part.column else served.where.get(part.relation, "true")
        rows = warehouse.query(f"SELECT * FROM {part.relation} WHERE {where}")
        _write(rows, path)
        return path

    def _write_days(
        self,
        warehouse: Engine,
        name: str,
        relation: str,
        column: str,
        parts: Sequence[Partition],
    ) -> list[tuple[Partition, Path | None]]:
        """One file a day, by one query over the table."""
        staging = self._folder / relation / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        listed = ", ".join(warehouse.dialect.date(part.day) for part in parts if part.day)
        warehouse.execute(
            f"""COPY (SELECT *, CAST({column} AS DATE) AS part FROM {relation}
                    WHERE CAST({column} AS DATE) IN ({listed}))
                TO {warehouse.dialect.text(str(staging))} (
                    FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1,
                    PARTITION_BY (part), OVERWRITE_OR_IGNORE true)"""
        )
        found: list[tuple[Partition, Path | None]] = []
        for part in parts:
            staged = sorted((staging / f"part={part.day}").glob("*.parquet"))
            found += [(part, None)] if not staged else []
            for file in staged:
                place = self._folder / relation / str(part.day) / f"{name}-{file.name}"
                place.parent.mkdir(exist_ok=True)
                file.replace(place)
                sync(place)
                found.append((part, place))
        shutil.rmtree(staging)
        return found


def _write(rows: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(rows, path, compression="zstd", compression_level=1)
    sync(path)


def _point(
    connection: duckdb.DuckDBPyConnection, warehouse: Engine, served: Served, mark: str
) -> None:
    """The pointers of the domain's datasets, and the number and mark of the publication."""
    prefix = f"{served.domain}."
    pointers = warehouse.query(
        "SELECT dataset, book_date, entry_id FROM ops.publication WHERE starts_with(dataset, $1)",
        [prefix],
    )
    connection.execute("DELETE FROM ops.publication WHERE starts_with(dataset, ?)", [prefix])
    connection.register("pointers", pointers)
    connection.execute("INSERT INTO ops.publication SELECT * FROM pointers")
    connection.unregister("pointers")
    connection.execute(
        "INSERT OR REPLACE INTO ops.served (domain, publication, mark) VALUES (?, ?, ?)",
        [served.domain, served.number, mark],
    )


def _register(
    connection: duckdb.DuckDBPyConnection,
    served: Served,
    written: Iterable[tuple[Partition, Path | None]],
) -> None:
    if served.whole:
        connection.execute("DELETE FROM ops.served_file WHERE domain = ?", [served.domain])
    rows = [
        {
            "domain": served.domain,
            "relation": part.relation,
            "part": "" if part.day is None else str(part.day),
            "path": None if path is None else str(path),
        }
        for part, path in written
    ]
    connection.register("written", pa.Table.from_pylist(rows, _SERVED_FILES))
    connection.execute(
        """DELETE FROM ops.served_file WHERE domain = ?
            AND (relation, part) IN (SELECT (relation, part) FROM written)""",
        [served.domain],
    )
    connection.execute("INSERT INTO ops.served_file FROM written WHERE path IS NOT NULL")
    connection.unregister("written")


def _show(
    connection: duckdb.DuckDBPyConnection, warehouse: Engine, gold: Path, served: Served
) -> None:
    """Views: the facts' published entries, the served tables, and what is built on them."""
    for relation, sql in _views_of_files(connection, warehouse, gold, served.facts).items():
        connection.execute(f"CREATE OR REPLACE VIEW {relation} AS {sql}")
    for view in served.views:
        (definition,) = entry_files.view_sql(warehouse, view)
        connection.execute(definition.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))


def _describe(
    connection: duckdb.DuckDBPyConnection, descriptions: Mapping[str, Description]
) -> None:
    """Comments on what readers find. A view that was replaced has lost its own."""
    relations = connection.execute(
        "SELECT table_schema || '.' || table_name, table_type FROM information_schema.tables"
    ).fetchall()
    for relation, kind in relations:
        if relation in descriptions:
            text = DIALECT.text(descriptions[relation].text)
            connection.execute(
                f"COMMENT ON {'VIEW' if kind == 'VIEW' else 'TABLE'} {relation} IS {text}"
            )
    columns = connection.execute(
        "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()"
    ).fetchall()
    for relation, column in columns:
        if relation in descriptions and column in descriptions[relation].columns:
            text = DIALECT.text(descriptions[relation].columns[column])
            connection.execute(f'COMMENT ON COLUMN {relation}."{column}" IS {text}')


def _views_of_files(
    connection: duckdb.DuckDBPyConnection, warehouse: Engine, gold: Path, facts: Iterable[str]
) -> dict[str, str]:
    """The queries that facts, over their published entries, and served tables are views of."""
    pointers = connection.execute("SELECT entry_id FROM ops.publication").fetchall()
    published = [entry_id for (entry_id,) in pointers]
    found = {fact: entry_files.entries_sql(warehouse, gold, fact, published) for fact in facts}
    tables = connection.execute(
        "SELECT relation, list(path ORDER BY path) FROM ops.served_file GROUP BY relation"
    ).fetchall()
    return found | {relation: read_parquet_sql(files) for relation, files in tables}


def _files(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT path FROM ops.served_file").fetchall()}


@contextmanager
def _connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file alone, so that a list of what is there holds nothing else."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute(_UTC)
        yield connection


@contextmanager
def _attached(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file in the process's own instance: making one takes nine times as long."""
    name = f"readers_{next(_ATTACHED)}"
    with _instance().cursor() as connection:
        connection.execute(f"ATTACH {DIALECT.text(str(path))} AS {name} (READ_ONLY)")
        try:
            connection.execute(f"USE {name}")
            yield connection
        finally:
            connection.execute("USE memory")
            connection.execute(f"DETACH {name}")


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    instance = duckdb.connect()
    instance.execute(_UTC)
    return instance


def if_there(ask: Callable[[], pa.Table], is_there: Callable[[], bool]) -> pa.Table | None:
    """The answer of a query of a relation; None where that is not there, asked if it fails."""
    try:
        return ask()
    except duckdb.CatalogException:
        if is_there():
            raise
        return None


def has(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Whether a database has `schema.name`."""
    schema, _, name = relation.partition(".")
    found = connection.execute(
        """SELECT 1 FROM information_schema.tables
            WHERE table_catalog = current_database() AND table_schema = $1 AND table_name = $2""",
        [schema, name],
    )
    return bool(found.fetchall())
