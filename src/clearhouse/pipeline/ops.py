"""The small tables by which the pipeline and the models talk: what to build, what to publish."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from clearhouse.core.columnar import dates
from clearhouse.engines.engine import Engine, Insert

TABLES = (
    """CREATE TABLE IF NOT EXISTS ops.build_day (
        dataset VARCHAR(80), book_date DATE, silver_entry_id VARCHAR(64),
        gold_entry_id VARCHAR(64))""",
    """CREATE TABLE IF NOT EXISTS ops.candidate (
        dataset VARCHAR(80), book_date DATE, entry_id VARCHAR(64),
        PRIMARY KEY (dataset, book_date))""",
    """CREATE TABLE IF NOT EXISTS ops.publication (
        dataset VARCHAR(80), book_date DATE, entry_id VARCHAR(64),
        PRIMARY KEY (dataset, book_date))""",
    """CREATE TABLE IF NOT EXISTS ops.pending (
        dataset VARCHAR(80), book_date DATE, entry_id VARCHAR(64),
        PRIMARY KEY (dataset, book_date))""",
    """CREATE TABLE IF NOT EXISTS ops.applied (
        domain VARCHAR(40) PRIMARY KEY, publication BIGINT, versions VARCHAR(64))""",
    """CREATE TABLE IF NOT EXISTS ops.collected (
        domain VARCHAR(40) PRIMARY KEY, until VARCHAR(40))""",
    """CREATE TABLE IF NOT EXISTS ops.to_serve (
        domain VARCHAR(40), relation VARCHAR(120), part_column VARCHAR(200), part DATE)""",
    """CREATE TABLE IF NOT EXISTS ops.touched_day (dataset VARCHAR(80), book_date DATE)""",
)
_POINTERS = pa.schema(
    [("dataset", pa.string()), ("book_date", pa.date32()), ("entry_id", pa.string())]
)
_BUILD_DAYS = pa.schema(
    [
        ("dataset", pa.string()),
        ("book_date", pa.date32()),
        ("silver_entry_id", pa.string()),
        ("gold_entry_id", pa.string()),
    ]
)
_TOUCHED = pa.schema([("dataset", pa.string()), ("book_date", pa.date32())])
_TO_SERVE = pa.schema(
    [
        ("domain", pa.string()),
        ("relation", pa.string()),
        ("part_column", pa.string()),
        ("part", pa.date32()),
    ]
)


def set_build_days(engine: Engine, dataset: str, days: Mapping[dt.date, tuple[str, str]]) -> None:
    """Say which days of a dataset the next build makes, with their silver and gold entry ids."""
    rows = [
        {"dataset": dataset, "book_date": d, "silver_entry_id": s, "gold_entry_id": g}
        for d, (s, g) in sorted(days.items())
    ]
    engine.execute(
        f"""DELETE FROM ops.build_day
            WHERE split_part(dataset, '.', 1) = '{dataset.partition(".")[0]}'""",
        Insert("ops.build_day", pa.Table.from_pylist(rows, _BUILD_DAYS)),
    )


def set_candidates(engine: Engine, dataset: str, entries: Mapping[dt.date, str]) -> None:
    """Say which gold entry of each day was built last: the one that the gate judges."""
    if entries:
        engine.execute(
            f"""DELETE FROM ops.candidate WHERE dataset = '{dataset}'
                AND book_date IN ({dates(engine.dialect, entries)})""",
            Insert("ops.candidate", _pointers(dataset, entries)),
        )


def unpublished_days(engine: Engine, dataset: str) -> list[dt.date]:
    """Days whose candidate is not what is published: it waits, or it is held."""
    answer = engine.query(
        """SELECT c.book_date FROM ops.candidate c
            LEFT JOIN ops.publication p ON p.dataset = c.dataset AND p.entry_id = c.entry_id
            WHERE c.dataset = $1 AND p.entry_id IS NULL ORDER BY c.book_date""",
        [dataset],
    )
    return list(answer["book_date"].to_pylist())


def set_pending(engine: Engine, changes: Mapping[str, Mapping[dt.date, str | None]]) -> None:
    """Say which pointers the publication being made changes, by dataset."""
    engine.execute(
        no_longer_pending(changes),
        *(Insert("ops.pending", _pointers(d, changed)) for d, changed in changes.items()),
    )


def no_longer_pending(datasets: Iterable[str]) -> str:
    """The statement by which no publication of some datasets is being made."""
    listed = ", ".join(f"'{dataset}'" for dataset in datasets)
    return f"DELETE FROM ops.pending WHERE dataset IN ({listed})"


def entries_in(engine: Engine, relation: str, days: Sequence[dt.date]) -> dict[dt.date, list[str]]:
    """The entry ids that a table's own rows carry for each day."""
    if not days:
        return {}
    rows = engine.query_of(
        relation,
        f"SELECT DISTINCT _book_date, _entry_id FROM {relation} "
        f"WHERE _book_date IN ({dates(engine.dialect, days)})",
    )
    found: dict[dt.date, list[str]] = {}
    for row in rows.to_pylist() if rows else ():
        found.setdefault(row["_book_date"], []).append(row["_entry_id"])
    return found


