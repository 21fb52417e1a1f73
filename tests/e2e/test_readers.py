"""A reader in another process sees one publication or the next, whole, and never stops a run.

He opens what is published anew for each question, and has one connection open all the time. What he
was answered is held against what the books say was published.
"""

import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from toy_home import DAYS, HIDDEN, TAKINGS, TICKETS, Toy
from toy_runner import KILLED, Commands

from clearhouse.books.model import Side

LONG_AGO = time.time() - 30 * 24 * 3600
QUESTIONS = {
    "number": "SELECT publication FROM ops.served",
    "pointers": "SELECT book_date::VARCHAR, entry_id FROM ops.publication ORDER BY ALL",
    "tickets": f"""SELECT _book_date::VARCHAR, count(*), sum(price * 100)::BIGINT
        FROM {TICKETS} GROUP BY ALL ORDER BY ALL""",
    "takings": f"SELECT sum(ticket_count)::BIGINT, sum(takings * 100)::BIGINT FROM {TAKINGS}",
    "hidden": f"SELECT _record_id, _book_date::VARCHAR FROM {HIDDEN} ORDER BY ALL",
    "figures": "SELECT count(*) FROM marts.quality_metrics",
    "views": "SELECT sql FROM duckdb_views() WHERE sql LIKE '%.parquet%' ORDER BY ALL",
}
READER = """
import duckdb, json, os, re, sys, time
path, stop = sys.argv[1:]
questions = json.loads(sys.stdin.readline())
def ask(connection):
    return {name: connection.execute(sql).fetchall() for name, sql in questions.items()}
# Under another name: within a process, DuckDB answers a new connection from the file open already.
os.link(path, stop + ".kept")
kept = duckdb.connect(stop + ".kept", read_only=True)
first = ask(kept)
print(json.dumps(first), flush=True)
while not os.path.exists(stop):
    with duckdb.connect(path, read_only=True) as fresh:
        answer = ask(fresh)
    files = {file for (sql,) in answer.pop("views") for file in re.findall("'([^']*parquet)'", sql)}
    states = {file: [os.stat(file).st_ino, os.stat(file).st_size] for file in files}
    assert ask(kept) == first, "what is open has changed"
    print(json.dumps({**answer, "states": states}), flush=True)
    time.sleep(0.1)
"""


@contextmanager
def reading(toy: Toy, folder: Path) -> Iterator[list[dict[str, Any]]]:
    """A reader who asks until the block is over; his answers are there then."""
    answers: list[dict[str, Any]] = []
    stop, answered = folder / "stop", folder / "answers"
    with answered.open("w") as output:
        command = [sys.executable, "-c", READER, str(toy.home / "published.duckdb"), str(stop)]
        reader = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE, text=True
        )
        assert reader.stdin
        reader.stdin.write(json.dumps(QUESTIONS) + "\n")
        reader.stdin.flush()
        while not answered.stat().st_size and reader.poll() is None:
            time.sleep(0.02)
        try:
            yield answers
        finally:
            stop.touch()
            _, complaints = reader.communicate()
    assert reader.returncode == 0, complaints
    answers += map(json.loads, answered.read_text().splitlines())


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


def test_every_answer_is_one_publication_whole(
    tmp_path: Path, commands: Commands, every_write: bool
) -> None:
    toy = Toy(tmp_path / "home")

    def give(*args: object, expected: int = 0, die_at: int = 0) -> list[str]:
        answer = commands.give(toy.home, *args, die_at=die_at)
        assert answer["exit_code"] == expected, answer["output"]
        return list(answer["writes"])

    def run(day: dt.date, fault: str = "", expected: int = 0) -> None:
        options = ["--fault", f"{day}={fault}"] if fault else []
        give("run", "toy", "--from", day, "--to", day, *options, expected=expected)

    run(DAYS[0])
    with reading(toy, tmp_path) as answers:
        age(toy)
        run(DAYS[1], "restated")  # of the day before as well
        run(DAYS[2], "negative", expected=3)
        give("release", "toy", "--date", DAYS[2], "--reason", "refunds")
        publish = ("step", "toy", "publish_quality_metrics", "--date", DAYS[1])
        roll_back = ("rollback", "toy", "--to", 1, "--reason", "a trial")
        writes = give(*roll_back)
        boundaries = range(writes.index("add") + 1, len(writes) + 1)
        for number in boundaries if every_write else boundaries[::4]:
            # From where the one before died: what it recorded is finished, or undone unseen.
            command = publish if last_cause(toy) == "rollback" else roll_back
            give(*command, expected=KILLED, die_at=number)
            if number % 4 == 0:
                give("step", "toy", "publish_quality_metrics", "--date", DAYS[0])  # finishes it
        give(*publish)
        give("rebuild", "toy")

    check(toy, answers)


def last_cause(toy: Toy) -> str:
    """Why the last publication was made, as the books have it."""
    with closing(sqlite3.connect(toy.home / "clearhouse.db")) as books:
        (cause,) = books.execute(
            "SELECT cause FROM books_publication ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    return str(cause)


def age(toy: Toy) -> None:
    """Let all that is published have been written long ago."""
    for path in (toy.home / "published").rglob("*.parquet"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def check(toy: Toy, answers: list[dict[str, Any]]) -> None:
    """Every answer is what the books say of the publication that it names."""
    run = toy.open()
    numbers = [publication.number for publication in run.publications.history("toy")]
    entered: dict[str, set[tuple[int, int]]] = {}
    for day in DAYS[:3]:
        for entry in run.books.history("toy", "gold → readers", day):
            out = entry.totals[Side.OUT]
            entered.setdefault(str(day), set()).add((out.records, out["minor:EUR"]))
    by_number: dict[int, Any] = {}
    states: dict[str, list[int]] = {}
    for answer in answers:
        ((number,),) = answer["number"]
        assert number in numbers
        published = run.publications.pointers("toy.tickets", up_to=number)
        assert answer["pointers"] == [[str(day), entry] for day, entry in published.items()]
        for day, count, cents in answer["tickets"]:
            assert (count, cents) in entered[day]
        _, counts, cents = zip(*answer["tickets"], strict=True)
        assert answer["takings"] == [[sum(counts), sum(cents)]]
        seen = [answer[name] for name in ("tickets", "takings", "hidden")]
        assert by_number.setdefault(number, seen) == seen
        for path, state in answer.get("states", {}).items():
            assert states.setdefault(path, state) == state, f"{path} was written twice"
    assert len(by_number) > 3
    assert {len(seen[2]) for seen in by_number.values()} == {0, 2}
