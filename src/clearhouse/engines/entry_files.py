"""Gold facts of the embedded engine: a Parquet file for each entry, and a register of them.

dbt writes what a run builds to a staging folder and lets the fact be a view over the registered
files and the staged ones, so that its tests see both. When they have passed, staged files are moved
to their places and registered in one transaction with the view. A file that is not registered does
not count: a build that was cut short leaves the fact as it was.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from clearhouse.core.durable import sync
from clearhouse.engines.engine import Insert

if TYPE_CHECKING:
    from clearhouse.engines.duckdb import DuckDBEngine

REGISTRY = """CREATE TABLE IF NOT EXISTS ops.entry_file (
    relation VARCHAR, entry_id VARCHAR, path VARCHAR)"""
_COLUMNS = pa.schema([("relation", pa.string()), ("entry_id", pa.string()), ("path", pa.string())])
_STAGING = "staging"
_EMPTY = "empty.parquet"
"""No rows, but the columns: what the fact is while it has no entries."""


def paths(engine: "DuckDBEngine", fact: str) -> dict[str, list[str]]:
    """The registered files of a fact by entry id."""
    found: dict[str, list[str]] = {}
    sql = "SELECT entry_id, path FROM ops.entry_file WHERE relation = $1 ORDER BY path"
    for row in engine.query(sql, [fact]).to_pylist():
        found.setdefault(row["entry_id"], []).append(row["path"])
    return found


def discard_unfinished(engine: "DuckDBEngine", gold: Path, fact: str) -> None:
    """Let the fact be what is registered, and delete what is staged."""
    (gold / fact).mkdir(parents=True, exist_ok=True)
    staging = gold / fact / _STAGING
    if staging.exists():
        engine.execute(*_view(engine, gold, fact))
        shutil.rmtree(staging)


def keep_built(engine: "DuckDBEngine", gold: Path, fact: str) -> None:
    """Move staged files to their places and register them; an entry's earlier files give way."""
    folder = gold / fact
    rows = []
    for staged in sorted((folder / _STAGING).glob("_book_date=*/_entry_id=*/*.parquet")):
        entry_id = staged.parent.name.removeprefix("_entry_id=")
        day = staged.parent.parent.name.removeprefix("_book_date=")
        place = folder / f"day={day}" / f"{entry_id}-{staged.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(place)
        sync(place)
        sync(place.parent)
        rows.append({"relation": fact, "entry_id": entry_id, "path": str(place)})
    empty = folder / _STAGING / _EMPTY
    if empty.exists():
        empty.replace(folder / _EMPTY)
    sync(folder)
    registered = pa.Table.from_pylist(rows, _COLUMNS)
    engine.execute(
        f"""DELETE FROM ops.entry_file WHERE relation = '{fact}'
            AND entry_id IN (SELECT gold_entry_id FROM ops.build_day)""",
        Insert("ops.entry_file", registered),
    )
    engine.execute(*_view(engine, gold, fact))
    shutil.rmtree(folder / _STAGING, ignore_errors=True)


def rewrite(engine: "DuckDBEngine", fact: str, entry_id: str, sql: str) -> None:
    """Replace the rows of an entry by a query over them, called `rows`."""
    (first, *others) = paths(engine, fact)[entry_id]
    written = Path(first).with_suffix(".new")
    listed = ", ".join(f"'{path}'" for path in (first, *others))
    engine.execute(
        f"""COPY (WITH rows AS (SELECT * FROM read_parquet([{listed}])) {sql})
            TO '{written}' (FORMAT parquet)"""
    )
    written.replace(first)
    for path in others:
        Path(path).unlink()


def _view(engine: "DuckDBEngine", gold: Path, fact: str) -> list[str]:
    """The statement that makes the fact a view over its registered files."""
    files = [path for found in paths(engine, fact).values() for path in found]
    empty = gold / fact / _EMPTY
    if not files and not empty.exists():
        return [f"DROP VIEW IF EXISTS {fact}"]
    return [f"CREATE OR REPLACE VIEW {fact} AS {facts_sql(files, empty)}"]


def facts_sql(files: list[str], empty: Path) -> str:
    """SQL for the rows of entry files; of none of them, the columns."""
    from clearhouse.engines.duckdb import parquet_sql

    return parquet_sql(files or [str(empty)])


def empty_file(gold: Path, fact: str) -> Path:
    """The file with the columns of a fact and no rows."""
    return gold / fact / _EMPTY
