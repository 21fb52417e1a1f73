import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT, key_of, totals
from databases import Databases, databases_at, opened, url_of
from journal_writer import RECORDED, record_some

from clearhouse.books import Books, Side
from clearhouse.books.certificate import Certificates, Tree, seal
from clearhouse.books.decisions import Decisions
from clearhouse.books.journal import Head, Journal
from clearhouse.books.ledger import Audited
from clearhouse.books.model import Digests, Measured, digest
from clearhouse.books.projections import moment
from clearhouse.books.publications import Publications
from clearhouse.books.schema import journal_table, metadata
from clearhouse.books.verified import Verified
from clearhouse.core.errors import StoreError, UsageError

TOTALS = {Side.IN: totals(1, 4590), Side.OUT: totals(1, 4590, hash_sum=2**80)}
BALANCED = Measured(TOTALS, Digests("d1", "d1", ("booth",)))
READERS = key_of(hop="gold → readers")
TESTS = Path(__file__).parents[2]
PROJECTIONS = [name for name in metadata.tables if name != journal_table.name]


def record_everything(engine: sa.Engine, run_id: str = "run-1") -> None:
    """At least one row in each table of the books."""
    books, certificates = Books(engine), Certificates(engine)
    books.open([replace(key_of(), covers="some topic 0:0-9"), READERS], run_id)
    books.close({key_of(): BALANCED}, run_id)
    books.fail([READERS], run_id)
    decisions = Decisions(engine)
    decisions.record("raw_gate", "rules", {key_of().entry_id: (False, ["too few"])}, run_id)
    decisions.release(key_of().entry_id, "raw_gate", ["too few"], "it was a holiday", run_id)
    pointers = {DAY: key_of().entry_id, NEXT: None}
    Publications(engine).add("bnpl", {"bnpl.transactions": pointers}, run_id)
    entries, trees = books.current("bnpl", key_of().hop), {key_of().hop: Tree(1, "6e34")}
    certificates.add(seal("bnpl", DAY, entries, trees, None), run_id)
    certificates.reopen("bnpl", DAY, "a wrong rate", run_id)
    Verified(engine).add("bnpl", {DAY: 1}, run_id)
    books.add_audit(
        Audited("bnpl", DAY, DAY, 2, 1, '{"USD":4590}'), [("gold → readers", None, "red")], run_id
    )


@pytest.fixture(scope="module")
def everything(databases: Databases) -> str:
    url = databases.new()
    engine = opened(url)
    record_everything(engine)
    engine.dispose()
    return url


@pytest.fixture
def kept(everything: str, databases: Databases) -> Iterator[sa.Engine]:
    """Books of which every table holds something."""
    engine = opened(databases.copy(everything))
    yield engine
    engine.dispose()


def behind_the_back(engine: sa.Engine, *statements: str) -> None:
    url = url_of(engine)
    databases_at(url).edit(url, *statements)


def reopened(engine: sa.Engine) -> sa.Engine:
    """The same books, as the next command opens them."""
    return opened(url_of(engine))


def test_what_is_recorded_is_chained_and_what_records_nothing_is_not(kept: sa.Engine) -> None:
    journal = Journal(kept)
    Decisions(kept).record("raw_gate", "rules", {}, "run-1")
    Books(kept).close({}, "run-1")

    with kept.connect() as connection:
        rows = connection.execute(sa.select(journal_table)).all()
    kinds = ["entries"] * 3 + ["verdicts", "release", "publication", "certificate", "reopening"]
    assert [row.kind for row in rows] == [*kinds, "verified", "audit"]
    assert [row.seq for row in rows] == list(range(1, 11))
    assert [row.prev for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]
    assert all(row.hash == digest(row.prev, row.kind, digest(row.body)) for row in rows)
    assert json.loads(rows[4].body)["books_release"]["reason"] == ["it was a holiday"]
    assert '"side":["in","in","in","out","out","out"]' in rows[1].body
    assert journal.head() == Head(10, rows[-1].hash)
    assert journal.check() == []


