"""Fields that no sum is over: only `verify`, which derives them again, can tell."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import duckdb

from attacks.attack import COMMANDS, NotThereError, Told, attack, verify
from attacks.groups import FIELDS, NO_KEYS
from attacks.homes import Home
from attacks.readers import hidden, hiding, served_files
from attacks.recipes import CLOSED, RELEASED, SEALED
from attacks.rows import quarantined
from attacks.stores import cut, database, rewrite, rewrite_file, rewrite_table, warehouse
from clearhouse.pipeline.domain import Derived

COMMANDS[FIELDS] = verify


def _bronze(home: Home) -> str:
    return "bronze." + home.at.contract.id.replace(".", "_")


def _set(record_id: str, column: str, value: str) -> str:
    changed = f"CASE WHEN _record_id = '{record_id}' THEN {value} ELSE {column} END"
    return f"SELECT * REPLACE ({changed} AS {column}) FROM rows"


@attack(FIELDS, "where a row of bronze stood in landing")
def _line(home: Home) -> Told:
    row = home.take(CLOSED)
    rewrite(home, "bronze", CLOSED, _set(row.record_id, "_line", "99999"))
    return [(f"{_bronze(home)}, {CLOSED}: ", row.record_id, ": _line ", " became 99999")]


@attack(FIELDS, "the raw line of a row of quarantine")
def _raw(home: Home) -> Told:
    record_id, _ = quarantined(home, 0)
    database(home, "UPDATE quarantine SET raw = x'7b7d' WHERE record_id = ?", record_id)
    return [(f"quarantine, {CLOSED}: ", record_id, ": raw ", " became {}")]


@attack(FIELDS, "the reason of a row of quarantine")
def _reason(home: Home) -> Told:
    record_id, _ = quarantined(home, -1)
    database(home, "UPDATE quarantine SET code = 'other' WHERE record_id = ?", record_id)
    return [(f"quarantine, {CLOSED}: ", record_id, ": code ", " became other")]


@attack(FIELDS, "the entry of a row of silver")
def _entry(home: Home) -> Told:
    row, silver = home.take(SEALED), home.at.declared.silver
    rewrite(home, "silver", SEALED, _set(row.record_id, "_entry_id", "'other'"))
    return [(f"{silver}, {SEALED}: ", row.record_id, ": _entry_id ", " became other")]


@attack(FIELDS, "a column of gold that no contract has")
def _of_gold(home: Home) -> Told:
    path, gold, row = home.at.gold[RELEASED], home.at.declared.gold, home.take(RELEASED)
    known = {f.name for f in home.at.contract.fields}
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    others = [
        name
        for name, kind, *_ in described
        if kind == "VARCHAR" and name not in known and not name.startswith("_")
    ]
    if not others:
        raise NotThereError("gold has no column of text beside those of the contract")
    rewrite(home, "gold", RELEASED, _set(row.record_id, others[0], "'other'"))
    return [
        (f"{table}, {RELEASED}: ", row.record_id, f": {others[0]} ", " became other")
        for table in (gold, f"{gold} (as readers see it)")
    ]


# --- what derives from published rows ------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """A derived table somewhere.

    Attributes:
        name: as it is named where it differs.
        keys: columns that tell its rows apart; the last one is text that can be invented.
        row: the row at a place in order.
        rewrite: replaces its rows by a query over them, called `rows`.
    """

    name: str
    keys: tuple[str, ...]
    row: Callable[[int], dict[str, Any]]
    rewrite: Callable[[str], None]

    def where(self, row: dict[str, Any]) -> str:
        """SQL for a row; a key can have no value."""
        return " AND ".join(
            f"{key} IS NULL" if row[key] is None else f"{key} = '{row[key]}'" for key in self.keys
        )

    def names(self, row: dict[str, Any]) -> list[str]:
        """What a finding calls a row by: its keys that are text."""
        return [row[key] for key in self.keys if isinstance(row[key], str)]


def _in_engine(home: Home, table: str, keys: tuple[str, ...]) -> Table:
    def row(at: int) -> dict[str, Any]:
        path = str(home.path / "warehouse" / f"{home.name}.duckdb")
        with duckdb.connect(path) as connection:
            return _one(connection, f"SELECT * FROM {table} ORDER BY ALL OFFSET {at}")

    return Table(table, keys, row, partial(rewrite_table, home, table))


def _of_readers(home: Home, table: str, keys: tuple[str, ...]) -> Table:
    path = served_files(home, table)[0]

    def row(at: int) -> dict[str, Any]:
        with duckdb.connect() as connection:
            sql = f"FROM read_parquet('{path}', hive_partitioning = false)"
            return _one(connection, f"{sql} ORDER BY ALL OFFSET {at}")

    return Table(f"{table} (as readers see it)", keys, row, partial(rewrite_file, path))


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    return dict(connection.sql(f"{sql} LIMIT 1").to_arrow_table().to_pylist()[0])


def _published(home: Home) -> Table:
    return _in_engine(home, f"gold.{home.at.declared.published}", ("_book_date", "_record_id"))


def _hidden(home: Home) -> Table:
    return _in_engine(home, hidden(hiding(home)), ("_book_date", "_record_key", "_record_id"))


def _first_derived(home: Home) -> tuple[Derived, tuple[str, ...]]:
    """The first derived table that readers see, and what tells its rows apart."""
    table = next((d for d in home.at.declared.derived if not d.is_internal), None)
    if table is None:
        raise NotThereError("the domain derives no table that readers see")
    row = _in_engine(home, table.served, ()).row(0)
    if "_record_id" in row:  # as rows of the spine are told apart
        return table, ("_book_date", "_record_id")
    names = table.grain or (table.at, table.part, table.key)
    return table, tuple(dict.fromkeys(name for name in names if name in row))


def _derived(home: Home) -> Table:
    table, keys = _first_derived(home)
    return _in_engine(home, table.served, keys)


def _served(home: Home) -> Table:
    table, keys = _first_derived(home)
    return _of_readers(home, table.served, keys)


TABLES = {
    "published rows": _published,
    "hidden records": _hidden,
    "a derived table": _derived,
    "a derived table of readers": _served,
}


def _changed(find: Callable[[Home], Table], home: Home) -> Told:
    table = find(home)
    row = table.row(0)
    others = [
        name
        for name, value in row.items()
        if name not in table.keys and isinstance(value, int | Decimal | str)
    ]
    if not others:
        raise NotThereError(f"{table.name} has no column beside those that name its rows")
    column = others[0]
    value = f"concat({column}, '~')" if isinstance(row[column], str) else f"{column} + 1"
    changed = f"CASE WHEN {table.where(row)} THEN {value} ELSE {column} END"
    table.rewrite(f"SELECT * REPLACE ({changed} AS {column}) FROM rows")
    return [(f"{table.name}, ", *table.names(row), f": {column} {row[column]} became ")]


def _deleted(find: Callable[[Home], Table], home: Home) -> Told:
    table = find(home)
    row = table.row(1)
    table.rewrite(f"SELECT * FROM rows WHERE NOT ({table.where(row)})")
    return [(f"{table.name}, ", *table.names(row), "the row is missing")]


def _invented(find: Callable[[Home], Table], home: Home) -> Told:
    table = find(home)
    row = table.row(0)
    key, where = table.keys[-1], table.where(row)
    invented = f"SELECT * REPLACE ('invented' AS {key}) FROM rows WHERE {where}"
    table.rewrite(f"SELECT * FROM rows UNION ALL {invented}")
    others = [name for name in table.names(row) if name != row[key]]
    return [(f"{table.name}, ", *others, "invented", "the row was invented")]


CHANGES = {
    "a row changed in": _changed,
    "a row deleted from": _deleted,
    "a row invented in": _invented,
}
for _where, _find in TABLES.items():
    for _what, _made in CHANGES.items():
        attack(FIELDS, f"{_what} {_where}")(partial(_made, _find))


@attack("no derived", "a file of a derived table deleted")
def _file_deleted(home: Home) -> Told:
    table, _ = _first_derived(home)
    path = served_files(home, table.served)[0]
    path.unlink()
    return [(f"{table.served} (as readers see it), ", "it can't be read", path.name)]


@attack("no derived", "a file of bronze cut off before it is verified")
def _bronze_cut(home: Home) -> Told:
    cut(home.at.bronze[SEALED])
    return [(f"{_bronze(home)}, ", "it can't be read", home.at.bronze[SEALED].name)]


@attack("no derived", "a column dropped from silver")
def _column_dropped(home: Home) -> Told:
    silver, column = home.at.declared.silver, home.at.contract.currency.name
    warehouse(home, f"ALTER TABLE {silver} DROP COLUMN {column}")
    return [(f"{silver}, ", f"the column {column} is missing")]


@attack("no derived", "a landed object of a verified day deleted")
def _landed(home: Home) -> Told:
    landed = next(iter(home.at.landed.values()))
    (home.path / "landing" / landed.key).unlink()
    return [(f"landing, {CLOSED}: {landed.key} is missing, or not as it was landed",)]


COMMANDS["no derived"] = verify


@attack(NO_KEYS, "a row of silver without its id")
def _without_id(home: Home) -> Told:
    row, silver = home.take(SEALED), home.at.declared.silver
    rewrite(home, "silver", SEALED, _set(row.record_id, "_record_id", "NULL"))
    missing = (f"{silver}, {SEALED}: ", f"({row.record_id}): the row is missing")
    return [missing, (f"{silver}, {SEALED}: ", "(nothing): the row was invented")]


@attack(NO_KEYS, "the money of gold in floats")
def _floats(home: Home) -> Told:
    amount, gold = home.at.contract.amount.name, home.at.declared.gold
    if home.at.contract.amount.is_minor:
        raise NotThereError("the domain's amounts are integers")
    rewrite(home, "gold", CLOSED, f"SELECT * REPLACE ({amount}::DOUBLE AS {amount}) FROM rows")
    return [(f"{gold}, ", f"the column {amount} is double and should be decimal")]


@attack(NO_KEYS, "a manifest of nonsense on a day to verify")
def _manifest(home: Home) -> Told:
    landed = home.at.landed[home.at.declared.sources[0].name, RELEASED]
    path = (home.path / "landing" / landed.key).with_suffix("")
    path.with_name(f"{path.name.partition('.')[0]}.manifest.json").write_text("[" * 100_000)
    return [(f"landing, {RELEASED}: ", "is not as it was written")]


COMMANDS[NO_KEYS] = verify
