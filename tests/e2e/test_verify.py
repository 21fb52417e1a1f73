"""Every field of every store, against what landing gives when a day is derived again."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import Result
from toy_home import DAYS, HIDDEN, TAKINGS, TICKETS, Toy

from clearhouse.books.verified import Verified
from clearhouse.engines.engine import Insert
from clearhouse.lake.iceberg import Lake
from clearhouse.pipeline.context import Run
from clearhouse.store.quarantine import quarantine_table

FIRST, LAST = DAYS[:2]
BRONZE, SILVER, GOLD = "bronze.toy_tickets", "silver.stg_toy_tickets", "gold.fct_toy_tickets"
PUBLISHED = "gold.int_toy_published"
SEEN = " (as readers see it)"
SPINE = ("_book_date", "_record_id")
SOLD = ("booth", "sold_on")
NAMES = {
    BRONZE: SPINE,
    "quarantine": ("dataset", "book_date", "record_id"),
    SILVER: SPINE,
    GOLD: ("_record_id",),
    GOLD + SEEN: ("_record_id",),
    TICKETS + SEEN: SPINE,
    PUBLISHED: SPINE,
    HIDDEN: SPINE,
    HIDDEN + SEEN: SPINE,
    TAKINGS: SOLD,
    TAKINGS + SEEN: SOLD,
}
"""The tables of the toy, and the columns by which their rows are told apart."""


@dataclass
class Tampered:
    """What was changed, and what was found.

    Attributes:
        columns: of each table, every column, and what the row is called in which it was changed.
        lines: what was found, table first.
    """

    columns: Mapping[str, Mapping[str, str]]
    lines: Sequence[str]
    exit_code: int


def found(answer: Result) -> list[str]:
    """The findings of `verify --json`, each with its table."""
    told = json.loads(answer.stdout)["findings"]
    return [f"{f['table']}, {f['book_date']}: {f['finding']}" for f in told]


def changed(rows: pa.Table, names: Sequence[str]) -> tuple[pa.Table, dict[str, str]]:
    """The rows with each column changed in one of them, and what that row is called.

    What rows are named by is changed in a row where nothing else is.
    """
    rows = rows.sort_by([(name, "ascending") for name in names])
    replaced, called = [], {}
    others = [name for name in rows.column_names if name not in names]
    assert len(rows) > len(names)
    for nth, name in enumerate([*names, *others]):
        column = rows.schema.field(name)
        kind, at = str(column.type), min(nth, len(rows) - 1)
        value = f"concat({column.name}, '~')"
        if kind == "bool":
            value = f"NOT {column.name}"
        elif kind.startswith(("int", "decimal", "date")):
            value = f"{column.name} + 1000"
        elif kind.startswith("timestamp"):
            value = f"{column.name} + INTERVAL 1 SECOND"
        replaced.append(f"CASE WHEN n = {at} THEN {value} ELSE {column.name} END AS {column.name}")
        called[column.name] = str(rows[names[-1]][at].as_py())
    sql = f"""SELECT * EXCLUDE (n) REPLACE ({", ".join(replaced)})
        FROM (SELECT *, row_number() OVER () - 1 AS n FROM rows)"""
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        return connection.sql(sql).to_arrow_table().cast(rows.schema), called


def robbed(rows: pa.Table) -> pa.Table:
    """The rows without the first by record id, with the last one twice, and with one invented."""
    rows = rows.sort_by("_record_id")
    at = rows.column_names.index("_record_id")
    invented = rows.slice(1, 1).set_column(at, rows.field(at), pa.array(["invented"]))
    return pa.concat_tables([rows.slice(1), rows.slice(len(rows) - 1), invented])


def change_files(paths: Sequence[Path | str], names: Sequence[str]) -> dict[str, str]:
    """Change every column of the rows of some Parquet files, which all go into the first."""
    first, *others = paths
    rows, called = changed(pa.concat_tables(pq.ParquetFile(p).read() for p in paths), names)
    for path in others:
        pq.write_table(rows.schema.empty_table(), path)
    pq.write_table(rows, first)
    return called


def change_table(run: Run, table: str, names: Sequence[str]) -> dict[str, str]:
    """The same in the warehouse, on the first day where rows have one."""
    rows = run.engine.query(f"SELECT * FROM {table}")
    # The records that a restatement hides arrived on both days.
    has_day = "_book_date" in rows.column_names and table != HIDDEN
    where = f"WHERE _book_date = '{FIRST}'" if has_day else ""
    rows, called = changed(run.engine.query(f"SELECT * FROM {table} {where}"), names)
    run.engine.execute(f"DELETE FROM {table} {where}", Insert(table, rows))
    return called


def change_quarantine(run: Run) -> dict[str, str]:
    """Change every column: what names a row in a row of its own, the others in one row."""
    first, *others = run.quarantine.of_days("toy.tickets")
    names = {"dataset": "toy.x", "book_date": dt.date(2031, 1, 1), "record_id": "x"}
    rows = dict(zip(names, others, strict=False))
    called = {}
    with run.books.engine.begin() as connection:
        for column in quarantine_table.columns:
            row = rows.get(column.name, first)
            value = column + 1 if isinstance(column.type, sa.Integer) else column.concat(" ")
            if column.name == "raw":
                value = first.raw.replace(b"free", b"9.99")
            is_it = quarantine_table.c.record_id == row.record_id
            update = sa.update(quarantine_table).where(is_it)
            connection.execute(update.values({column.name: names.get(column.name, value)}))
            called[column.name] = row.record_id
    return called


def gold_files(toy: Toy, run: Run, day: dt.date) -> list[Path]:
    entry = run.publications.pointers("toy.tickets")[day]
    return list((toy.home / "gold" / GOLD).glob(f"_book_date=*/_entry_id={entry}/*.parquet"))


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Days with rejected tickets; each restates tickets, also of the day before."""
    toy = Toy(tmp_path_factory.mktemp("toy") / "home")
    kinds = [(d, "unreadable") for d in DAYS] + [(d, "restated") for d in DAYS[1:]]
    faults = [part for day, kind in kinds for part in ("--fault", f"{day}={kind}")]
    assert toy.command("run", "toy", "--from", FIRST, "--to", DAYS[2], *faults).exit_code == 0
    return toy


