"""What comes into the service's ledger by itself: the same history however often it is stopped."""

import json
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from gl_service import NOW, Running, Time, journal, options, serving
from gl_tiny import DAY, TinyLedger

from clearhouse.gl.service.columns import from_rows
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.feed import Feed, FeedOptions, MakeGenerator, sandbox_ledger
from clearhouse.gl.service.reading import Lines, Selection


def stored(database: Database) -> pa.Table:
    pieces = list(Lines(database).in_pieces(Selection(), 0, 2**62))
    return pa.concat_tables(pieces) if pieces else from_rows([])


def feed(database: Database, clock: Time, make: MakeGenerator = TinyLedger, days: int = 11) -> Feed:
    return Feed(database, FeedOptions(days, scale=0.02), clock, make)


def opened(folder: Path) -> Database:
    return Database(f"sqlite:///{folder}/gl.db")


class Killed(BaseException):
    """The process is gone: nothing that it does afterwards counts."""


@pytest.mark.parametrize(("make", "days"), [(TinyLedger, 25), (sandbox_ledger, 11)])
def test_a_feed_that_is_killed_anywhere_makes_the_same_history(
    tmp_path: Path, make: MakeGenerator, days: int
) -> None:
    clock = Time()
    whole = opened(tmp_path / "whole")
    feed(whole, clock, make, days).catch_up()
    killed = opened(tmp_path / "killed")
    clock.now = NOW - 5 * DAY  # started on another day, and gone on later
    starts = feed(killed, clock, make, days - 5)
    commits = iter(range(10_000))

    @sa.event.listens_for(killed.engine, "commit")
    def _die(_connection: sa.Connection) -> None:
        if next(commits) % 7 == 6:
            raise Killed

    for _ in range(100):
        try:
            starts.catch_up()
            break
        except Killed:
            starts = feed(killed, clock, make)
            clock.now = min(clock.now + DAY, NOW)
    sa.event.remove(killed.engine, "commit", _die)
    clock.now = NOW
    feed(killed, clock, make).catch_up()
    assert len(stored(whole)) > 80
    assert stored(killed).equals(stored(whole))


def test_two_processes_make_one_history(tmp_path: Path) -> None:
    whole = opened(tmp_path / "whole")
    feed(whole, Time()).catch_up()
    workers = [feed(opened(tmp_path / "both"), Time()) for _ in range(2)]
    threads = [threading.Thread(target=each.catch_up) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored(opened(tmp_path / "both")).equals(stored(whole))


def test_an_interval_brings_what_is_due_or_else_a_ticket_once_for_all_workers(
    tmp_path: Path,
) -> None:
    clock = Time(NOW.replace(hour=8, minute=0))
    database = opened(tmp_path)
    first, second = feed(database, clock), feed(database, clock)
    first.catch_up()
    second.catch_up()
    before = len(stored(database))
    clock.now = NOW
    due = TinyLedger(42, NOW.date().replace(day=1), 1).lines(NOW.date(), NOW.date())
    assert (first.tick(), second.tick()) == (len(due), 0)
    clock.now += DAY / 24
    assert (first.tick(), second.tick()) == (2, 0)
    added = stored(database).slice(before).to_pylist()
    assert [line["description"] for line in added[-2:]] == ["ticket", "ticket"]
    assert sum(line["debit_minor"] - line["credit_minor"] for line in added) == 0


def lines_of(service: Running) -> list[dict[str, Any]]:
    return [json.loads(t) for t in service.reader.get("/v1/lines/export").text.splitlines()]


def test_postings_come_between_and_the_history_goes_on_with_their_numbers(tmp_path: Path) -> None:
    clock = Time()
    with serving(options(tmp_path, clock, days=11)) as service:
        accrued = service.reader.get(
            "/v1/lines", params={"recorded_on": f"{NOW:%Y-%m-%d}", "entry_type": "accrual"}
        ).json()["data"][0]["journal_entry"]
        undone = service.poster.post(
            f"/v1/journals/{accrued}/reverse",
            json={
                "posting_date": "2026-05-12", "description": "early", "approved_by": "USER-456",
            },
            headers={"Idempotency-Key": "early"},
        )  # fmt: skip
        assert undone.status_code == 201
        posted = service.post(journal(), "between").json()
        before = lines_of(service)
    clock.now = NOW + 2 * DAY
    with serving(options(tmp_path, clock, days=11)) as service:
        after = lines_of(service)
    assert after[: len(before)] == before
    assert [x for x in after if x["journal_entry"] == posted["journal_entry"]] == posted["lines"]
    numbers = {x["entry_number"] for x in after if x["fiscal_period"] == "2026-05"}
    assert numbers == set(range(1, len(numbers) + 1))
    entries = {x["journal_entry"] for x in after}
    undoing = {x["journal_entry"]: x["reverses"] for x in after if x["reverses"]}
    assert len(set(undoing.values())) == len(undoing)  # the accrual is not undone once more
    assert set(undoing.values()) <= entries
    ids = [x["gl_entry_id"] for x in after]
    assert ids == sorted(set(ids))


def test_what_comes_late_for_a_closed_period_goes_to_the_open_one(tmp_path: Path) -> None:
    clock = Time(NOW.replace(day=31, hour=7))
    database = opened(tmp_path)
    before = feed(database, clock, days=25)
    before.catch_up()
    with database.writing() as connection:
        states = "CASE ordinal WHEN 2 THEN 'open' ELSE 'closed' END"
        connection.execute(sa.text(f"UPDATE gl_period SET status = {states}"))
    clock.now += DAY
    before.tick()
    lines = [x for x in stored(database).to_pylist() if str(x["recorded_on"]) >= "2026-05-31"]
    late = [x for x in lines if str(x["transaction_date"]) == "2026-05-31"]
    assert {(x["fiscal_period"], str(x["posting_date"])) for x in late} == {
        ("2026-06", "2026-06-01")
    }
    assert all(x["posting_date"] <= x["recorded_on"] for x in lines)


def test_a_day_that_is_over_is_given_when_it_is_whole_and_then_stays(tmp_path: Path) -> None:
    clock = Time()
    asked = {"recorded_on": f"{NOW:%Y-%m-%d}"}
    with serving(options(tmp_path, clock, days=11)) as service:
        before = service.reader.get("/v1/lines/export", params=asked)
        assert before.headers["X-Whole-Through"] == f"{NOW - DAY:%Y-%m-%d}"
        clock.now = NOW.replace(hour=0) + DAY
        early = service.reader.get("/v1/lines/export", params=asked)
        assert (early.status_code, early.json()["code"]) == (503, "not_ready")
        feed(opened(tmp_path), clock).tick()
        whole = service.reader.get("/v1/lines/export", params=asked)
        clock.now -= DAY / 86_400  # when it was asked for; then it waited for its turn
        late = service.post(journal(), "at-midnight")
        assert late.json()["recorded_on"] == f"{NOW + DAY:%Y-%m-%d}"
        assert service.reader.get("/v1/lines/export", params=asked).content == whole.content
    assert whole.headers["X-Whole-Through"] == f"{NOW:%Y-%m-%d}"
    assert whole.content.startswith(before.content)
