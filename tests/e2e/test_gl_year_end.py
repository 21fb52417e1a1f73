"""The close of a year by the service: of what was generated, and of what came to it by itself."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gl_service import Time

from clearhouse.gl.journal import Journal, Line
from clearhouse.gl.periods import Change, Request
from clearhouse.gl.service.closing import change_period, events_of
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.errors import PeriodRefusedError
from clearhouse.gl.service.feed import Feed, FeedOptions, sandbox_ledger
from clearhouse.gl.service.posting import Asked, post
from clearhouse.gl.service.recorder import periods_of

DECEMBER = "2025-12"
NOW = dt.datetime.fromisoformat("2026-01-31T10:00")
_LEFT = f"""
    SELECT account_code, sum(debit_minor - credit_minor) FROM gl_balance
    WHERE fiscal_period <= '{DECEMBER}' AND account_code >= '4000'
        AND account_code NOT IN ('6100', '6200', '6300', '6400', '6900')
    GROUP BY account_code HAVING sum(debit_minor - credit_minor) <> 0"""
"""Revenue and expense of the year that are not closed."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """One that took tickets in December, and went on to the end of January."""
    folder: Path = tmp_path_factory.mktemp("year")
    database = Database(f"sqlite:///{folder}/gl.db")
    clock = Time(dt.datetime.fromisoformat("2025-12-15T10:00"))
    feed = Feed(database, FeedOptions(14, 60.0, scale=0.02), clock, sandbox_ledger)
    feed.catch_up()
    for _ in range(3):
        clock.now += dt.timedelta(minutes=1)
        feed.tick()
    clock.now = dt.datetime.fromisoformat("2026-01-05T10:00")
    feed.catch_up()
    with pytest.raises(PeriodRefusedError) as refused:  # its closing entries are still to come
        change(database, Change.CLOSE, clock.now)
    assert [each.code for each in refused.value.violations] == ["year_not_closed"]
    clock.now = NOW
    feed.catch_up()
    return database


def change(database: Database, what: Change, at: dt.datetime) -> None:
    asked = Request(what, at.date(), "USER-903", "USER-456", "an invoice came late")
    with database.writing() as connection:
        change_period(connection, asked, DECEMBER, at)


def rows(database: Database, sql: str) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(sa.text(sql)))


def test_a_year_in_which_tickets_came_is_closed_on_its_day(ledger: Database) -> None:
    assert rows(ledger, "SELECT tickets FROM gl_ledger")[0][0] > 0
    with ledger.reading() as connection:
        states = {period.name: period.status for period in periods_of(connection)}
        sealed = [each["digest"] for each in events_of(connection, DECEMBER)]
    assert states[DECEMBER] == "closed"
    assert any(sealed)
    assert rows(ledger, _LEFT) == []


def test_what_is_posted_to_a_year_that_is_opened_again_is_closed_with_it(ledger: Database) -> None:
    change(ledger, Change.REOPEN, NOW)
    day = dt.date(2025, 12, 31)
    lines = (Line("7300", debit_minor=125_000), Line("1010", credit_minor=125_000))
    late = Journal(day, day, lines, "USER-903", "USER-456", "Insurance")
    post(ledger, late, Asked("late", "digest", is_accountant=True), NOW)
    assert rows(ledger, _LEFT) == [("7300", 125_000)]
    change(ledger, Change.CLOSE, NOW)
    assert rows(ledger, _LEFT) == []
    kept = "SELECT approved_by, debit_minor FROM gl_line WHERE account_code = '3100'"
    last = rows(ledger, f"{kept} ORDER BY gl_entry_id DESC LIMIT 1")
    assert last == [("USER-903", 125_000)]