def test_a_healthy_home_differs_in_nothing(healthy: Toy) -> None:
    # A sample takes what was not verified for longest.
    verified = Verified(healthy.open().books.engine)
    verified.add("toy", {FIRST: 0, DAYS[2]: None}, "earlier")
    sample = healthy.command("verify", "toy", "--sample", 0.3, "--json")
    told = {"verified": [str(LAST)], "findings": [], "not_verified": {}}
    assert (sample.exit_code, json.loads(sample.stdout)) == (0, told)
    assert max(verified.last("toy").items(), key=lambda tried: tried[1])[0] == LAST

    answer = healthy.command("verify", "toy")

    assert answer.exit_code == 0, answer.exception or answer.stdout
    assert f"Verified {FIRST} to {DAYS[2]}: 0 differences in {len(NAMES)} tables." in answer.stdout

    assert not list(healthy.home.glob("verifying-*"))


def test_what_earlier_code_made_is_said_and_not_compared(healthy: Toy) -> None:
    with patch("clearhouse.pipeline.versions.TYPING", "later"):
        answer = healthy.command("verify", "toy", "--json")

    told = ["bronze of toy.tickets was made by earlier code"]
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {
        "verified": [],
        "findings": [],
        "not_verified": {str(day): told for day in DAYS},
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "2024-13-01"), "is not a date"),
        (("--from", LAST, "--to", FIRST), "swap the dates"),
        (("--sample", 0), "above 0"),
        (("--sample", 1.5), "up to 1"),
    ],
)
def test_wrong_options_are_told_in_a_sentence(
    healthy: Toy, options: tuple[object, ...], told: str
) -> None:
    assert told in str(healthy.command("verify", "toy", *options).exception)


def test_days_that_the_books_lack_are_told(healthy: Toy) -> None:
    answer = healthy.command("verify", "toy", "--from", "2031-01-01")
    assert answer.exit_code == 0
    assert "no entries from 2031-01-01" in answer.stdout


