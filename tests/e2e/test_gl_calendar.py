"""The calendar of the service's periods, beside people who open them again."""

import datetime as dt
from pathlib import Path

import pytest
from gl_service import Time
from gl_tiny import TinyLedger

from clearhouse.gl.periods import Change, Request, Status
from clearhouse.gl.service.closing import change_period
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.feed import Feed, FeedOptions
from clearhouse.gl.service.recorder import periods_of

APRIL = "2026-04"


@pytest.mark.parametrize(
    ("opened_on", "before", "next_on", "after"),
    [
        ("05-12", Status.SOFT_CLOSED, "05-20", Status.CLOSED),
        ("05-20", Status.CLOSED, "06-01", Status.SOFT_CLOSED),
        ("06-05", Status.CLOSED, "06-20", Status.CLOSED),
    ],
)
def test_what_a_person_opens_again_stays_open_until_the_calendar_s_next_day(
    tmp_path: Path, opened_on: str, before: Status, next_on: str, after: Status
) -> None:
    clock = Time(dt.datetime.fromisoformat(f"2026-{opened_on}T10:00"))
    database = Database(f"sqlite:///{tmp_path}/gl.db")
    feed = Feed(database, FeedOptions(40, 60.0), clock, TinyLedger)
    feed.catch_up()

    def state() -> Status:
        with database.reading() as connection:
            return next(p.status for p in periods_of(connection) if p.name == APRIL)

    assert state() is before
    asked = Request(Change.REOPEN, clock.now.date(), "USER-903", "USER-456", "an invoice came late")
    with database.writing() as connection:
        change_period(connection, asked, APRIL, clock.now)
    clock.now += dt.timedelta(minutes=5)
    feed.tick()
    assert state() is Status.OPEN
    clock.now = dt.datetime.fromisoformat(f"2026-{next_on}T10:00")
    feed.tick()
    assert state() is after
