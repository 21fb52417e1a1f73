"""Gold facts of the embedded engine: a Parquet file for each entry, and a register of them.

dbt writes what a run builds to a staging folder and lets the fact be a view of it, so that its
tests see what was built. When they have passed, staged files are moved to their places and
registered, and the fact is a view of all that is registered again. A file that is not registered
does not count: a build that was cut short leaves the fact as it was.

A file is written once, under a name of its own: readers may be reading the one before. It lies at
`_book_date=…/_entry_id=…/`, so that a query of a day does not open those of others. What the
folders say counts, and not what the file's own columns of these names do.
"""

import shutil
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clearhouse.books.model import digest
from clearhouse.core.columnar import read_parquet_sql
from clearhouse.core.durable import sync
from clearhouse.core.paths import file_state
from clearhouse.engines import written_once
from clearhouse.engines.engine import Engine, Insert

REGISTRY = """CREATE TABLE IF NOT EXISTS ops.entry_file (
    relation VARCHAR, entry_id VARCHAR, path VARCHAR, columns VARCHAR)"""
_COLUMNS = pa.schema([(name, pa.string()) for name in ("relation", "entry_id", "path", "columns")])
_PARTITIONS = {"_book_date": "DATE", "_entry_id": "VARCHAR"}
_STAGING = "staging"
_EMPTY = "empty.parquet"
_NO_ENTRY = ""
"""Under this id stands a file with no rows, but the columns: the fact while it has no entries."""


@dataclass(frozen=True)
class EntryFile:
    """A registered file; `columns` is a digest of their names and types."""

    path: str
    columns: str


def files_of(engine: Engine, fact: str) -> dict[str, list[EntryFile]]:
    """The registered files of a fact by entry id."""
    found: dict[str, list[EntryFile]] = {}
    sql = """SELECT entry_id, coalesce(path, '') AS path, columns FROM ops.entry_file
        WHERE relation = $1 ORDER BY path"""
    for row in engine.query(sql, [fact]).to_pylist():
        found.setdefault(row["entry_id"], []).append(EntryFile(row["path"], row["columns"]))
    return found


def entries_sql(
    engine: Engine, gold: Path, fact: str, entry_ids: Iterable[str] | None = None
) -> str:
    """SQL for the rows of some entries, or of all; of none of them, the columns."""
    registered = files_of(engine, fact)
    empty = registered.pop(_NO_ENTRY, [])
    wanted = registered if entry_ids is None else sorted(set(entry_ids) & set(registered))
    files = [file for entry_id in wanted for file in registered[entry_id]]
    if not files:
        return read_parquet_sql([file.path for file in empty], alike=True)
    return read_parquet_sql(
        sorted(file.path for file in files),
        alike=len({file.columns for file in files}) == 1,
        # A folder above with such a name would be taken for a column.
        partitions=None if "=" in str(gold) else _PARTITIONS,
    )


def discard_unfinished(engine: Engine, gold: Path, fact: str) -> None:
    """Let the fact be what is registered, and delete what is staged."""
    (gold / fact).mkdir(parents=True, exist_ok=True)
    staging = gold / fact / _STAGING
    if staging.exists():
        engine.execute(*_view(engine, gold, fact))
        shutil.rmtree(staging)


def keep_built(engine: Engine, gold: Path, fact: str) -> None:
    """Move staged files to their places and register them; an entry's earlier files give way."""
    folder = gold / fact
    built = _moved(folder)
    before = files_of(engine, fact)
    entry_ids = {_NO_ENTRY} if _NO_ENTRY in built else set()
    entry_ids |= set(
        engine.query("SELECT gold_entry_id FROM ops.build_day")["gold_entry_id"].to_pylist()
    )
    rows = [
        {"relation": fact, "entry_id": entry_id, "path": file.path, "columns": file.columns}
        for entry_id, files in built.items()
        for file in files
    ]
    engine.execute(
        _given_way(engine, fact, before, entry_ids),
        Insert("ops.entry_file", pa.Table.from_pylist(rows, _COLUMNS)),
    )
    engine.execute(*_view(engine, gold, fact))
    shutil.rmtree(folder / _STAGING, ignore_errors=True)


def drop(engine: Engine, gold: Path, fact: str, entry_ids: Sequence[str]) -> None:
    """Let some entries be no part of the fact; who has their files open may go on."""
    files = files_of(engine, fact)
    left = entries_sql(engine, gold, fact, files.keys() - set(entry_ids))
    engine.execute(
        _given_way(engine, fact, files, entry_ids),
        f"CREATE OR REPLACE VIEW {fact} AS {left}",
    )