def column_to_edit(table: sa.Table) -> sa.Column[object]:
    """The last column that no other row refers to."""
    return [c for c in table.c if not c.primary_key][-1]


@pytest.mark.parametrize("name", PROJECTIONS)
def test_an_edited_row_is_named_with_what_was_recorded(kept: sa.Engine, name: str) -> None:
    column = column_to_edit(metadata.tables[name]).name
    with kept.connect() as connection:
        before = connection.exec_driver_sql(f"SELECT {column} FROM {name} LIMIT 1").scalar()

    behind_the_back(
        kept, f"UPDATE {name} SET {column} = 'x' WHERE rowid = (SELECT min(rowid) FROM {name})"
    )

    (line,) = Journal(kept).check()
    assert line.startswith(f"{name} ")
    assert f"was edited: {column} is x and was recorded as {str(before)[:50]}" in line


def text_of(value: object) -> str:
    """How a value is named that a driver gives."""
    if value is None or value == "":
        return "nothing"
    return moment(value) if isinstance(value, dt.datetime) else str(value)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_deleted_rows_are_named_with_what_they_held(kept: sa.Engine, name: str) -> None:
    with kept.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT * FROM {name}").mappings().all()

    behind_the_back(kept, f"DELETE FROM {name}")

    lines = Journal(kept).check()
    assert len(lines) == len(rows) > 0
    for line, row in zip(lines, rows, strict=True):
        assert line.startswith(f"{name} ")
        assert "was deleted; recorded was:" in line
        column = column_to_edit(metadata.tables[name]).name
        assert f"{column} {text_of(row[column])[:50]}" in line


@pytest.mark.parametrize("name", PROJECTIONS)
def test_an_invented_row_is_named(kept: sa.Engine, name: str) -> None:
    table = metadata.tables[name]
    fresh = [[c.name for c in table.primary_key][-1], "certificate"]
    values = ", ".join("'99'" if c.name in fresh else c.name for c in table.c)

    behind_the_back(kept, f"INSERT INTO {name} SELECT {values} FROM {name} LIMIT 1")

    (line,) = Journal(kept).check()
    assert line.startswith(f"{name} ")
    assert "99" in line
    assert "was never recorded:" in line


def test_a_row_of_an_entry_is_named_by_hop_and_day(kept: sa.Engine) -> None:
    behind_the_back(
        kept,
        "UPDATE books_total SET value = '4591' WHERE side = 'out' AND measure = 'minor:USD'",
        "UPDATE books_event SET status = 'balanced' WHERE status = 'failed'",
    )
    assert Journal(kept).check() == [
        "books_event 4 (bnpl, gold → readers, 2024-03-09) was edited: status is balanced and was "
        "recorded as failed",
        "books_total 3, out, minor:USD (bnpl, silver → gold, 2024-03-09) was edited: value is 4591 "
        "and was recorded as 4590",
    ]


LONG = "".join(f"{n:03} " for n in range(50))


@pytest.mark.parametrize(
    ("recorded", "edited", "shown"),
    [
        (LONG, LONG.replace("025", "xxx"), (f"…{LONG[80:140]}…".replace("025", "xxx"),
                                            f"…{LONG[80:140]}…")),
        (LONG, "x" + LONG[1:], (f"x{LONG[1:60]}…", f"{LONG[:60]}…")),
        (LONG[:100], LONG, (f"{LONG[:60]}…", f"{LONG[:60]}…")),
        ("a holiday", LONG, (f"{LONG[:60]}…", "a holiday")),
        (LONG[:60], "", ("empty", LONG[:60])),
    ],
    ids=["within", "at the begin", "longer", "long and short", "empty"],
)  # fmt: skip
def test_of_a_long_value_the_part_is_shown_that_was_edited(
    database: sa.Engine, recorded: str, edited: str, shown: tuple[str, str]
) -> None:
    Decisions(database).release("e1", "raw_gate", ["few"], recorded, "run-1")

    behind_the_back(database, f"UPDATE books_release SET reason = '{edited}', gate = 'gate'")

    assert Journal(database).check() == [
        "books_release 1 was edited: gate is gate and was recorded as raw_gate, "
        f"reason is {shown[0]} and was recorded as {shown[1]}"
    ]


