"""A domain that the pipeline has never seen: everything works for it, by its declaration alone."""

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from toy_home import DAYS, TICKETS, Toy

from clearhouse.books.model import Side, Status
from clearhouse.pipeline.close import close_day

UNREADABLE, NEGATIVE, HALF = DAYS[:3]
OPEN_TO_WRITE = f"""
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    for _ in range(2):
        print(*connection.execute("SELECT count(*) FROM {TICKETS}").fetchone(), flush=True)
        sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A day with rejected tickets, one that a gate holds, and one that a booth did not give."""
    toy = Toy(tmp_path_factory.mktemp("toy") / "home")
    kinds = {UNREADABLE: "unreadable", NEGATIVE: "negative", HALF: "south_closed"}
    faults = [part for day, kind in kinds.items() for part in ("--fault", f"{day}={kind}")]

    answer = toy.command("run", "toy", "--from", DAYS[0], "--to", HALF, *faults)

    assert answer.exit_code == 1, answer.exception  # a failure before a hold
    assert toy.visible() == {UNREADABLE: 38, HALF: 20}
    return toy


def test_a_reader_who_asks_for_a_day_opens_the_files_of_no_other(toy: Toy) -> None:
    query = f"SELECT sum(price) FROM {TICKETS} WHERE _book_date = DATE '{HALF}'"

    ((_, plan),) = toy.read(f"EXPLAIN ANALYZE {query}")

    counts = re.findall(r"Total Files Read: (\d+)", plan)
    assert counts == ["1", "1"]  # of tickets, and of hidden ones


def test_a_day_that_was_pulled_before_it_was_over_is_asked_for_again(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "home")
    today = dt.datetime.now(dt.UTC).date()

    def is_asked_for(day: dt.date) -> bool:
        answer = toy.command("run", "toy", "--from", day, "--to", day, "--json")
        assert answer.exit_code == 0, answer.stderr
        pulled = next(iter(json.loads(answer.stdout)["steps"].values()))
        return str(day) in pulled["done"]

    assert [is_asked_for(day) for day in (DAYS[0], today, DAYS[0], today)] == [
        *(True, True),
        *(False, True),
    ]
    run = toy.open()
    for day in (DAYS[0], today):
        close_day(run, day)
    run.engine.close()
    assert not is_asked_for(today)


def test_a_held_day_is_seen_when_it_is_released(toy: Toy) -> None:
    held = toy.command(
        "run", "toy", "--from", NEGATIVE, "--to", NEGATIVE, "--fault", f"{NEGATIVE}=negative"
    )
    assert held.exit_code == 3
    assert "price_minor: 2 of 40 rows below 1" in held.stderr
    assert NEGATIVE not in toy.visible()

    assert toy.command("release", "toy", "--date", NEGATIVE, "--reason", "refunds").exit_code == 0

    assert toy.visible()[NEGATIVE] == 40
    assert "refunds" in toy.command("books", "--domain", "toy").stdout


def test_a_day_goes_on_without_a_source_and_is_completed_later(toy: Toy) -> None:
    def statuses() -> dict[str, Status]:
        entries = toy.open().books.current("toy", days=[HALF])
        return {e.key.hop: e.status for e in entries if e.key.hop.endswith("landing")}

    assert statuses() == {"north → landing": Status.BALANCED, "south → landing": Status.FAILED}
    refused = toy.command("close", "toy", "--date", HALF)
    assert "south → landing is failed" in str(refused.exception)

    answer = toy.run(HALF)

    assert answer.exit_code == 0, answer.stderr
    assert statuses() == {"north → landing": Status.BALANCED, "south → landing": Status.BALANCED}
    assert toy.visible()[HALF] == 40
    north = toy.open().landing.objects("north", HALF)
    assert len(north) == 1  # it was not asked again


def test_a_rejected_ticket_is_redriven_and_traced_to_its_bytes(toy: Toy) -> None:
    listed = json.loads(toy.command("quarantine", "list", "--domain", "toy", "--json").stdout)
    assert [row["violations"][0]["field"] for row in listed] == ["price", "price"]
    number = listed[0]["record_key"]
    shown = toy.command("quarantine", "show", number, "--domain", "toy", "--json")
    assert json.loads(shown.stdout)[0]["raw"].splitlines()[0].endswith(",")

    redriven = toy.command(
        "quarantine",
        "redrive",
        "--id",
        listed[0]["record_id"],
        "--set",
        "price=4.50",
        "--domain",
        "toy",
    )

    assert redriven.exit_code == 0, redriven.exception
    assert toy.read(f"SELECT price::VARCHAR FROM {TICKETS} WHERE number = {number}") == [("4.50",)]
    corrected, rejected = json.loads(
        toy.command("trace", number, "--domain", "toy", "--json").stdout
    )
    assert (json.loads(corrected["raw"])["price"], corrected["is_visible"]) == (4.5, True)
    assert (json.loads(rejected["raw"])["price"], rejected["is_visible"]) == ("free", False)
    (healthy,) = json.loads(
        toy.command("trace", int(number) + 1, "--domain", "toy", "--json").stdout
    )
    assert json.loads(healthy["raw"])["number"] == int(number) + 1
    assert healthy["raw"].count("\n") == 1  # the source's own bytes, which are two lines


def test_a_shell_that_is_open_to_write_does_not_stop_a_run(toy: Toy) -> None:
    command = [sys.executable, "-c", OPEN_TO_WRITE, str(toy.home / "published.duckdb")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdout is not None
        seen = int(shell.stdout.readline())

        answer = toy.command("rollback", "toy", "--to", 1, "--reason", "a trial")

        assert answer.exit_code == 0, answer.exception
        now = sum(toy.visible().values())
        assert now != seen
        told, _ = shell.communicate("again\n")
    assert int(told) == seen  # he goes on with what he opened


def test_a_day_is_followed_hour_by_hour_and_then_pulled_whole(tmp_path: Path) -> None:
    toy, day = Toy(tmp_path / "home"), DAYS[0]

    def follow(*options: str) -> int:
        return toy.command("step", "toy", "hourly", "--date", day, *options).exit_code

    assert follow("--fault", f"{day}=early") == 0
    assert toy.visible() == {day: 16}
    for _ in range(2):  # the first hour brings the other tickets, the second one nothing
        assert follow() == 0
        assert toy.visible() == {day: 40}
    first = day.toordinal() * 100
    landed = toy.open().landing.objects("north", day)
    assert [answer.request["after"] for answer in landed] == [0, first + 7, first + 19]

    whole = toy.run(day)

    assert whole.exit_code == 0
    assert "pulled again" not in whole.stderr, "that is not another way to ask"
    assert toy.visible() == {day: 40}
    entry = toy.open().books.current("toy", "landing → bronze", [day])[0]
    assert entry.totals[Side.DUPLICATE]["records"] == 40, "each came again, and none was missing"