@pytest.fixture(scope="module")
def tampered(healthy: Toy) -> Tampered:
    """Each column of each table changed on the first day, rows stolen and invented on the last."""
    run = healthy.open()
    published = healthy.home / "published"
    columns = {
        BRONZE: change_files(run.lake.files("toy.tickets", [FIRST]), SPINE),
        GOLD: change_files(gold_files(healthy, run, FIRST), NAMES[GOLD]),
        HIDDEN + SEEN: change_files(list((published / HIDDEN).glob("*.parquet")), NAMES[HIDDEN]),
        TAKINGS + SEEN: change_files(list((published / TAKINGS).rglob("*.parquet")), SOLD),
        "quarantine": change_quarantine(run),
        **{t: change_table(run, t, NAMES[t]) for t in (SILVER, PUBLISHED, HIDDEN, TAKINGS)},
    }
    for by_folder in ("_book_date", "_entry_id"):  # what the files say of these is not read
        del columns[GOLD][by_folder]
    columns[GOLD + SEEN] = columns[GOLD]
    for files in (run.lake.files("toy.tickets", [LAST]), gold_files(healthy, run, LAST)):
        pq.write_table(robbed(pq.ParquetFile(files[0]).read()), files[0])
    last = f"WHERE _book_date = '{LAST}'"
    rows = robbed(run.engine.query(f"SELECT * FROM {SILVER} {last}"))
    run.engine.execute(f"DELETE FROM {SILVER} {last}", Insert(SILVER, rows))
    run.engine.close()
    answer = healthy.command("verify", "toy", "--json")
    lines = found(answer)
    return Tampered(columns, lines, answer.exit_code)


@pytest.mark.parametrize("table", [table for table in NAMES if table != TICKETS + SEEN])
def test_each_changed_column_is_named(tampered: Tampered, table: str) -> None:
    lines = [line for line in tampered.lines if line.startswith(f"{table}, ")]

    def is_named(column: str, row: str) -> bool:
        what = "the row is missing" if column in NAMES[table] else f": {column} "
        return any(what in line and row in line for line in lines)

    columns = tampered.columns[table]
    assert set(NAMES[table]) < set(columns)
    assert not [c for c, row in columns.items() if not is_named(c, row)], lines
    assert tampered.exit_code == 4


@pytest.mark.parametrize("table", [BRONZE, SILVER, GOLD, TICKETS + SEEN])
@pytest.mark.parametrize("what", ["is missing", "is doubled", "was invented"])
def test_stolen_doubled_and_invented_rows_are_named(
    tampered: Tampered, table: str, what: str
) -> None:
    lines = [line for line in tampered.lines if line.startswith(f"{table}, {LAST}: ")]
    assert [line for line in lines if line.endswith(f"the row {what}")], lines
    assert len(lines) <= 21


def test_the_books_keep_what_was_found(tampered: Tampered, healthy: Toy) -> None:
    kept = healthy.open().books.findings("toy")
    assert [f"{table}, {day}: {told}" for table, day, told in kept] == list(tampered.lines)


def test_a_run_compares_what_it_wrote(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "home")
    write = Lake.replace_days

    def badly(lake: Lake, name: str, rows: pa.Table, entries: Mapping[dt.date, str]) -> None:
        at = rows.column_names.index("booth")
        write(lake, name, rows.set_column(at, "booth", pa.array(["west"] * len(rows))), entries)

    with patch.object(Lake, "replace_days", badly):
        answer = toy.run(FIRST)
    assert answer.exit_code == 4
    assert toy.open().books.findings("toy")[0][2].endswith("booth north became west")
    assert toy.read("SELECT is_published FROM marts.quality_metrics") == [(False,)]

    assert toy.run(FIRST).exit_code == 0
    assert toy.visible() == {FIRST: 40}
    assert toy.read(f"SELECT DISTINCT booth FROM {TICKETS} ORDER BY 1") == [("north",), ("south",)]


def test_a_held_correction_is_verified_beside_what_readers_see(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "home")
    assert toy.run(FIRST).exit_code == 0
    refresh = ("--refresh", "--fault", f"{FIRST}=negative")
    assert toy.command("run", "toy", "--from", FIRST, "--to", FIRST, *refresh).exit_code == 3

    answer = toy.command("verify", "toy", "--json")

    told = {"verified": [str(FIRST)], "findings": [], "not_verified": {}}
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, told)