def test_of_many_rows_some_are_named_and_the_rest_counted(database: sa.Engine) -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(25)]
    Books(database).open([key_of(day) for day in days], "run-1")
    behind_the_back(database, "DELETE FROM books_current")
    lines = Journal(database).check()
    assert (len(lines), lines[-1]) == (21, "books_current: and 5 rows more")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE books_journal SET body = replace(body, 'holiday', 'feast') WHERE seq = 5",
         ["journal row 5 (release) is not what was recorded: its hash is another"]),
        ("UPDATE books_journal SET kind = 'verdicts' WHERE seq = 5",
         ["journal row 5 (verdicts) is not what was recorded: its hash is another"]),
        ("DELETE FROM books_journal WHERE seq = 5",
         ["journal row 6 (publication) does not follow row 4: the chain is broken"]),
        ("UPDATE books_journal SET prev = 'x' WHERE seq = 5",
         ["journal row 5 (release) does not follow row 4: the chain is broken",
          "journal row 5 (release) is not what was recorded: its hash is another"]),
        ("UPDATE books_journal SET seq = 99 WHERE seq = 10",
         ["journal row 99 (audit) does not follow row 9: the chain is broken"]),
        ("DELETE FROM books_journal",
         ["the journal is empty, and the books are not: its rows were deleted"]),
        ("DELETE FROM books_journal WHERE seq >= 10",
         ["books_audit 1 was never recorded: domain bnpl",
          "books_finding 1 was never recorded: domain bnpl"]),
    ],
    ids=["body", "kind", "deleted", "prev", "number", "emptied", "cut"],
)  # fmt: skip
def test_an_edited_journal_breaks_its_chain(
    kept: sa.Engine, statement: str, told: list[str]
) -> None:
    behind_the_back(kept, statement)
    lines = Journal(kept).check()
    assert len(lines) == len(told)
    assert all(line.startswith(start) for line, start in zip(lines, told, strict=True))


def test_a_dropped_journal_is_not_begun_again(kept: sa.Engine) -> None:
    behind_the_back(kept, "DROP TABLE books_journal")
    assert Journal(reopened(kept)).check() == [
        "the journal is empty, and the books are not: its rows were deleted"
    ]


@pytest.mark.parametrize("body", ["[]", "{", '{"books_x":{}}', '{"books_event":{"seq":[1]}}'])
def test_a_row_that_was_chained_with_nonsense_is_found(kept: sa.Engine, body: str) -> None:
    head = Journal(kept).head()
    hash_ = digest(head.hash, "entries", digest(body))
    row = f"(11, 'entries', '{body}', '{head.hash}', '{hash_}')"
    behind_the_back(kept, f"INSERT INTO books_journal VALUES {row}")
    assert Journal(kept).check() == ["journal row 11 (entries) holds what the books can't record"]


def test_a_number_that_was_given_again_after_a_deletion_is_found(kept: sa.Engine) -> None:
    behind_the_back(
        kept,
        "DELETE FROM books_verdict",
        "DELETE FROM sqlite_sequence WHERE name = 'books_verdict'",
    )
    Decisions(kept).record("raw_gate", "rules", {key_of().entry_id: (True, [])}, "run-2")
    lines = Journal(kept).check()
    assert lines[0] == "journal row 11 (verdicts) holds what the books can't record"
    assert "books_verdict 1 " in lines[1]


def test_the_database_refuses_a_fork(kept: sa.Engine) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=r"books_journal\.prev"):
        behind_the_back(
            kept, "INSERT INTO books_journal SELECT 99, kind, body, prev, hash FROM books_journal"
            " WHERE seq = 10",
        )  # fmt: skip