def _given_way(
    engine: Engine,
    fact: str,
    files: Mapping[str, Sequence[EntryFile]],
    entry_ids: Collection[str],
) -> str:
    """Retire the files of some entries; the statement that takes them out of the register."""
    written_once.retire(file.path for entry in entry_ids for file in files.get(entry, []))
    listed = ", ".join(map(engine.dialect.text, sorted(entry_ids)))
    return f"DELETE FROM ops.entry_file WHERE relation = '{fact}' AND entry_id IN ({listed})"


def state(engine: Engine, fact: str) -> Hashable | None:
    """What a fact is a view of, and the state of each registered file; None: it is no such view."""
    view = view_sql(engine, fact)
    files = [file.path for some in files_of(engine, fact).values() for file in some]
    return (*view, *map(file_state, files)) if view and files else None


def view_sql(engine: Engine, view: str) -> list[str]:
    """The statement that makes a view `schema.name`; none where there is no such view."""
    schema, _, name = view.partition(".")
    sql = "SELECT sql FROM duckdb_views() WHERE schema_name = $1 AND view_name = $2"
    return list(engine.query(sql, [schema, name])["sql"].to_pylist())


def is_as_registered(engine: Engine, gold: Path, fact: str) -> bool:
    """Whether a fact is the view of its registered files; true while a build is unfinished."""
    if (gold / fact / _STAGING).exists() or not files_of(engine, fact):
        return True
    return is_view_of(engine.query, fact, entries_sql(engine, gold, fact))


def is_view_of(ask: Callable[[str, Sequence[object]], pa.Table], view: str, sql: str) -> bool:
    """Whether `schema.name` is a view of this query; none of its files is opened."""
    schema, _, name = view.partition(".")
    written = "json_deserialize_sql(json_serialize_sql($1::VARCHAR))"
    answer = ask(
        f"""SELECT sql = 'CREATE VIEW {view} AS ' || {written} || ';' AS is_it
            FROM duckdb_views() WHERE schema_name = $2 AND view_name = $3""",
        [sql, schema, name],
    )
    return bool(answer["is_it"].to_pylist() == [True])


def delete_retired(engine: Engine, gold: Path, fact: str) -> None:
    """Delete the files that gave way long ago, once readers are shown what is registered."""
    named = {file.path for files in files_of(engine, fact).values() for file in files}
    written_once.delete_retired(gold / fact, named)


def _moved(folder: Path) -> dict[str, list[EntryFile]]:
    """The staged files in their places, durably, by entry id."""
    staging = folder / _STAGING
    empty = staging / _EMPTY
    columns = digest(str(pq.read_schema(empty))) if empty.exists() else ""
    found: dict[str, list[EntryFile]] = {}
    days: set[Path] = set()

    def move(staged: Path, entry_id: str, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(place)
        sync(place)
        sync(place.parent)
        found.setdefault(entry_id, []).append(EntryFile(str(place), columns))

    for staged in sorted(staging.glob("_book_date=*/_entry_id=*/*.parquet")):
        entry_id = staged.parent.name.removeprefix("_entry_id=")
        place = folder / staged.parent.relative_to(staging)
        days.add(place.parent)
        move(staged, entry_id, place / f"{written_once.new_name(staged.stem)}.parquet")
    if empty.exists():
        move(empty, _NO_ENTRY, folder / f"{written_once.new_name('empty')}.parquet")
    for changed in (*days, folder):  # folders may be new in them
        sync(changed)
    return found


def rewrite(engine: Engine, fact: str, entry_id: str, sql: str) -> None:
    """Replace the rows of an entry by a query over them, called `rows`."""
    (first, *others) = [file.path for file in files_of(engine, fact)[entry_id]]
    written = Path(first).with_suffix(".new")
    engine.execute(
        f"""COPY (WITH rows AS ({read_parquet_sql([first, *others])}) {sql})
            TO {engine.dialect.text(str(written))} (FORMAT parquet)"""
    )
    written.replace(first)
    for path in others:
        Path(path).unlink()


def _view(engine: Engine, gold: Path, fact: str) -> list[str]:
    """The statement that makes the fact a view over its registered files."""
    if not files_of(engine, fact):
        return [f"DROP VIEW IF EXISTS {fact}"]
    return [f"CREATE OR REPLACE VIEW {fact} AS {entries_sql(engine, gold, fact)}"]
