"""What readers see is held against the books, never against the pointers that serve it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from toy_home import DAYS, HIDDEN, TICKETS, Toy

from clearhouse.books.audit import Audit
from clearhouse.books.model import Side
from clearhouse.cli.report import finding_lines
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.context import Run

CORRECTED, RESTATED, HELD = DAYS
NEVER = dt.date(2031, 1, 1)
FACT = "gold.fct_toy_tickets"
SILVER = "silver.stg_toy_tickets"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A day, one that corrects two of its tickets, and one that a gate holds."""
    toy = Toy(tmp_path_factory.mktemp("toy") / "home")
    assert toy.run(CORRECTED).exit_code == 0
    assert toy.run(RESTATED, fault="restated").exit_code == 0
    assert toy.run(HELD, fault="negative").exit_code == 3
    return toy


def audited(toy: Toy) -> Audit:
    run = toy.open()
    try:
        return audit_days(run)
    finally:
        run.engine.close()


def lines(toy: Toy) -> list[str]:
    return [line for finding in audited(toy).findings for line in finding_lines(finding)]


@contextmanager
def put_back(*paths: Path) -> Iterator[None]:
    """Files as they were, afterwards."""
    kept = {path: path.read_bytes() for path in paths}
    try:
        yield
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_held_money_is_a_figure_of_the_balance(toy: Toy) -> None:
    found = audited(toy)

    assert found.findings == ()
    readers = {e.key.book_date: e for e in found.entries if e.key.hop == "gold → readers"}
    counted = {
        day: {str(side): totals.records for side, totals in e.totals.items() if totals.records}
        for day, e in readers.items()
    }
    assert counted == {
        CORRECTED: {"in": 40, "out": 38, "superseded": 2},
        RESTATED: {"in": 42, "out": 42},
        HELD: {"in": 40, "held": 40},
    }
    assert readers[HELD].totals[Side.HELD]["minor:EUR"] != 0
    assert "held" in toy.command("books", "--domain", "toy").stdout


def changes_of_readers() -> dict[str, tuple[str, str]]:
    """What is done to the file that readers open, and a line that must be found."""
    return {
        "a pointer deleted": (
            f"DELETE FROM ops.publication WHERE book_date = DATE '{RESTATED}'",
            f"gold → readers, {RESTATED}: −1 record",
        ),
        "all pointers deleted": ("DELETE FROM ops.publication", f"{CORRECTED}: −1 record"),
        "a pointer to nothing": (
            f"UPDATE ops.publication SET entry_id = 'x' WHERE book_date = DATE '{RESTATED}'",
            f"{RESTATED}: and 22 records more",
        ),
        "a pointer for a held day": (
            f"INSERT INTO ops.publication VALUES ('toy.tickets', DATE '{HELD}', 'abc')",
            f"{HELD}: the pointer of what readers open is entry abc, and the books say none",
        ),
        "a mart that leaves out a row": (
            f"""CREATE OR REPLACE VIEW {TICKETS} AS SELECT f.* FROM {FACT} f
                WHERE NOT EXISTS (SELECT 1 FROM {HIDDEN} h WHERE h._record_id = f._record_id)
                AND f.number > (SELECT min(number) FROM {FACT}
                    WHERE _book_date = DATE '{RESTATED}')""",
            "−1 record",
        ),
        "a day that the books don't know": (
            f"""CREATE OR REPLACE VIEW {TICKETS} AS
                SELECT * REPLACE (DATE '{NEVER}' AS _book_date) FROM {FACT}
                WHERE _book_date = DATE '{RESTATED}' LIMIT 1""",
            f"gold → readers, {NEVER}: +1 record",
        ),
        "a record hidden": (
            f"""CREATE OR REPLACE VIEW {TICKETS} AS SELECT * FROM {FACT}
                WHERE _record_id NOT IN (SELECT _record_id FROM {HIDDEN}
                    UNION ALL SELECT max(_record_id) FROM {FACT})""",
            "−1 record",
        ),
        "a column of the mart redefined": (
            f"""CREATE OR REPLACE VIEW {TICKETS} AS SELECT * REPLACE ('west' AS booth) FROM {FACT}
                WHERE _record_id NOT IN (SELECT _record_id FROM {HIDDEN})""",
            f"the view {TICKETS} is not what was built",
        ),
        "a record shown that was corrected": (
            f"CREATE OR REPLACE VIEW {TICKETS} AS SELECT * FROM {FACT}",
            f"gold → readers, {CORRECTED}: +1 record",
        ),
    }


@pytest.mark.parametrize("kind", changes_of_readers())
def test_what_is_done_to_readers_is_found(toy: Toy, kind: str) -> None:
    statement, told = changes_of_readers()[kind]
    path = toy.home / "published.duckdb"
    with put_back(path):
        with duckdb.connect(str(path)) as connection:
            connection.execute(statement)
        found = lines(toy)
    assert any(told in line for line in found), found