def test_a_journal_extends_the_heads_that_it_had(kept: sa.Engine, databases: Databases) -> None:
    journal = Journal(kept)
    then = journal.head()
    assert journal.extends(Head())
    assert Head.parse(f"{then}\n") == then

    Books(kept).open([key_of(NEXT)], "run-2")

    now = journal.head()
    assert now.length == then.length + 1
    assert journal.extends(then)
    assert journal.extends(now)
    assert not journal.extends(Head(then.length, now.hash))
    assert not journal.extends(Head(now.length + 1, now.hash))
    assert not journal.extends(Head(0, now.hash))
    # Rewritten whole, with all tables, by one who knows how: its own check finds nothing.
    rewritten = opened(databases.new())
    record_everything(rewritten, "run-9")
    assert Journal(rewritten).check() == []
    assert not Journal(rewritten).extends(then)


@pytest.mark.parametrize(
    "text", ["", "12", "12:", "12:abc", f"-1:{'a' * 64}", f"٣:{'a' * 64}", f"1:{'G' * 64}",
             f"{'9' * 30}:{'a' * 64}"],
)  # fmt: skip
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Head.parse(text)
    assert caught.value.code == "bad_head"
    assert str(caught.value) == (
        f"{text!r} is no head of a journal: write LENGTH:HASH as `clearhouse books` prints it, "
        "with all 64 digits of the hash."
    )


def test_a_journal_that_was_taken_away_is_missed(kept: sa.Engine) -> None:
    behind_the_back(kept, "DROP TABLE books_journal", "DROP TABLE books_audit")
    (line,) = Journal(reopened(kept)).check()
    assert line == "the journal is empty, and the books are not: its rows were deleted"


def test_books_with_other_columns_are_refused_in_a_sentence(kept: sa.Engine) -> None:
    behind_the_back(
        kept, "DROP TABLE clearhouse_version", "ALTER TABLE books_event DROP COLUMN digest_in"
    )
    with pytest.raises(StoreError, match="An earlier version of Clearhouse kept these books"):
        reopened(kept)


def writer(*args: object, **options: Any) -> subprocess.Popen[Any]:
    script = Path(__file__).with_name("journal_writer.py")
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen([sys.executable, script, *map(str, args)], env=environment, **options)


def test_two_processes_that_record_at_once_fork_nothing_and_lose_nothing(
    database: sa.Engine,
) -> None:
    writers = [writer("record", url_of(database), domain, 25) for domain in ("bnpl", "retail")]
    assert [each.wait(timeout=60) for each in writers] == [0, 0]
    journal = Journal(database)
    assert journal.check() == []
    assert journal.head().length == 2 * 25 * len(RECORDED)
    with database.connect() as connection:
        kinds = sa.select(journal_table.c.kind, sa.func.count()).group_by(journal_table.c.kind)
        counts = dict(connection.execute(kinds).tuples().all())
    assert counts == dict.fromkeys(RECORDED, 50)


def test_what_is_killed_at_a_write_is_recorded_whole_or_not_at_all(
    everything: str, databases: Databases
) -> None:
    killing = writer("kill", databases, everything, stdout=subprocess.PIPE, text=True)
    told, _ = killing.communicate(timeout=120)
    assert killing.returncode == 0
    lengths = []
    for killed_at, url in enumerate(told.split(), start=1):
        engine = opened(url)
        journal = Journal(engine)
        assert journal.check() == [], killed_at
        lengths.append(journal.head().length - 10)
        record_some(engine, "bnpl", "run-3")
        assert (journal.check(), journal.head().length) == ([], 10 + lengths[-1] + len(RECORDED))
        engine.dispose()
    assert lengths == sorted(lengths)
    assert sorted(set(lengths)) == list(range(len(RECORDED) + 1))
    assert len(lengths) > 25
