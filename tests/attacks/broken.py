"""Stores that can't be read any more, or are another state of themselves."""

import sqlite3
from contextlib import closing
from pathlib import Path

from attacks.attack import Told, attack, on
from attacks.groups import (
    ALL_HIDDEN,
    GONE,
    HIDDEN,
    LANDING,
    NO_MART,
    PIECES,
    POINTERS,
    READERS_CUT,
)
from attacks.homes import Home
from attacks.recipes import CLOSED, DAYS, HELD, RELEASED, SEALED
from attacks.rows import CHANGES
from attacks.stores import cut, database, rewrite_file, warehouse


@attack(PIECES, "a file of bronze cut off")
def _bronze_cut(home: Home) -> Told:
    cut(home.at.bronze[CLOSED])
    told = f"{home.at.contract.id} can't be read"
    return [on(hop, CLOSED, told) for hop in (home.at.names.bronze, home.at.names.silver)]


@attack(PIECES, "a file of bronze deleted")
def _bronze_deleted(home: Home) -> Told:
    home.at.bronze[SEALED].unlink()
    return [on(home.at.names.bronze, SEALED, f"{home.at.contract.id} can't be read", "No such")]


@attack(PIECES, "a file of bronze with the rows of another day")
def _bronze_exchanged(home: Home) -> Told:
    other = home.at.bronze[HELD].relative_to(home.path)
    home.at.bronze[RELEASED].write_bytes((home.copy / other).read_bytes())
    hop = home.at.names.bronze
    return [on(hop, RELEASED, "−1 record, −"), on(hop, RELEASED, "records more")]


@attack(PIECES, "a day of silver deleted")
def _silver_deleted(home: Home) -> Told:
    warehouse(home, f"DELETE FROM {home.at.declared.silver} WHERE _book_date = DATE '{HELD}'")
    told = "−1 record"
    return [on(home.at.names.silver, HELD, told), on(home.at.names.silver, HELD, "records more")]


@attack(LANDING, "a table of silver dropped")
def _silver_dropped(home: Home) -> Told:
    warehouse(home, f"DROP TABLE {home.at.declared.silver} CASCADE")
    return [on(home.at.names.silver, day, "−1 record") for day in DAYS]


@attack(PIECES, "a file of gold cut off")
def _gold_cut(home: Home) -> Told:
    path = home.at.gold[SEALED]
    cut(path)
    return [on(home.at.names.gold, SEALED, f"{home.at.declared.gold} can't be read", path.name)]


@attack(GONE, "a file of gold deleted")
def _gold_deleted(home: Home) -> Told:
    path = home.at.gold[SEALED]
    path.unlink()
    return [on(home.at.names.gold, SEALED, f"{home.at.declared.gold} can't be read", path.name)]


@attack(ALL_HIDDEN, "a file of gold with no rows")
def _gold_emptied(home: Home) -> Told:
    rewrite_file(home.at.gold[HELD], "SELECT * FROM rows WHERE false")
    return [on(home.at.names.gold, HELD, "−1 record"), on(home.at.names.gold, HELD, "records more")]


@attack(ALL_HIDDEN, "a file of gold of a sealed day robbed, and a run over it killed")
def _robbed_and_open(home: Home) -> Told:
    row = home.take(CLOSED)
    sql, told = CHANGES["deleted"](home, row)
    rewrite_file(home.at.gold[CLOSED], sql)
    with home.opened() as run:
        (entry,) = run.books.current(home.name, home.at.names.gold, [CLOSED])
        run.books.open([entry.key], "killed")
    return [on(home.at.names.gold, CLOSED, *texts) for texts in told]


@attack("metadata", "a column of gold dropped")
def _gold_column(home: Home) -> Told:
    column = home.at.contract.currency.name
    rewrite_file(home.at.gold[SEALED], f"SELECT * EXCLUDE ({column}) FROM rows")
    return [on(home.at.names.gold, SEALED, f"{home.at.declared.gold} can't be read")]


def _metadata(home: Home) -> list[Path]:
    folder = home.at.bronze[CLOSED].parents[2] / "metadata"
    return sorted(folder.glob("*.metadata.json"))


def _catalog(home: Home, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(home.path / "catalog.db", isolation_level=None)) as catalog:
        assert catalog.execute(statement, values).rowcount == 1


@attack(READERS_CUT, "the catalog set back to an earlier snapshot")
def _catalog_back(home: Home) -> Told:
    before = f"file://{_metadata(home)[0]}"
    table = home.at.declared.name
    back = "UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?"
    _catalog(home, back, before, table)
    return [on(home.at.names.bronze, day, "−1 record") for day in DAYS]


@attack(POINTERS, "a table taken out of the catalog")
def _catalog_gone(home: Home) -> Told:
    _catalog(home, "DELETE FROM iceberg_tables WHERE table_name = ?", home.at.declared.name)
    return [on(home.at.names.bronze, day, "−1 record") for day in DAYS]


@attack("metadata", "the metadata of bronze deleted")
def _metadata_deleted(home: Home) -> Told:
    for path in _metadata(home):
        path.unlink()
    return [on(home.at.names.bronze, CLOSED, f"{home.at.contract.id} can't be read")]


@attack(NO_MART, "a manifest of bronze cut off")
def _manifest_cut(home: Home) -> Told:
    for path in _metadata(home)[0].parent.glob("*.avro"):
        cut(path)
    return [on(home.at.names.bronze, CLOSED, f"{home.at.contract.id} can't be read")]


@attack(HIDDEN, "a day of bronze emptied by a commit")
def _committed(home: Home) -> Told:
    with home.opened() as run:
        (dataset,) = [d for d in run.datasets if d.declared is home.at.declared]
        schema = run.lake.columns(dataset.id)
        assert schema is not None
        entry = run.lake.entries(dataset.id)[SEALED]
        run.lake.replace_days(dataset.id, schema.empty_table(), {SEALED: entry})
    return [on(home.at.names.bronze, SEALED, "−1 record")]


@attack("no engine", "the file of the engine cut off")
def _engine_cut(home: Home) -> Told:
    cut(home.path / "warehouse" / f"{home.name}.duckdb")
    return [(f"{home.name}.duckdb can't be opened",)]


@attack("no catalog", "the catalog overwritten")
def _catalog_overwritten(home: Home) -> Told:
    (home.path / "catalog.db").write_bytes(b"nonsense" * 1024)
    return [on(home.at.names.bronze, day, "can't be read", "not a database") for day in DAYS]


@attack("no catalog", "remembered totals of landed bytes that are no totals")
def _remembered(home: Home) -> Told:
    """They are measured again: what is found is the catalog alone."""
    database(home, "UPDATE landing_totals SET totals = 'nonsense'")
    return [on(home.at.names.bronze, CLOSED, "can't be read", "not a database")]


@attack("no metadata", "the metadata of bronze overwritten")
def _metadata_overwritten(home: Home) -> Told:
    for path in _metadata(home):
        path.write_text("{")
    return [on(home.at.names.bronze, CLOSED, f"{home.at.contract.id} can't be read")]