def gold_entry(run: Run, day: dt.date) -> str:
    (entry,) = run.books.current("toy", "silver → gold", [day])
    return entry.entry_id


def test_a_changed_column_is_named_at_each_hop(toy: Toy) -> None:
    """Of closed days and others, and what readers don't see too."""
    run = toy.open()
    change = "CASE WHEN _record_id = (SELECT min(_record_id) FROM rows) THEN 'west' ELSE booth END"
    (gold,) = run.engine.query(
        "SELECT path FROM ops.entry_file WHERE entry_id = $1", [gold_entry(run, HELD)]
    )["path"].to_pylist()
    (bronze,) = run.lake.files("toy.tickets", [RESTATED])
    with put_back(Path(gold), Path(bronze)):
        run.engine.rewrite_entry(
            FACT, gold_entry(run, HELD), f"SELECT * REPLACE ({change} AS booth) FROM rows"
        )
        duckdb.sql(
            f"""COPY (
                WITH rows AS (SELECT * FROM read_parquet('{bronze}', hive_partitioning = false))
                SELECT * REPLACE ({change} AS booth) FROM rows
            ) TO '{bronze}.new' (FORMAT parquet)"""
        )
        Path(f"{bronze}.new").replace(bronze)
        run.engine.execute(
            f"""UPDATE {SILVER} SET booth = 'east' WHERE _book_date = DATE '{CORRECTED}'
                AND _record_id = (SELECT min(_record_id) FROM {SILVER}
                    WHERE _book_date = DATE '{CORRECTED}')"""
        )
        run.engine.close()
        found = lines(toy)

    def told(hop: str, day: dt.date, change: str) -> bool:
        return any(ln.startswith(f"{hop}, {day}: ") and ln.endswith(change) for ln in found)

    was = ("north", "south")
    assert any(told("silver → gold", HELD, f'booth "{w}" became "west"') for w in was), found
    assert any(told("bronze → silver", RESTATED, f'booth "west" became "{w}"') for w in was), found
    assert any(told("bronze → silver", CORRECTED, f'booth "{w}" became "east"') for w in was), found
    assert any(told("silver → gold", CORRECTED, f'booth "east" became "{w}"') for w in was), found
    assert toy.run(CORRECTED).exit_code == 0
    assert lines(toy) == []


def test_every_finding_is_listed_where_stores_are_broken(toy: Toy) -> None:
    run = toy.open()
    (bronze,) = run.lake.files("toy.tickets", [CORRECTED])
    (landed, *_) = run.landing.objects("north", RESTATED)
    local = run.landing.local_path(landed)
    assert local is not None
    with put_back(Path(bronze), Path(local), toy.home / "published.duckdb"):
        Path(bronze).write_bytes(Path(bronze).read_bytes()[:200])
        Path(local).unlink()
        run.engine.execute(f"UPDATE {SILVER} SET currency = NULL WHERE _book_date = DATE '{HELD}'")
        run.engine.close()
        with duckdb.connect(str(toy.home / "published.duckdb")) as connection:
            connection.execute(f"DELETE FROM ops.publication WHERE book_date = DATE '{RESTATED}'")
        answer = toy.command("books", "--domain", "toy")

    assert answer.exit_code == 4, answer.exception
    for told in (
        f"landing → bronze, {CORRECTED}: toy.tickets can't be read",
        f"bronze → silver, {CORRECTED}: toy.tickets can't be read",
        f"north → landing, {RESTATED}: ",
        "EUR became",
        f"gold → readers, {RESTATED}: −1 record",
    ):
        assert told in answer.stdout.replace("\n", " "), answer.stdout
    assert toy.run(HELD, fault="negative").exit_code == 3
    assert lines(toy) == []


def test_a_mending_run_that_was_killed_leaves_the_theft_named(toy: Toy) -> None:
    run = toy.open()
    close_day(run, CORRECTED)
    (entry,) = run.books.current("toy", "silver → gold", [CORRECTED])
    (gold,) = run.engine.query(
        "SELECT path FROM ops.entry_file WHERE entry_id = $1", [entry.entry_id]
    )["path"].to_pylist()
    with put_back(Path(gold)):
        run.engine.rewrite_entry(FACT, entry.entry_id, "SELECT * FROM rows OFFSET 1")
        run.books.open([entry.key], "killed")
        run.engine.close()
        found = lines(toy)
    assert any(f"silver → gold, {CORRECTED}: −1 record" in line for line in found), found
    assert toy.run(CORRECTED).exit_code == 0
    assert lines(toy) == []


def test_readers_of_an_earlier_publication_are_named(toy: Toy) -> None:
    path = toy.home / "published.duckdb"
    with put_back(path):
        before = path.read_bytes()
        released = toy.command("release", "toy", "--date", HELD, "--reason", "refunds")
        assert released.exit_code == 0, released.exception
        assert lines(toy) == []
        path.write_bytes(before)
        found = lines(toy)
    assert any("readers see publication" in line for line in found), found
    assert any(f"gold → readers, {HELD}: −1 record" in line for line in found), found