def applied_pointers(engine: Engine, dataset: str) -> dict[dt.date, str]:
    """The pointers that the engine's tables are made from."""
    rows = engine.query(
        "SELECT book_date, entry_id FROM ops.publication WHERE dataset = $1", [dataset]
    ).to_pylist()
    return {row["book_date"]: row["entry_id"] for row in rows}


def applied_number(engine: Engine, domain: str) -> int:
    """The number of the publication that the engine's tables hold; 0 where they hold none."""
    sql = "SELECT publication FROM ops.applied WHERE domain = $1"
    answer = engine.query_of("ops.applied", sql, [domain])
    return int(answer["publication"][0].as_py()) if answer is not None and len(answer) else 0


def collected_until(engine: Engine, domain: str) -> dt.datetime | None:
    """Up to when it was looked at what readers can't be shown again; None: never."""
    sql = "SELECT until FROM ops.collected WHERE domain = $1"
    found = engine.query(sql, [domain])["until"].to_pylist()
    return dt.datetime.fromisoformat(found[0]) if found else None


def set_collected(engine: Engine, domain: str, until: dt.datetime) -> None:
    """Note up to when that was done."""
    engine.execute(
        f"DELETE FROM ops.collected WHERE domain = '{domain}'",
        f"INSERT INTO ops.collected VALUES ('{domain}', '{until.isoformat()}')",
    )


def to_be_made_anew(engine: Engine, domain: str) -> None:
    """Let the next publication make all that derives from published rows anew."""
    engine.execute(f"UPDATE ops.applied SET versions = '' WHERE domain = '{domain}'")


def _pointers(dataset: str, entries: Mapping[dt.date, str | None]) -> pa.Table:
    rows = [
        {"dataset": dataset, "book_date": day, "entry_id": entry_id}
        for day, entry_id in sorted(entries.items())
    ]
    return pa.Table.from_pylist(rows, _POINTERS)


def to_serve(domain: str, parts: Sequence[tuple[str, str, dt.date | None]]) -> Insert:
    """The insert by which parts of tables are served again: relation, SQL of the part, the part."""
    rows = [
        {"domain": domain, "relation": relation, "part_column": column, "part": day}
        for relation, column, day in parts
    ]
    return Insert("ops.to_serve", pa.Table.from_pylist(rows, _TO_SERVE))


def touched(dataset: str, days: Iterable[dt.date]) -> Insert:
    """The insert by which days are noted of which readers see other rows from a flip on."""
    rows = [{"dataset": dataset, "book_date": day} for day in sorted(days)]
    return Insert("ops.touched_day", pa.Table.from_pylist(rows, _TOUCHED))


def touched_days(engine: Engine, dataset: str) -> list[dt.date]:
    """The noted days, also those of a publication that was cut short after its flip."""
    sql = "SELECT DISTINCT book_date FROM ops.touched_day WHERE dataset = $1 ORDER BY book_date"
    return list(engine.query(sql, [dataset])["book_date"].to_pylist())


def forget_touched(engine: Engine, dataset: str) -> None:
    """What readers see of the noted days is entered in the books."""
    engine.execute(f"DELETE FROM ops.touched_day WHERE dataset = '{dataset}'")
